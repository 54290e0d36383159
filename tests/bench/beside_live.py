"""Live pipelines from a camera's first byte to a decoded frame: ours, and livepeer-gateway's, on one trickle server.

Server, feeder, pipeline and meter are processes of their own. A clip's frames carry their number in the picture, so the
latency of each is known whatever becomes of its timestamp. The first second is left out of the latencies.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil
from harness import HERE, Side, Table, free_port, started
from live_clip import RATE, make_clip

CHANNELS = ("subscribe", "publish", "control", "events")
LONG_SECONDS = 300
SLOW_SECONDS = 60
PEER_SECONDS = 12
UNPACED_ROUNDS = 3
UNPACED_SECONDS = 30


@dataclass(frozen=True)
class Clip:
    """A file, and how many frames it has."""

    path: Path
    frames: int


@dataclass
class Found:
    """What one stream's meter saw."""

    frames: int
    milliseconds: list[float] = field(default_factory=list[float])
    first_milliseconds: float = math.nan

    def percentile(self, percent: float) -> float:
        """A percentile of the latencies, in ms."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else math.nan


def live(table: Table) -> None:
    """Live pipelines."""
    with tempfile.TemporaryDirectory() as folder, _trickle() as server:
        clips = _Clips(Path(folder))
        _beside_gateway(table, server, clips)
        _rgb(table, server, clips)
        _slow(table, server, clips)
        _four(table, server, clips)
        _large(table, server, clips)
        _unpaced(table, server, clips)
        _memory(table, server, clips)


def _beside_gateway(table: Table, server: str, clips: "_Clips") -> None:
    table.title("720p30 with audio, nothing changed; the peer is livepeer-gateway 1.0's MediaOutput and MediaPublish")
    clip = clips.make(1280, 720, PEER_SECONDS)
    with _ours("LivePass") as side:
        mine = _stream(server, clip, side)
    other = _peer_stream(server, clip)
    table.at_most("ours, p50 ms", mine.percentile(50), 15)
    table.at_most("ours, p99 ms", mine.percentile(99), 35)
    table.at_most("ours, first byte out after the first byte in, ms", mine.first_milliseconds, 150)
    table.at_least("ours, frames delivered of those sent", mine.frames / clip.frames, 1, f"({mine.frames})")
    table.at_least("p50 of gateway over ours", other.percentile(50) / mine.percentile(50), 5)
    table.say(
        f"gateway: p50 {other.percentile(50):.0f} ms, p99 {other.percentile(99):.0f}, first byte after "
        f"{other.first_milliseconds:.0f}, {other.frames} frames of {clip.frames}"
    )


def _rgb(table: Table, server: str, clips: "_Clips") -> None:
    table.title("720p30 with audio, a numpy hook in rgb24")
    clip = clips.make(1280, 720, PEER_SECONDS)
    with _ours("LiveRgb") as side:
        found = _stream(server, clip, side)
    table.at_most("p50 ms", found.percentile(50), 20)
    table.at_most("p99 ms", found.percentile(99), 40)
    table.at_least("frames delivered of those sent", found.frames / clip.frames, 1, f"({found.frames})")


def _slow(table: Table, server: str, clips: "_Clips") -> None:
    table.title(f"a model that takes 60 ms a frame, 720p30, {SLOW_SECONDS} s")
    clip = clips.make(1280, 720, SLOW_SECONDS)
    with _ours("LiveSlow") as side:
        found = _stream(server, clip, side)
    third = len(found.milliseconds) // 3
    start, end = (statistics.median(part) for part in (found.milliseconds[:third], found.milliseconds[-third:]))
    table.at_most("p99 ms", found.percentile(99), 120)
    table.at_most("median ms of the last third over that of the first", end / start, 1.1)
    table.say(f"p50 {found.percentile(50):.0f} ms; {found.frames} of {clip.frames} frames, the others dropped in time")


def _four(table: Table, server: str, clips: "_Clips") -> None:
    table.title("four sessions of 360p30 at once")
    clip = clips.make(640, 360, PEER_SECONDS)
    with _ours("LiveFour") as side:
        found = _streams(server, clip, side, 4)
    table.at_most("p99 ms, the worst session", max(each.percentile(99) for each in found), 25)
    table.at_least("frames delivered of those sent", sum(each.frames for each in found) / (4 * clip.frames), 1)


def _large(table: Table, server: str, clips: "_Clips") -> None:
    table.title("1080p30 with audio, nothing changed")
    clip = clips.make(1920, 1080, PEER_SECONDS)
    with _ours("LivePass") as side:
        found = _stream(server, clip, side)
    half = len(found.milliseconds) // 2
    table.at_least("frames delivered of those sent", found.frames / clip.frames, 0.99, f"({found.frames})")
    first, last = (statistics.median(part) for part in (found.milliseconds[:half], found.milliseconds[half:]))
    table.at_most("median ms of the second half over that of the first", last / first, 1.2, f"({last:.0f} ms)")


def _unpaced(table: Table, server: str, clips: "_Clips") -> None:
    table.title("as fast as it goes, 720p: decode, hook and encode, over a loop of bare PyAV with the same settings")
    clip = clips.make(1280, 720, UNPACED_SECONDS)
    cpu: list[float] = []
    rate: list[float] = []
    for _ in range(UNPACED_ROUNDS):
        bare = _unpaced_run("bare", str(clip.path))
        ours = _unpaced_run("ours", _make_channel(server), _make_channel(server), str(clip.path))
        cpu.append(ours["cpu_ms"] / bare["cpu_ms"])
        rate.append(ours["frames_a_second"] / bare["frames_a_second"])
        table.say(
            f"CPU {ours['cpu_ms']:.2f} ms a frame beside {bare['cpu_ms']:.2f}; "
            f"{ours['frames_a_second']:.0f} frames/s beside {bare['frames_a_second']:.0f}"
        )
        table.at_least("frames that came out of those sent", ours["frames"] / clip.frames, 1)
    table.at_most("CPU a frame", statistics.median(cpu), 1.05)
    table.at_least("frames a second", statistics.median(rate), 0.95)


def _memory(table: Table, server: str, clips: "_Clips") -> None:
    table.title(f"memory of one 720p session, {LONG_SECONDS} s")
    clip = clips.make(1280, 720, LONG_SECONDS)
    with _ours("LivePass") as side:
        samples: list[float] = []
        with _each_second(lambda: samples.append(_host(side).memory_info().rss / 1e6)):
            found = _stream(server, clip, side)
    tenth = max(1, len(samples) // 10)
    table.at_most("MB of the model's process, the most", max(samples), 95)
    early, late = (statistics.median(part) for part in (samples[tenth : 2 * tenth], samples[-tenth:]))
    table.at_most("at the end over a tenth of the way", late / early, 1.03, f"({late:.0f} MB)")
    table.at_least("frames delivered of those sent", found.frames / clip.frames, 1, f"({found.frames})")


class _Clips:
    """Makes each clip once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[int, int, float], Clip] = {}

    def make(self, width: int, height: int, seconds: float) -> Clip:
        key = (width, height, seconds)
        if key not in self._made:
            path = self._folder / f"{width}x{height}-{seconds}.ts"
            self._made[key] = Clip(path, make_clip(path, width=width, height=height, seconds=seconds))
        return self._made[key]


@contextmanager
def _trickle() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "livepeer.trickle", "serve", "--port", str(port)]
    with started(command, port, {}, ready=lambda _: True, path="/none/next"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _ours(model: str) -> Iterator[Side]:
    port = free_port()
    target = f"{HERE / 'live_models.py'}:{model}"
    command = [sys.executable, "-m", "livepeer.server", target, "--host", "127.0.0.1", "--port", str(port)]
    environment = {"LIVEPEER_CHANNEL_ORIGINS": "*"}
    with started(command, port, environment, ready=lambda body: b'"IDLE"' in body) as side:
        yield side


def _host(side: Side) -> psutil.Process:
    """The process that holds the model: the youngest of the server's."""
    return side.process.children(recursive=True)[-1]


@contextmanager
def _each_second(work: Callable[[], None]) -> Iterator[None]:
    """Have something done each second meanwhile."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(1):
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _stream(server: str, clip: Clip, side: Side) -> Found:
    return _streams(server, clip, side, 1)[0]


def _streams(server: str, clip: Clip, side: Side, count: int) -> list[Found]:
    """Send a clip through so many sessions at once."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(_session(server, side)) for _ in range(count)]
        running = [(_meter(out, clip), _start("live_feeder.py", inward, str(clip.path))) for inward, out in sessions]
        return [_found(meter, feeder) for meter, feeder in running]


@contextmanager
def _session(server: str, side: Side) -> Iterator[tuple[str, str]]:
    """A session with channels of its own: where it reads, and where it writes."""
    urls = {f"{name}_url": _make_channel(server) for name in CHANNELS}
    headers = {"X-Stream-Id": uuid4().hex, "Content-Type": "application/json"}
    _post(side.url("/stream/start"), json.dumps(urls).encode(), headers)
    try:
        yield urls["subscribe_url"], urls["publish_url"]
    finally:
        _post(side.url("/stream/stop"), b"", headers)


def _peer_stream(server: str, clip: Clip) -> Found:
    inward, out = _make_channel(server), _make_channel(server)
    with _start("live_peer.py", inward, out) as peer:
        assert peer.stdout is not None
        peer.stdout.readline()
        meter = _meter(out, clip)
        found = _found(meter, _start("live_feeder.py", inward, str(clip.path)))
        peer.kill()
    return found


def _meter(url: str, clip: Clip) -> "subprocess.Popen[str]":
    return _start("live_meter.py", url, str(clip.frames), "5")


def _found(meter: "subprocess.Popen[str]", feeder: "subprocess.Popen[str]") -> Found:
    sent, came = _result(feeder), _result(meter)
    frames: dict[str, float] = came["frames"]
    late = [(frames[number] - sent[number]) * 1000 for number in frames if int(number) >= RATE and number in sent]
    first = math.nan if came["first"] is None else (came["first"] - min(sent.values())) * 1000
    return Found(frames=len(frames), milliseconds=late, first_milliseconds=first)


def _unpaced_run(kind: str, *arguments: str) -> dict[str, float]:
    return _result(_start("live_unpaced.py", kind, *arguments))


def _start(script: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)


def _result(process: "subprocess.Popen[str]"):
    out, _ = process.communicate(timeout=900)
    if process.returncode:
        raise RuntimeError(f"{process.args} ended with {process.returncode}")
    return json.loads(out)


def _make_channel(server: str) -> str:
    url = f"{server}/{uuid4().hex}"
    _post(url, b"", {"Expect-Content": "video/mp2t"})
    return url


def _post(url: str, body: bytes, headers: dict[str, str]) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST"), timeout=30) as answer:
        answer.read()
