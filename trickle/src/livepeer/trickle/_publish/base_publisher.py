"""What both flavours of publisher have in common: their arguments, and what can be written."""

import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._wire.chunks import Buffer

from .outbox import Overflow
from .settings import PublisherSettings

MIB = 1024 * 1024


class BasePublisher(ABC):
    """Publishes segments to a channel, each sent while it is written.

    The head of the next segment is on the wire before the current one ends, so that its first byte finds the way open,
    and so that a channel that was deleted is noticed. At most three segments wait for their acknowledgements.

    Every segment ends as `Acknowledged`, `Lost` or `Refused`. A loss is logged, as a warning unless the caller aborted
    the segment or was cancelled, given to `on_outcome`, and raised from the segment's next `write` or `end`; the next
    segment may go well. A publisher whose channel is gone, or whose server stays away, raises that from every call.

    A server that restarts is waited for. Segments that it has forgotten are sent again with new numbers, if they are no
    longer than a quarter of `max_buffered_bytes`.

    Args:
        url: Of the channel.
        content_type: Of the channel and its segments.
        headers: Sent with each request.
        create: Whether to create the channel, at the start and when a server has forgotten it.
        delete: Whether to delete the channel at the close.
        verify: Whether the server's certificate is checked.
        ssl_context: What checks it, instead of the system's authorities.
        max_buffered_bytes: How much may wait for the network, over all segments.
        overflow: What happens when more is written: `wait` until there is room, or `drop_oldest`, which never waits:
            segments that have not begun are dropped, oldest first, and then those that are half sent. A single write
            has to be shorter than `max_buffered_bytes` for that.
        stall_seconds: How long the server may neither read nor answer; silence on our side does not count.
        connect_seconds: How long the opening of a connection may take.
        restart_seconds: How long the server may be away.
        on_outcome: Called with each segment's outcome; it must not call the publisher.

    Raises:
        ValueError: An argument is none; says what to change.
    """

    def __init__(
        self,
        url: str,
        *,
        content_type: str = "video/mp2t",
        headers: Mapping[str, str] | None = None,
        create: bool = True,
        delete: bool = True,
        verify: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        max_buffered_bytes: int = MIB,
        overflow: Overflow = "wait",
        stall_seconds: float = 10.0,
        connect_seconds: float = 5.0,
        restart_seconds: float = 30.0,
        on_outcome: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._set_up(
            PublisherSettings(
                url=url,
                content_type=content_type,
                headers=headers,
                create=create,
                delete=delete,
                verify=verify,
                ssl_context=ssl_context,
                max_buffered_bytes=max_buffered_bytes,
                overflow=overflow,
                stall_seconds=stall_seconds,
                connect_seconds=connect_seconds,
                restart_seconds=restart_seconds,
                on_outcome=on_outcome,
            )
        )

    @abstractmethod
    def _set_up(self, settings: PublisherSettings) -> None: ...


def to_bytes(data: Buffer) -> bytes:
    """Return bytes that do not change after the call.

    Raises:
        TypeError: They are no bytes.
    """
    return data if isinstance(data, bytes) else bytes(memoryview(data))


def to_some_bytes(data: Buffer) -> bytes:
    """Return bytes that do not change after the call, and are not none.

    Raises:
        TypeError: They are no bytes.
        ValueError: There are none.
    """
    taken = to_bytes(data)
    if not taken:
        raise ValueError("a write has at least one byte; a segment ends with end()")
    return taken
