"""A stream at one orchestrator: the gateway's ends of its channels (BYOC contract, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from ._data_ring import DataRing
from ._stream_events import EventsReader
from ._stream_media import InputWriter, OutputReader
from ._stream_messages import ControlWriter, DataReader
from ._stream_status import StatusStore
from ._timings import Timings
from ._ts_input import InputParts
from ._ts_output import OutputBytes


@dataclass(kw_only=True)
class StreamEnds:
    """What callers hold of a stream; it outlives each orchestrator."""

    input: InputParts
    output: OutputBytes
    data: DataRing | None
    """None if the stream has no data."""

    update: bytes | None = None
    """The body of the last update."""


class StreamSession:
    """Reads and writes the channels of a stream until something is amiss, or it is cancelled.

    Args:
        urls: The URLs of the channels by name; control and events are among them.
        ends: What callers hold of the stream.
        stream_id: The stream.
        facts: What is added to each event.
        statuses: Where status events go.
        timings: The durations of the network.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        ends: StreamEnds,
        *,
        stream_id: str,
        facts: Mapping[str, object],
        statuses: StatusStore,
        timings: Timings,
    ) -> None:
        self._reason: str | None = None
        self._kicked = anyio.Event()
        self._works = [
            ControlWriter(urls["control"], ends.update, timings=timings, kick=self.kick).run,
            EventsReader(
                urls["events"], statuses, stream_id=stream_id, facts=facts, timings=timings, kick=self.kick
            ).run,
        ]
        if "input" in urls:
            self._works.append(InputWriter(urls["input"], ends.input, kick=self.kick).run)
        if "output" in urls:
            reader = OutputReader(urls["output"], ends.output, ends.input, timings=timings, kick=self.kick)
            self._works.append(reader.run)
        if "data" in urls and ends.data is not None:
            self._works.append(DataReader(urls["data"], ends.data, timings=timings, kick=self.kick).run)

    def kick(self, reason: str) -> None:
        """Take the stream away from the orchestrator; the first reason counts."""
        if self._reason is None:
            self._reason = reason
            self._kicked.set()

    async def run(self) -> str:
        """Return why the stream is taken away."""
        async with anyio.create_task_group() as tasks:
            for work in self._works:
                tasks.start_soon(work)
            await self._kicked.wait()
            tasks.cancel_scope.cancel()
        return self._reason or ""
