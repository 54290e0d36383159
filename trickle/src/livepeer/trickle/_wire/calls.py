"""The one-shot requests about a channel: make it, end it, and ask which segment is next (trickle, table 1)."""

import ssl
from collections.abc import Mapping
from types import TracebackType

import httpx2

from livepeer.trickle._errors import ChannelNotFoundError, ProtocolError, RefusedError, TrickleError, UnreachableError

from .connecting import tls_context
from .urls import ChannelUrl

_DETAIL_CHARACTERS = 200
_SEQ_DIGITS = 18


class _Requests:
    """What both flavours ask, and how they read the answers."""

    def __init__(self, url: ChannelUrl) -> None:
        self._url = url

    def _create(self, content_type: str) -> tuple[str, str, dict[str, str]]:
        return "POST", self._url.url, {"Expect-Content": content_type}

    def _delete(self) -> tuple[str, str, dict[str, str]]:
        return "DELETE", self._url.url, {}

    def _delete_segment(self, seq: int) -> tuple[str, str, dict[str, str]]:
        return "DELETE", self._url.segment_url(seq), {}

    def _next(self) -> tuple[str, str, dict[str, str]]:
        return "GET", self._url.next_url, {}

    def _check(self, answer: httpx2.Response) -> None:
        if answer.is_success:
            return
        if answer.status_code == 404:
            raise ChannelNotFoundError(self._url.text)
        detail = answer.text.strip()[:_DETAIL_CHARACTERS] or answer.reason_phrase
        raise RefusedError(f"{self._url.text} answers {answer.status_code}: {detail}", status=answer.status_code)

    def _read_next(self, answer: httpx2.Response) -> int:
        text = answer.headers.get("Lp-Trickle-Latest", answer.text.strip())
        if not (text.isascii() and text.isdigit() and len(text) <= _SEQ_DIGITS):
            raise ProtocolError(f"{self._url.next_url} answers {text[:40]!r} instead of a segment's number")
        return int(text)

    def _failure(self, error: httpx2.HTTPError) -> TrickleError:
        if isinstance(error, httpx2.RemoteProtocolError):
            return ProtocolError(f"{self._url.text} does not answer in HTTP: {error}")
        return UnreachableError(f"{self._url.text} cannot be reached: {str(error) or type(error).__name__}")


class ChannelCalls(_Requests):
    """The requests, waiting on the caller's thread.

    Every one raises ChannelNotFoundError when the server has no such channel, RefusedError when it answers with another
    error, UnreachableError when it does not answer in time, and ProtocolError when it answers with something else.

    Args:
        url: Of the channel.
        headers: Sent with each request.
        verify: Whether the server's certificate is checked.
        ssl_context: What checks it, instead of the system's authorities.
        timeout_seconds: How long each may take to connect, and to answer.
    """

    def __init__(
        self,
        url: ChannelUrl,
        *,
        headers: Mapping[str, str] | None = None,
        verify: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        super().__init__(url)
        tls = (ssl_context or tls_context(verify=verify)) if url.secure else False
        self._http = httpx2.Client(headers=headers, verify=tls, timeout=timeout_seconds, trust_env=False)

    def create(self, content_type: str) -> None:
        """Make the channel; one that is there stays as it is (trickle, table 1, rows 1 and 2)."""
        self._ask(*self._create(content_type))

    def delete(self) -> None:
        """End the channel (trickle, table 1, row 32)."""
        self._ask(*self._delete())

    def delete_segment(self, seq: int) -> None:
        """End a segment for its readers (trickle, table 1, row 30)."""
        self._ask(*self._delete_segment(seq))

    def next(self) -> int:
        """Return the number of the next segment (trickle, table 1, row 4)."""
        return self._read_next(self._ask(*self._next()))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, method: str, url: str, headers: dict[str, str]) -> httpx2.Response:
        try:
            answer = self._http.request(method, url, headers=headers)
        except httpx2.HTTPError as error:
            raise self._failure(error) from error
        self._check(answer)
        return answer

    def __enter__(self) -> "ChannelCalls":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncChannelCalls(_Requests):
    """The requests, waiting in the running event loop; the same otherwise."""

    def __init__(
        self,
        url: ChannelUrl,
        *,
        headers: Mapping[str, str] | None = None,
        verify: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        super().__init__(url)
        tls = (ssl_context or tls_context(verify=verify)) if url.secure else False
        self._http = httpx2.AsyncClient(headers=headers, verify=tls, timeout=timeout_seconds, trust_env=False)

    async def create(self, content_type: str) -> None:
        """Make the channel; one that is there stays as it is (trickle, table 1, rows 1 and 2)."""
        await self._ask(*self._create(content_type))

    async def delete(self) -> None:
        """End the channel (trickle, table 1, row 32)."""
        await self._ask(*self._delete())

    async def delete_segment(self, seq: int) -> None:
        """End a segment for its readers (trickle, table 1, row 30)."""
        await self._ask(*self._delete_segment(seq))

    async def next(self) -> int:
        """Return the number of the next segment (trickle, table 1, row 4)."""
        return self._read_next(await self._ask(*self._next()))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(self, method: str, url: str, headers: dict[str, str]) -> httpx2.Response:
        try:
            answer = await self._http.request(method, url, headers=headers)
        except httpx2.HTTPError as error:
            raise self._failure(error) from error
        self._check(answer)
        return answer

    async def __aenter__(self) -> "AsyncChannelCalls":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
