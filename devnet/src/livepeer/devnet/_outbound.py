"""The side of a node that calls: a client that behaves as go-livepeer's, and what it sends and gets."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import anyio
import httpx2

EVENT_STREAM = "text/event-stream"


def outbound_client() -> httpx2.AsyncClient:
    """Return a client that behaves as go-livepeer's: no proxies, no verification, redirects followed, no cookies.

    Certificates of the network are self-signed (BYOC contract, section 1).
    """
    client = httpx2.AsyncClient(
        trust_env=False,
        verify=False,
        timeout=None,
        follow_redirects=True,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        # Well under the 5 s after which common Python servers close an idle connection: a call on a dying one
        # would cost the worker its registration.
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2.0),
        headers={"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"},
    )
    del client.headers["Accept"], client.headers["Connection"]
    return client


@asynccontextmanager
async def closing(response: httpx2.Response) -> AsyncGenerator[httpx2.Response]:
    """Close an answer in the end, even while being cancelled."""
    try:
        yield response
    finally:
        with anyio.CancelScope(shield=True):
            await response.aclose()


async def post(
    client: httpx2.AsyncClient, url: str, *, headers: dict[str, str], body: bytes, timeout_seconds: float
) -> httpx2.Response | None:
    """Send a request and return its answer, the body yet unread, or None if none began in time.

    Args:
        client: What sends it.
        url: Where it goes.
        headers: Each value with one character for each byte, as they arrive.
        body: The body.
        timeout_seconds: How long the answer may take to begin.

    Raises:
        httpx2.InvalidURL: The URL cannot be read.
        httpx2.RequestError: The peer cannot be reached, or broke the connection.
    """
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    request = client.build_request("POST", url, headers=sent, content=body)
    with anyio.move_on_after(timeout_seconds):
        return await client.send(request, stream=True)
    return None


def is_event_stream(response: httpx2.Response) -> bool:
    """Whether the answer is relayed line by line (BYOC contract, section 4)."""
    return EVENT_STREAM in response_header(response, "Content-Type")


def response_header(response: httpx2.Response, name: str) -> str:
    """Return the first value of a header of an answer, `""` if absent."""
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for key, value in response.headers.raw if key.lower() == wanted), "")
