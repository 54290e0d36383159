"""The dashboard: one page that shows what runs on a local network, and calls it."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ._browser_guard import BrowserGuard
from ._inbound import Reply, run_while_connected
from ._outbound import EVENT_STREAM, outbound_client
from ._overview import OrchestratorRecords, Overview
from ._stream_records import StreamRecord

_PAGE = Path(__file__).with_name("dashboard")
_MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Node:
    """Where a gateway, an orchestrator or a signer is."""

    url: str
    """Its base URL, for whoever calls it from elsewhere."""

    app: ASGIApp
    """It, for calls out of the page."""


class Dashboard:
    """The page, the document that it shows, and the way of its calls, as an ASGI application.

    The page is of one origin with all that it asks: calls go to `/gateway/...`, `/orchestrators/{index}/...` and
    `/signer/...` and are handed on as they are, so no node needs to know of browsers.
    """

    def __init__(
        self,
        *,
        gateway: Node,
        orchestrators: Sequence[Node],
        records: Sequence[OrchestratorRecords],
        streams: Callable[[], Mapping[str, StreamRecord]],
        signer: Node | None = None,
    ) -> None:
        """Make a dashboard.

        Args:
            gateway: Who takes BYOC calls.
            orchestrators: Who takes Live Runner calls, in the order of `records`.
            records: What the orchestrators hold.
            streams: Returns the live streams of BYOC by id, as of now.
            signer: Who pays for Live Runner calls, where they are to be paid.
        """
        self._urls = {"gateway_url": gateway.url, "orchestrator_urls": [node.url for node in orchestrators]}
        self._overview = Overview(records, streams=streams, paid=signer is not None)
        nodes = {"gateway": gateway} | {f"orchestrators/{index}": node for index, node in enumerate(orchestrators)}
        if signer is not None:
            nodes["signer"] = signer
        site = Starlette(
            routes=[
                *_page_routes(),
                Route("/api/network", self._network, methods=["GET"]),
                Route("/api/events", _Events(self._document), methods=["GET"]),
                *(Route(f"/{prefix}/{{path:path}}", _HandOn(prefix, node)) for prefix, node in nodes.items()),
            ],
            lifespan=self._lifespan,
        )
        self.app: ASGIApp = BrowserGuard(site)
        """The ASGI application; serve it with its lifespan, in the loop that serves the nodes."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        async with outbound_client() as self._overview.client:
            yield

    async def _network(self, _: Request) -> Response:
        return Response(await self._document(), media_type="application/json")

    async def _document(self) -> bytes:
        return json.dumps({**self._urls, "capabilities": await self._overview.entries()}, default=vars).encode()


class _Events:
    """`/api/events`: the document when the stream begins and whenever it has changed, as server-sent events."""

    def __init__(self, document: Callable[[], Awaitable[bytes]]) -> None:
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = Reply(send)
        reply.headers |= {"Content-Type": EVENT_STREAM, "Cache-Control": "no-cache"}
        await run_while_connected(receive, lambda: self._run(reply))

    async def _run(self, reply: Reply) -> None:
        sent = b""
        while True:
            if (document := await self._document()) != sent:
                await reply.write(b"data: %b\n\n" % document)
                sent = document
            await anyio.sleep(_POLL_SECONDS)


class _HandOn:
    """Hands a request on to a node, under the path that the node knows."""

    def __init__(self, prefix: str, node: Node) -> None:
        self._prefix_bytes = len(f"/{prefix}")
        self._node = node
        self._host = urlsplit(node.url).netloc.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = dict(scope)
        inner["path"] = scope["path"][self._prefix_bytes :]
        inner["raw_path"] = scope["raw_path"][self._prefix_bytes :]
        inner["path_params"] = {}
        # The node builds URLs of its own out of the host that it was asked as.
        inner["headers"] = [(name, self._host if name == b"host" else value) for name, value in scope["headers"]]
        await self._node.app(inner, receive, send)


def _page_routes() -> Iterator[Route]:
    for file in sorted(_PAGE.iterdir()):
        path = "/" if file.name == "index.html" else f"/{file.name}"
        yield Route(path, _File(file), methods=["GET"])


class _File:
    """A file of the page, as an endpoint."""

    def __init__(self, file: Path) -> None:
        self._body = file.read_bytes()
        self._media_type = _MEDIA_TYPES[file.suffix]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = Response(self._body, media_type=self._media_type, headers={"Cache-Control": "no-cache"})
        await response(scope, receive, send)
