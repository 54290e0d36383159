"""Trickle: segments over HTTP, each read while it is still written."""

from ._errors import (
    ChannelClosedError,
    ChannelNotFoundError,
    ClosedError,
    FellBehindError,
    LineError,
    ProtocolError,
    RefusedError,
    SegmentError,
    SegmentInterruptedError,
    SegmentLostError,
    SegmentRefusedError,
    StalledError,
    TrickleError,
    UnreachableError,
)
from ._outcomes import Acknowledged, Gap, Lost, LostReason, Outcome, Refused

__all__ = [
    "Acknowledged",
    "ChannelClosedError",
    "ChannelNotFoundError",
    "ClosedError",
    "FellBehindError",
    "Gap",
    "LineError",
    "Lost",
    "LostReason",
    "Outcome",
    "ProtocolError",
    "Refused",
    "RefusedError",
    "SegmentError",
    "SegmentInterruptedError",
    "SegmentLostError",
    "SegmentRefusedError",
    "StalledError",
    "TrickleError",
    "UnreachableError",
]
