"""Trickle: segments over HTTP, each read while it is still written.

A publisher writes the segments of a channel, and any number of subscribers read them; a JSONL channel has a JSON value
on each line. Each class has a twin for event loops, whose name begins with `Async`. The server is
`livepeer.trickle.server`.
"""

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
from ._jsonl.async_reader import AsyncJSONLReader
from ._jsonl.async_writer import AsyncJSONLWriter
from ._jsonl.reader import JSONLReader
from ._jsonl.state import JSONLReaderStats, JSONLWriterStats
from ._jsonl.writer import JSONLWriter
from ._outcomes import Acknowledged, Gap, Lost, LostReason, Outcome, Refused
from ._publish.async_publisher import AsyncPublisher, AsyncSegmentWriter
from ._publish.publisher import Publisher, SegmentWriter
from ._publish.stats import PublisherStats
from ._subscribe.async_subscriber import AsyncSegmentReader, AsyncSubscriber
from ._subscribe.subscriber import SegmentReader, Subscriber
from ._subscribe.terms import SubscriberStats

__all__ = [
    "Acknowledged",
    "AsyncJSONLReader",
    "AsyncJSONLWriter",
    "AsyncPublisher",
    "AsyncSegmentReader",
    "AsyncSegmentWriter",
    "AsyncSubscriber",
    "ChannelClosedError",
    "ChannelNotFoundError",
    "ClosedError",
    "FellBehindError",
    "Gap",
    "JSONLReader",
    "JSONLReaderStats",
    "JSONLWriter",
    "JSONLWriterStats",
    "LineError",
    "Lost",
    "LostReason",
    "Outcome",
    "ProtocolError",
    "Publisher",
    "PublisherStats",
    "Refused",
    "RefusedError",
    "SegmentError",
    "SegmentInterruptedError",
    "SegmentLostError",
    "SegmentReader",
    "SegmentRefusedError",
    "SegmentWriter",
    "StalledError",
    "Subscriber",
    "SubscriberStats",
    "TrickleError",
    "UnreachableError",
]
