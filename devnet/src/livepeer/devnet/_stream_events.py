"""The events of a stream: the last status is kept, and silence ends the stream (BYOC contract, section 5)."""

from collections.abc import Callable, Mapping
from time import monotonic

import anyio

from livepeer.trickle import AsyncSubscriber, ChannelNotFoundError, SegmentError, TrickleError

from ._fields import load_object, object_field, text_field
from ._stream_status import StatusStore
from ._timings import Timings


class EventsReader:
    """Reads the events channel, one JSON object a segment.

    Args:
        url: Of the channel.
        statuses: Where status events go.
        stream_id: The stream.
        facts: What is added to each event.
        timings: The durations of the network.
        kick: Takes the stream away from its orchestrator, for a reason.
    """

    def __init__(
        self,
        url: str,
        statuses: StatusStore,
        *,
        stream_id: str,
        facts: Mapping[str, object],
        timings: Timings,
        kick: Callable[[str], None],
    ) -> None:
        self._url = url
        self._statuses = statuses
        self._stream_id = stream_id
        self._facts = facts
        self._timings = timings
        self._kick = kick
        self._last_at = monotonic()

    async def run(self) -> None:
        """Read until the channel ends; go-livepeer does not mind that, and then watches no more."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._wipe)
            async with anyio.create_task_group() as watching:
                watching.start_soon(self._watch)
                await self._read()
                watching.cancel_scope.cancel()

    async def _wipe(self) -> None:
        await anyio.sleep(self._timings.stream_status_seconds)
        self._statuses.clear(self._stream_id)

    async def _watch(self) -> None:
        while True:
            await anyio.sleep(self._timings.stream_event_check_seconds)
            if monotonic() - self._last_at > self._timings.stream_event_gap_seconds:
                self._kick("timeout waiting for events")
                return

    async def _read(self) -> None:
        retry_seconds = self._timings.stream_retry_seconds
        try:
            async with AsyncSubscriber(self._url, start="next", verify=False, retry_seconds=retry_seconds) as segments:
                async for segment in segments:
                    try:
                        self._take(await segment.read())
                    except (SegmentError, ValueError):
                        continue  # It is no event, and silence goes on.
        except ChannelNotFoundError:
            pass
        except TrickleError as error:
            self._kick(f"too many errors reading events; stopping subscription: {error}")

    def _take(self, body: bytes) -> None:
        """Take one event, with or without a wrapper.

        Raises:
            ValueError: It is not one.
        """
        event = load_object(body)
        text_field(event, "queue_event_type")
        event = object_field(event, "event") or event
        self._last_at = monotonic()
        if event.get("type") == "status":
            self._statuses.replace(self._stream_id, {**event, **self._facts})
