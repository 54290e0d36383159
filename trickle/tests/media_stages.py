"""A stream between two channels of a real server: what goes in, what becomes of it, and what comes out."""

import math
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from media_clips import LIMIT_SECONDS, Clip, Collector, Seen, look, publish
from trickle_servers import RunningServer

from livepeer.trickle import Publisher
from livepeer.trickle.media import MediaEnd, MediaHooks, MediaSettings, MediaTransform, Notice, Unit
from livepeer.trickle.media._ts import Demuxer


class Stage:
    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.in_url, self.out_url = f"{server.base_url}/in", f"{server.base_url}/out"
        self.input = Publisher(self.in_url)
        self.input.start()
        self.output = Publisher(self.out_url)
        self.output.start()
        self.collector = Collector(self.out_url)
        self.notices: list[Notice] = []
        self.ends: list[MediaEnd] = []
        self.threads: set[str] = set()
        self._changed = threading.Condition()
        self.transform: MediaTransform

    def start(self, *, subscribes: bool = True, publishes: bool = True, **options: Any) -> MediaTransform:
        """Start a transform; options are of the hooks and the settings. No frame is dropped unless one says so."""
        names = ("video", "audio_hook", "generate_video", "generate_audio")
        hooks = {name.removesuffix("_hook"): options.pop(name) for name in names if name in options}
        settings = {"start": "earliest", "max_age_seconds": math.inf, "idle_seconds": LIMIT_SECONDS} | options
        self.transform = MediaTransform(
            MediaHooks(**hooks),
            subscribe_url=self.in_url if subscribes else None,
            publish_url=self.out_url if publishes else None,
            settings=MediaSettings(**settings),
            on_notice=self._notice,
            on_end=self._end,
        )
        self.transform.start()
        return self.transform

    def play(self, *clips: Clip, seconds: float = 0.0) -> None:
        """Publish clips, and end the input once all of it was read."""
        units = 0
        for clip in clips:
            publish(self.input, clip, seconds=seconds)
            units += len(split(clip.data, "video")) + len(split(clip.data, "audio"))
            self.wait_until_read(units)
        self.input.close()

    def send(self, data: bytes) -> None:
        """Publish a segment, all of it."""
        self.input.publish(data)
        self.input.flush()

    def wait_until_read(self, units: int) -> None:
        """Wait until so many units have come in, or the stream has ended: a channel that is deleted loses the rest."""
        deadline = monotonic() + LIMIT_SECONDS
        with self._changed:
            while self._read < units and not self.ends:
                assert monotonic() < deadline, f"{self._read} of {units} units were read"
                self._changed.wait(0.005)

    @property
    def _read(self) -> int:
        stats = self.transform.stats
        return stats.frames_in + stats.audio_frames_in

    def run(self, *clips: Clip, **options: Any) -> Seen:
        """Play clips through hooks, and return what came out once all is over."""
        self.start(**options)
        self.play(*clips)
        assert self.wait_for_end().reason == "input_ended"
        return self.look()

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait until something holds after a notice, or the end."""
        deadline = monotonic() + LIMIT_SECONDS
        with self._changed:
            while not ready():
                assert self._changed.wait(deadline - monotonic()), f"it did not come in time: {self.notices}"

    def wait_for_notice(self, kind: str) -> Notice:
        self.wait_for(lambda: any(each.kind == kind for each in self.notices))
        return next(each for each in self.notices if each.kind == kind)

    def wait_for_end(self) -> MediaEnd:
        self.wait_for(lambda: bool(self.ends))
        return self.ends[0]

    def count(self, kind: str) -> int:
        """Return how often something was told of."""
        return sum(each.data["count"] for each in self.notices if each.kind == kind)

    def look(self) -> Seen:
        """Delete the output, and return what it held."""
        return look(self.finish())

    def finish(self) -> bytes:
        assert self.transform.stop()
        self.output.close()
        return self.collector.finish()

    def close(self) -> None:
        has_ended = not hasattr(self, "transform") or self.transform.stop()
        self.input.close()
        self.output.close()
        self.collector.finish()
        assert has_ended
        assert not [each for each in threading.enumerate() if each.name.startswith("media-")]

    def _notice(self, notice: Notice) -> None:
        with self._changed:
            self.notices.append(notice)
            self._changed.notify_all()

    def _end(self, end: MediaEnd) -> None:
        with self._changed:
            self.ends.append(end)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()


def split(data: bytes, kind: str) -> list[Unit]:
    """Return the units of one kind."""
    demuxer = Demuxer()
    return [each for each in [*demuxer.feed(data, 0.0), *demuxer.end_segment()] if each.track.kind == kind]
