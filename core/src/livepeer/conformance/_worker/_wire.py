"""HTTP/1.1 by hand, for what a proper client would never send."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream

_MOST_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""

    body: bytes


class Wire:
    """A connection on which bytes are written as they are.

    Args:
        stream: The connection.
        host: What to say in `Host`.
    """

    def __init__(self, stream: anyio.abc.ByteStream, host: str) -> None:
        self.host = host
        self._stream = stream
        self._reader = BufferedByteReceiveStream(stream)

    async def send(self, data: bytes) -> None:
        """Write."""
        await self._stream.send(data)

    async def answer(self) -> RawAnswer:
        """Read one whole answer.

        Raises:
            ValueError: It is no HTTP/1.1.
            OSError: The connection ended before it did.
        """
        try:
            head = await self._reader.receive_until(b"\r\n\r\n", _MOST_HEAD_BYTES)
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            return RawAnswer(status=int(first.split(" ")[1]), headers=headers, body=await self._body(headers))
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise ConnectionError("the connection ended before the answer did") from error
        except (anyio.DelimiterNotFound, IndexError) as error:
            raise ValueError("the answer is no HTTP") from error

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self._reader.receive_exactly(int(headers.get("content-length", "0")))
        body = b""
        while size := int(await self._reader.receive_until(b"\r\n", _MOST_HEAD_BYTES), 16):
            body += (await self._reader.receive_exactly(size + 2))[:-2]
        await self._reader.receive_until(b"\r\n", _MOST_HEAD_BYTES)
        return body


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Wire]:
    """A connection to a URL's host, closed at the end of the block.

    Raises:
        OSError: It is refused.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    async with await anyio.connect_tcp(
        parts.hostname or "", port, tls=parts.scheme == "https", tls_standard_compatible=False
    ) as stream:
        yield Wire(stream, parts.netloc)
