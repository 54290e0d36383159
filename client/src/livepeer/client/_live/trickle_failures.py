"""This package's errors out of trickle's."""

from collections.abc import Generator
from contextlib import contextmanager

from livepeer.client._errors import (
    DisconnectedError,
    LivepeerError,
    ProtocolError,
    RefusedError,
    StreamOverError,
    TimedOutError,
    UnreachableError,
)
from livepeer.trickle import (
    ChannelClosedError,
    ChannelNotFoundError,
    ClosedError,
    StalledError,
    TrickleError,
)
from livepeer.trickle import ProtocolError as TrickleProtocolError
from livepeer.trickle import RefusedError as TrickleRefusedError
from livepeer.trickle import UnreachableError as TrickleUnreachableError


@contextmanager
def trickle_errors() -> Generator[None]:
    """Raise what goes wrong on a channel as this package's errors."""
    try:
        yield
    except TrickleError as error:
        raise _error_of(error) from error


def _error_of(error: TrickleError) -> LivepeerError:
    match error:
        case ChannelClosedError() | ChannelNotFoundError() | ClosedError():
            return StreamOverError("the stream is over")
        case TrickleUnreachableError():
            return UnreachableError(str(error))
        case StalledError():
            return TimedOutError(str(error))
        case TrickleRefusedError():
            return RefusedError(str(error), status=error.status)
        case TrickleProtocolError():
            return ProtocolError(str(error))
        case _:
            return DisconnectedError(str(error))
