"""The ways to ask for what a caller names."""

import base64
import binascii
import threading
from collections.abc import Callable, Mapping
from typing import BinaryIO, Protocol
from urllib.parse import unquote_to_bytes

from ._terms import Fetched, FetchError, FetchLimits, too_large


class Poster(Protocol):
    """What posts documents to URLs that a caller chose."""

    async def post(self, url: str, document: bytes, *, headers: Mapping[str, str] | None = None) -> int:
        """Post a JSON document; returns the answer's status.

        Raises:
            FetchRefusedError: If the URL or its host's address is refused.
            FetchError: If the network fails.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


def fetch(
    url: str,
    into: BinaryIO,
    *,
    limits: FetchLimits,
    cancelled: Callable[[], bool] | None = None,
    user_agent: str = "livepeer-core",
) -> Fetched:
    """Download `url` into an open file.

    Args:
        url: An http or https URL.
        into: Where the bytes go, as they come. After an error it holds a part, which is worth nothing.
        limits: What the download may cost, and where it may go.
        cancelled: Asked several times a second; once it says True, the download ends.
        user_agent: Who asks.

    Raises:
        FetchError: If the URL, its host's address, the answer or its size is refused, or the network fails.
        CallCancelledError: If it was cancelled.
    """
    from ._download import download

    return download(url, into, limits=limits, cancelled=cancelled or _never, user_agent=user_agent)


async def fetch_async(
    url: str,
    into: BinaryIO,
    *,
    limits: FetchLimits,
    cancelled: Callable[[], bool] | None = None,
    user_agent: str = "livepeer-core",
) -> Fetched:
    """Download `url` without blocking the loop; see `fetch`.

    A task that is cancelled meanwhile leaves once nothing writes to `into` any more.
    """
    import anyio

    left, done = threading.Event(), threading.Event()
    wanted = cancelled or _never

    def work() -> Fetched:
        try:
            return fetch(url, into, limits=limits, cancelled=lambda: left.is_set() or wanted(), user_agent=user_agent)
        finally:
            done.set()

    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        left.set()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(done.wait)
        raise


def read_data_uri(uri: str, *, limits: FetchLimits) -> tuple[bytes, str]:
    """Read a `data:` URI (RFC 2397): its bytes, and its media type without parameters.

    Raises:
        FetchError: If it is no data URI, its base64 is broken, or it is over the size limit.
    """
    head, comma, data = uri.partition(",")
    if not comma or head[:5].lower() != "data:":
        raise FetchError("this is no data: URI")
    media_type, *parameters = head[5:].split(";")
    # A percent escape is three characters for one byte, base64 four for three: cheap to refuse before decoding.
    if len(data) > 3 * limits.most_bytes + 4:
        raise too_large("data:", limits)
    raw = unquote_to_bytes(data)
    if parameters and parameters[-1].strip().lower() == "base64":
        raw = _decode_base64(raw)
    if len(raw) > limits.most_bytes:
        raise too_large("data:", limits)
    return raw, media_type.strip().lower() or "text/plain"


def guarded_poster(*, limits: FetchLimits, headers: Mapping[str, str]) -> Poster:
    """What posts documents, webhooks say, under the same guard as a download.

    Args:
        limits: `seconds` for each request, `allow_private`; redirects are never followed.
        headers: Sent with every request.
    """
    from ._guarded_network import GuardedPoster

    return GuardedPoster(limits=limits, headers=headers)


def _decode_base64(text: bytes) -> bytes:
    text = b"".join(text.split())
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise FetchError("data: the base64 is broken") from None


def _never() -> bool:
    return False
