"""The HTTP clients, which read the trusted certificates when the first ``https`` URL is met.

That takes a tenth of a second, which plain HTTP has no use for.
"""

import ssl
import threading
from functools import cached_property

import httpx2

from ._exchange import Request

# No limit on connections, since each is a job that the network itself bounds. An idle one is dropped before the five
# seconds after which common servers do: a call that meets a server's closing fails, and could not be sent again safely.
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=4.0)
_HEADERS = {"Accept-Encoding": "identity"}

Verify = bool | ssl.SSLContext


def make_client(verify: Verify, connect_timeout_seconds: float) -> httpx2.Client:
    """Make a client for blocking calls."""
    return httpx2.Client(
        transport=httpx2.HTTPTransport(verify=_context(False), limits=_LIMITS, trust_env=False),
        mounts={"https://": _Secure(verify)},
        headers=_HEADERS,
        timeout=httpx2.Timeout(None, connect=connect_timeout_seconds),
        trust_env=False,
    )


def make_async_client(verify: Verify, connect_timeout_seconds: float) -> httpx2.AsyncClient:
    """Make a client for asynchronous calls, all on one event loop."""
    return httpx2.AsyncClient(
        transport=httpx2.AsyncHTTPTransport(verify=_context(False), limits=_LIMITS, trust_env=False),
        mounts={"https://": _AsyncSecure(verify)},
        headers=_HEADERS,
        timeout=httpx2.Timeout(None, connect=connect_timeout_seconds),
        trust_env=False,
    )


def build_request(client: httpx2.Client | httpx2.AsyncClient, request: Request, seconds: float) -> httpx2.Request:
    """Turn a request into the client's own, to be answered within `seconds`."""
    connect_seconds = client.timeout.connect or seconds
    return client.build_request(
        request.method,
        request.url,
        headers=request.headers,
        content=request.body,
        timeout=httpx2.Timeout(seconds, connect=min(seconds, connect_seconds)),
    )


class _Secure(httpx2.BaseTransport):
    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        self._making = threading.Lock()

    @cached_property
    def _transport(self) -> httpx2.HTTPTransport:
        return httpx2.HTTPTransport(verify=_context(self._verify), limits=_LIMITS, trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        with self._making:
            transport = self._transport
        return transport.handle_request(request)

    def close(self) -> None:
        if "_transport" in vars(self):
            self._transport.close()


class _AsyncSecure(httpx2.AsyncBaseTransport):
    def __init__(self, verify: Verify) -> None:
        self._verify = verify

    @cached_property
    def _transport(self) -> httpx2.AsyncHTTPTransport:
        return httpx2.AsyncHTTPTransport(verify=_context(self._verify), limits=_LIMITS, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        if "_transport" in vars(self):
            await self._transport.aclose()


def _context(verify: Verify) -> ssl.SSLContext:
    return httpx2.create_ssl_context(verify, trust_env=False)
