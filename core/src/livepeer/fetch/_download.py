"""One download, from the URL to the last byte."""

import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote

import httpcore2
import httpx2

from livepeer.core import BINARY_MEDIA_TYPE

from ._guarded_network import NETWORK_ERRORS, Clock, GuardedBackend, head, parse, target
from ._terms import Fetched, FetchError, FetchLimits, too_large

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_FILENAME_BYTES = 200
_STEP_BYTES = 1024 * 1024


def download(
    url: str, into: BinaryIO, *, limits: FetchLimits, cancelled: Callable[[], bool], user_agent: str
) -> Fetched:
    """Do what `fetch` promises."""
    clock = Clock(limits.seconds, cancelled)
    place = first = parse(url)
    backend = GuardedBackend(clock, allow_private=limits.allow_private)
    with httpcore2.ConnectionPool(network_backend=backend) as pool:
        for _ in range(limits.most_redirects + 1):
            with ExitStack() as stack:
                with _named(place.host):
                    response = stack.enter_context(_ask(pool, place, user_agent))
                headers = httpx2.Headers(response.headers)
                location = headers.get("location")
                if response.status not in _REDIRECTS or location is None:
                    return Fetched(
                        media_type=_media_type(headers),
                        filename=_filename(first),
                        size=_save(response, headers, into, host=place.host, limits=limits),
                    )
                place = parse(str(place.join(location)))
    raise FetchError(f"{first.host}: more than {limits.most_redirects} redirects")


def _ask(
    pool: httpcore2.ConnectionPool, place: httpx2.URL, user_agent: str
) -> AbstractContextManager[httpcore2.Response]:
    headers = [
        *head(place),
        (b"User-Agent", user_agent.encode("latin-1", "replace")),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
    ]
    return pool.stream("GET", target(place), headers=headers)


def _save(
    response: httpcore2.Response, headers: httpx2.Headers, into: BinaryIO, *, host: str, limits: FetchLimits
) -> int:
    if not 200 <= response.status < 300 or response.status == HTTPStatus.PARTIAL_CONTENT:
        raise FetchError(f"{host} answered {_status(response.status)}")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.most_bytes:
        raise too_large(f"{host}: the file", limits)
    size = 0
    for piece in _decoded(_pieces(response, host), headers.get("content-encoding", ""), host):
        size += len(piece)
        if size > limits.most_bytes:
            raise too_large(f"{host}: the file", limits)
        into.write(piece)
    return size


def _pieces(response: httpcore2.Response, host: str) -> Generator[bytes]:
    with _named(host):
        yield from response.iter_stream()


def _decoded(pieces: Iterable[bytes], encoding: str, host: str) -> Generator[bytes]:
    """Unpack in small steps, so that what a small body swells to is counted before it is held."""
    match encoding.strip().lower():
        case "" | "identity":
            yield from pieces
        case "gzip" | "x-gzip" | "deflate":
            try:
                yield from _inflated(pieces)
            except zlib.error:
                raise FetchError(f"{host}: the compressed body is broken") from None
        case other:
            raise FetchError(f"{host}: the body is encoded as {other[:40]!r}")


def _inflated(pieces: Iterable[bytes]) -> Generator[bytes]:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    for piece in pieces:
        while piece:
            if unpacker.eof:
                unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            yield unpacker.decompress(piece, _STEP_BYTES)
            piece = unpacker.unconsumed_tail or unpacker.unused_data
    if not unpacker.eof:
        raise zlib.error("it ends too early")


@contextmanager
def _named(host: str) -> Generator[None]:
    """Say of which host a failure of the network speaks."""
    try:
        yield
    except NETWORK_ERRORS as error:
        raise FetchError(f"{host}: {error or type(error).__name__}") from None


def _media_type(headers: httpx2.Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower() or BINARY_MEDIA_TYPE


def _filename(place: httpx2.URL) -> str:
    name = unquote(place.raw_path.partition(b"?")[0].decode("ascii").rpartition("/")[2])
    name = name.replace("/", "_").replace("\0", "_")
    if name in (".", ".."):
        return ""
    suffix = PurePosixPath(name).suffix[:20]
    room = _MOST_FILENAME_BYTES - len(suffix.encode())
    return name if len(name.encode()) <= _MOST_FILENAME_BYTES else name.encode()[:room].decode(errors="ignore") + suffix


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
