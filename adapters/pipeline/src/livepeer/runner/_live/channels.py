"""The channels beside the media's: events and data out, control in (contract, section 5)."""

from collections.abc import Callable
from contextlib import suppress

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from livepeer.core import CallError, ModelRefusedError
from livepeer.trickle import AsyncJSONLReader, AsyncJSONLWriter, AsyncPublisher, SegmentError, TrickleError

from .outbox import Outbox

_KEEPALIVE_SECONDS = 60.0
"""Servers delete a channel that is silent for minutes, and callers get each of these lines."""


def channel_error(channel: str, error: Exception) -> CallError:
    """Why a session does not start whose channel cannot be used."""
    return ModelRefusedError(f"the channel for {channel} cannot be used: {error}", status=502)


async def send_events(
    url: str,
    outbox: Outbox[bytes],
    *,
    verify: bool,
    on_failure: Callable[[TrickleError], None],
    task_status: TaskStatus[None] = TASK_STATUS_IGNORED,
) -> None:
    """Send events, each a segment of its own, until the outbox is closed and all of them have arrived.

    Args:
        url: Of the channel.
        outbox: Where the events come from, as JSON.
        verify: Whether the server's certificate is checked.
        on_failure: Called with why no more can be sent.
        task_status: Told when the channel is open.

    Raises:
        TrickleError: The channel cannot be opened.
    """
    async with AsyncPublisher(
        url, content_type="application/json", create=False, delete=False, verify=verify, overflow="drop_oldest"
    ) as publisher:
        task_status.started()
        try:
            async for events in outbox:
                for event in events:
                    with suppress(SegmentError):  # It is lost, and logged; the next may go well.
                        await publisher.publish(event)
        except TrickleError as error:
            on_failure(error)


async def send_data(
    url: str,
    outbox: Outbox[bytes],
    *,
    verify: bool,
    on_failure: Callable[[TrickleError], None],
    task_status: TaskStatus[None] = TASK_STATUS_IGNORED,
) -> None:
    """Send lines of data, otherwise as `send_events` does."""
    async with AsyncJSONLWriter(
        url, create=False, delete=False, verify=verify, overflow="drop_oldest", keepalive_seconds=_KEEPALIVE_SECONDS
    ) as writer:
        task_status.started()
        try:
            async for lines in outbox:
                for line in lines:
                    with suppress(SegmentError):
                        await writer.write(line)
        except TrickleError as error:
            on_failure(error)


def control_reader(url: str, *, verify: bool) -> AsyncJSONLReader:
    """Reads the caller's messages, without the gateway's keepalives.

    From the first on: the channel was made for this session, and what came while it started is its own.

    Raises:
        ValueError: The URL is none.
    """
    return AsyncJSONLReader(url, start="earliest", verify=verify)
