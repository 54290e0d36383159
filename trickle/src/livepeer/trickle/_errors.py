"""Every error of this package.

TrickleError
├── ChannelNotFoundError       the server has no such channel
├── ChannelClosedError         the channel was deleted while it was in use
├── RefusedError               the server answers with an error
├── UnreachableError           no connection could be opened
├── StalledError               the other side stopped reading or answering
├── ProtocolError              the answer is not what the protocol says
├── ClosedError                it was used before its start or after its end; also a ValueError
├── FellBehindError            segments were missed, and the reader asked for all of them
├── LineError                  a line of a JSONL channel is no JSON
└── SegmentError               one segment is at fault; the next may go well
    ├── SegmentLostError           it did not arrive
    ├── SegmentRefusedError        the server did not take it
    └── SegmentInterruptedError    it broke off while it was read
"""

from typing import ClassVar

from ._outcomes import Gap, Lost, Refused


class TrickleError(Exception):
    """What every error of this package descends from."""

    code: ClassVar[str] = "trickle"
    """Which error this is, for programs; it does not change."""

    retryable: ClassVar[bool] = False
    """Whether the same again, later, may go well."""


class ChannelNotFoundError(TrickleError):
    """Raised when the server has no channel of that name, and does not make one."""

    code = "channel_not_found"
    retryable = True

    def __init__(self, url: str) -> None:
        super().__init__(f"there is no channel at {url}; it has to be created first, or has ended")
        self.url = url


class ChannelClosedError(TrickleError):
    """Raised when the channel was deleted while it was in use."""

    code = "channel_closed"

    def __init__(self, url: str) -> None:
        super().__init__(f"the channel at {url} was deleted")
        self.url = url


class RefusedError(TrickleError):
    """Raised when the server answers with an error."""

    code = "refused"

    def __init__(self, detail: str, *, status: int) -> None:
        super().__init__(detail)
        self.status = status
        """The answer's HTTP status."""


class UnreachableError(TrickleError):
    """Raised when no connection to the server could be opened, or the server's certificate is not trusted."""

    code = "unreachable"
    retryable = True


class StalledError(TrickleError):
    """Raised when the other side stopped reading or answering for longer than it may."""

    code = "stalled"
    retryable = True


class ProtocolError(TrickleError):
    """Raised when an answer is not HTTP/1.1, breaks off, or is not what the protocol says."""

    code = "protocol"


class ClosedError(TrickleError, ValueError):
    """Raised when something is used before it was started, or after it was closed or ended."""

    code = "closed"


class FellBehindError(TrickleError):
    """Raised when segments were missed by a reader that asked for all of them."""

    code = "fell_behind"

    def __init__(self, *, gap: Gap) -> None:
        super().__init__(f"segments {gap.first} to {gap.last} had left the server before they were read")
        self.gap = gap


class LineError(TrickleError):
    """Raised when a line of a JSONL channel is no JSON; the lines after it can be read."""

    code = "line"

    def __init__(self, detail: str, *, seq: int, line: bytes) -> None:
        super().__init__(detail)
        self.seq = seq
        """The segment that the line came in."""
        self.line = line
        """The line as it came, without its end."""


class SegmentError(TrickleError):
    """Raised when one segment is at fault; the next may go well."""

    code = "segment"

    def __init__(self, detail: str, *, seq: int) -> None:
        super().__init__(detail)
        self.seq = seq
        """The segment's number."""


class SegmentLostError(SegmentError):
    """Raised when a segment did not arrive at the server, or not as a whole."""

    code = "segment_lost"

    def __init__(self, *, outcome: Lost) -> None:
        super().__init__(f"segment {outcome.seq} was lost: {outcome.detail}", seq=outcome.seq)
        self.outcome = outcome


class SegmentRefusedError(SegmentError):
    """Raised when the server answered a segment with an error."""

    code = "segment_refused"

    def __init__(self, *, outcome: Refused) -> None:
        detail = f"segment {outcome.seq} was refused with status {outcome.status}: {outcome.detail}"
        super().__init__(detail, seq=outcome.seq)
        self.outcome = outcome


class SegmentInterruptedError(SegmentError):
    """Raised when a segment broke off while it was read: what came of it is not all."""

    code = "segment_interrupted"

    def __init__(self, detail: str, *, seq: int, bytes_read: int) -> None:
        super().__init__(detail, seq=seq)
        self.bytes_read = bytes_read
        """How much of it had come."""
