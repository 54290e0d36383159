"""The worker that is judged: where it is, and what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from livepeer.core import LivepeerError


class WorkerError(LivepeerError):
    """Raised when a worker cannot be asked at all."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A running worker, as a caller knows it."""

    url: str
    """Base URL, without a final slash."""

    token: str | None = None
    """The bearer token that its calls need; None if they need none."""

    input: Mapping[str, Any] | None = None
    """A document that the default operation takes; None to make one from the schema's examples and defaults."""

    slow_input: Mapping[str, Any] | None = None
    """One with which the default operation is at work for some seconds; None if there is none."""


class Part(Enum):
    """What a worker, or what is known of it, may have or lack."""

    READY = auto()
    INPUT = auto()
    TEXT = auto()
    SLOW = auto()
    STREAMS = auto()
    WHOLE = auto()
    TOKEN = auto()
    FIELDS = auto()
    REQUIRED = auto()
    CLOSED = auto()
