"""The requests of a publisher: a segment's, and those about one."""

from collections.abc import Mapping

from livepeer.trickle._wire.heads import Answer, RequestHead
from livepeer.trickle._wire.urls import ChannelUrl

from .outbox import Errand

_RESERVED = frozenset({"host", "content-type", "content-length", "transfer-encoding", "connection", "expect"})


class Requests:
    """Makes the requests of a publisher.

    Args:
        url: Of the channel.
        content_type: Of the segments.
        headers: Sent with each request.

    Raises:
        ValueError: A header cannot be sent, or is set by the publisher itself.
    """

    def __init__(self, url: ChannelUrl, content_type: str, headers: Mapping[str, str]) -> None:
        taken = sorted(name for name in headers if name.lower() in _RESERVED)
        if taken:
            raise ValueError(f"the headers {', '.join(taken)} are set by the publisher; give content_type for a type")
        self._url = url
        common = [(b"Host", url.authority), *((name.encode(), value.encode()) for name, value in headers.items())]
        post = [*common, (b"Content-Type", content_type.encode()), (b"Transfer-Encoding", b"chunked")]
        self._post = RequestHead(b"POST", post)
        self._first_post = RequestHead(b"POST", [*post, (b"Lp-Trickle-Reset", b"1")])
        self._get = RequestHead(b"GET", common)
        self._delete = RequestHead(b"DELETE", common)

    def post(self, seq: int, *, first: bool) -> Answer:
        """Return the request that carries a segment.

        Args:
            seq: The segment.
            first: Whether it is a publisher's first, which ends what an earlier one left open
                (trickle, table 1, row 29).
        """
        return (self._first_post if first else self._post).to(self._url.segment(seq))

    def errand(self, errand: Errand) -> Answer:
        """Return the request of an errand."""
        if errand.kind == "check":
            return self._get.to(self._url.next_target)
        if errand.kind == "find":
            return self._get.to(self._url.segment(errand.seq))
        return self._delete.to(self._url.segment(errand.seq))
