"""What a download may cost, and the ways to ask for one."""

import base64
import binascii
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar
from urllib.parse import unquote_to_bytes

from livepeer.core import InvalidInputError

_Number = TypeVar("_Number", int, float)


class FetchError(InvalidInputError):
    """Raised when what a URL names cannot be had; the message names the host and the reason, never credentials."""

    status, code, title = 422, "fetch_failed", "An input cannot be fetched"


class FetchRefusedError(FetchError):
    """Raised when the guard refuses a URL or the address of its host: trying again changes nothing."""


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """What a download may cost, and where it may go."""

    most_bytes: int = 512 * 1024 * 1024
    """The largest file, counted after decompression."""

    seconds: float = 60.0
    """For the whole download: looking the name up, redirects and the body."""

    allow_private: bool = False
    """Whether loopback, private, link-local, reserved and multicast addresses may be reached."""

    most_redirects: int = 5


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a download brought."""

    media_type: str
    """As the server said it, without parameters; `application/octet-stream` if it said nothing."""

    filename: str
    """The last part of the URL's path, fit for a file's name; may be empty."""

    size: int
    """Bytes that were written."""


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
        raise _too_large("data:", limits)
    raw = unquote_to_bytes(data)
    if parameters and parameters[-1].strip().lower() == "base64":
        raw = _decode_base64(raw)
    if len(raw) > limits.most_bytes:
        raise _too_large("data:", limits)
    return raw, media_type.strip().lower() or "text/plain"


def fetch_limits_from_environment(environ: Mapping[str, str] = os.environ) -> FetchLimits:
    """Limits as `LIVEPEER_FETCH_MOST_BYTES`, `LIVEPEER_FETCH_SECONDS` and `LIVEPEER_FETCH_ALLOW_PRIVATE` set them.

    Raises:
        ValueError: If one of them is set and cannot be read; names it.
    """
    default = FetchLimits()
    return FetchLimits(
        most_bytes=_number(environ, "LIVEPEER_FETCH_MOST_BYTES", int, default.most_bytes),
        seconds=_number(environ, "LIVEPEER_FETCH_SECONDS", float, default.seconds),
        allow_private=_switch(environ, "LIVEPEER_FETCH_ALLOW_PRIVATE"),
    )


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


def _too_large(where: str, limits: FetchLimits) -> FetchError:
    return FetchError(f"{where} is larger than {limits.most_bytes} bytes")


def _never() -> bool:
    return False


def _number(environ: Mapping[str, str], name: str, read: Callable[[str], _Number], default: _Number) -> _Number:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        number = read(text)
    except ValueError:
        raise ValueError(f"{name}={text!r} is no number") from None
    if not number > 0:
        raise ValueError(f"{name}={text!r} must be more than 0")
    return number


def _switch(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name, "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
        return False
    if text in ("1", "true", "yes", "on"):
        return True
    raise ValueError(f"{name}={text!r} is neither true nor false")
