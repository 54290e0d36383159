"""What both flavours of subscriber have in common: their arguments, and what they know."""

import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping

from livepeer.trickle._wire.connecting import Transport
from livepeer.trickle._wire.urls import ChannelUrl

from .fetches import Fetches
from .search import Search
from .sequence import Lag, Progress, Start
from .subscription import Subscription
from .terms import Limits, SubscriberStats


class BaseSubscriber(ABC):
    """Reads a channel, segment by segment, each while it is still written.

        async with AsyncSubscriber(url) as subscriber:
            async for segment in subscriber:
                async for part in segment:
                    ...

    The iteration ends when the channel has ended, and raises when it cannot go on: ChannelNotFoundError,
    UnreachableError, RefusedError, ProtocolError, FellBehindError. A segment that breaks off raises
    SegmentInterruptedError from its own iteration; the next one can be read all the same. Whoever goes on to the next
    segment skips what is left of this one.

    A cancelled call has taken nothing: what it waited for comes with the next one. Another task may `close` it; who
    waits then raises ClosedError.

    Args:
        url: Of the channel.
        start: Where to begin: at a number, at the `current` segment, which is the newest, at the `next` one, or at the
            `earliest` that the server still has.
        lag: Where to go on when the segment that is due has left the server: at the `latest` one, at the `earliest`
            that is left, or nowhere (`fail`). What was missed is the next segment's `gap`.
        headers: Sent with each request.
        verify: Whether the server's certificate is checked.
        ssl_context: What checks it, instead of the system's authorities.
        max_buffered_bytes: How much is kept in memory, give or take what one read brings (256 KiB). What comes beyond
            stays in the network.
        refresh_seconds: How long a silent channel is waited at before it is asked again.
        connect_seconds: How long the opening of a connection may take.
        retry_seconds: How long the server may be out of reach before UnreachableError is raised; at the start not at
            all, unless `wait_seconds` bears with a channel that is not there yet.
        wait_seconds: How long the channel may be absent before ChannelNotFoundError is raised: at the start, and after
            it was lost together with its server.
        abandon_seconds: How long a segment may be silent once the channel has gone on without it, and how long one of
            its readers waits for another that nobody is reading.

    Raises:
        ValueError: An argument cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        start: Start = "current",
        lag: Lag = "latest",
        headers: Mapping[str, str] | None = None,
        verify: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        max_buffered_bytes: int = 1 << 20,
        refresh_seconds: float = 20.0,
        connect_seconds: float = 5.0,
        retry_seconds: float = 30.0,
        wait_seconds: float = 0.0,
        abandon_seconds: float = 5.0,
    ) -> None:
        where = ChannelUrl.parse(url)
        limits = Limits(
            max_buffered_bytes=max_buffered_bytes,
            refresh_seconds=refresh_seconds,
            retry_seconds=retry_seconds,
            wait_seconds=wait_seconds,
            abandon_seconds=abandon_seconds,
        )
        search = Search(
            where,
            fetches=Fetches(where, headers or {}),
            progress=Progress(start=start, lag=lag),
            limits=limits,
        )
        self._subscription = Subscription(search, limits)
        transport = Transport(where, verify=verify, ssl_context=ssl_context, connect_seconds=connect_seconds)
        self._set_up(transport, idle_seconds=abandon_seconds)

    @property
    def stats(self) -> SubscriberStats:
        """What it has done so far."""
        return self._subscription.stats

    @property
    def latest(self) -> int | None:
        """The number of the newest segment that is known to have begun."""
        return self._subscription.latest

    @abstractmethod
    def _set_up(self, transport: Transport, *, idle_seconds: float) -> None: ...
