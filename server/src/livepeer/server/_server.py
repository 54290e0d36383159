"""The edge: one ASGI application over one worker."""

import asyncio
import contextlib
import hmac
import itertools
import logging
import secrets
from collections.abc import Callable
from typing import Any

import anyio

from livepeer.core import CallCancelledError, CallError, NotReadyError, Registrar, UnauthorizedError

from ._documents import Documents
from ._lifecycle import Lifecycle
from ._live_sessions import LiveSessions
from ._mount import MountRoute, MountTable
from ._options import ServerOptions
from ._predict import OperationRoute
from ._responses import (
    Headers,
    MethodNotAllowedError,
    NotFoundError,
    Receive,
    Route,
    Scope,
    Send,
    header,
    send_problem,
    send_whole,
)
from ._schema import to_json
from ._shared_files import SharedFiles
from ._watchtower import Watchtower
from ._worker import Worker, WorkerState

logger = logging.getLogger("livepeer.server")

_ALIASES = ("", "/run", "/predict")
"""Where callers in the field look for the default operation (BYOC contract, section 8)."""

_JSON = b"application/json"
_READ = "GET, HEAD"
_OPERATOR_ROUTES = ("/metrics", "/hardware/info")
_OWN_FOLDERS = ("/docs", "/stream")
"""Paths that are the contract's own with all that is below them."""
_ALWAYS_TAKEN = "/stream/stop"
"""What does not run needs no stopping, whatever the model does meanwhile."""
_MAX_REQUEST_ID_LENGTH = 128


class Server:
    """Serves a worker over the Livepeer worker contract; an ASGI 3 application with a lifespan.

    Args:
        worker: What holds the model. Started and stopped with the application.
        options: How to serve.
        registrar: Announces the capability; None for none.
    """

    def __init__(
        self,
        worker: Worker,
        *,
        options: ServerOptions | None = None,
        registrar: Callable[[Lifecycle], Registrar] | None = None,
    ) -> None:
        self._options = options or ServerOptions()
        self.lifecycle = Lifecycle(worker, self._options)
        self._registrar = registrar(self.lifecycle) if registrar is not None else None
        self.documents = documents = Documents(self.lifecycle, self._options, self._registrar)
        self._documents: dict[str, Callable[[], dict[str, Any]]] = {
            "": documents.discovery,
            "/health": documents.health,
            "/healthz": documents.health,
            "/schema": documents.schema,
            "/capabilities": documents.capabilities,
            "/openapi.json": documents.openapi,
            "/version": documents.version,
        }
        self._watchtower = Watchtower(worker, self._options)
        self._files = SharedFiles()
        self._sessions = LiveSessions(self.lifecycle)
        self._routes: dict[str, Route] = {}
        self._mounts = MountTable()
        self._routed_for: object = None
        self._expected_token = b"Bearer " + self._options.token.encode() if self._options.token else None
        self._request_ids = itertools.count(1)
        self._request_id_prefix = secrets.token_hex(6)
        self._registering: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self.lifecycle.listen(self._on_change)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        request_id = self._request_id(scope)
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send, request_id)
            return
        try:
            if self._mounts and (mount := self._mount(scope)) is not None:
                await mount(scope, receive, send, request_id)
            elif scope["method"] == "POST":
                await self._route(scope)(scope, receive, send, request_id)
            else:
                await self._get(scope, send)
        except CallCancelledError:
            pass  # nobody is there to answer
        except CallError as error:
            headers: Headers = [(b"x-request-id", request_id.encode("latin-1"))]
            if isinstance(error, UnauthorizedError):
                headers.append((b"www-authenticate", b"Bearer"))
            if isinstance(error, MethodNotAllowedError):
                headers.append((b"allow", error.allowed.encode()))
            await send_problem(send, error, request_id=request_id, headers=headers)

    @property
    def takes_websockets(self) -> bool:
        """Whether any route may be a WebSocket's."""
        return bool(self._mounts)

    async def start(self) -> None:
        """Begin to load the model and to announce it. The lifespan does this."""
        await self.lifecycle.start()
        if self._registrar is not None:
            self._registering = asyncio.create_task(self._registrar.keep(), name="livepeer-registrar")

    async def stop(self) -> None:
        """Withdraw, refuse new work, drain, tear the model down. The lifespan does this; once is enough."""
        await self.withdraw()
        # They have no end of their own that could be waited for.
        await self._sessions.stop_all("the server is shutting down")
        with anyio.move_on_after(self._options.drain_seconds):
            while self.lifecycle.running:
                self._idle.clear()
                await self._idle.wait()
        await self.lifecycle.worker.stop(grace_seconds=self._options.stuck_seconds)
        self._files.close()

    async def withdraw(self) -> None:
        """Take the announcement back, and refuse new work from now on."""
        self.lifecycle.draining = True
        if self._registering is not None and self._registrar is not None:
            registering, self._registering = self._registering, None
            registering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await registering
            await self._registrar.withdraw()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        from ._mount_websocket import deny_websocket, serve_websocket  # lazily: most servers have none

        try:
            mount = self._mount(scope)
            if mount is None:
                raise NotFoundError(f"there is no WebSocket at {scope['path']}")
            await serve_websocket(mount, scope, receive, send, request_id)
        except CallError as error:
            await deny_websocket(scope, send, error, request_id=request_id)

    def _mount(self, scope: Scope) -> MountRoute | None:
        """The mount whose request this is; None if it is the contract's, or nobody's.

        Raises:
            UnauthorizedError: If the token is missing or wrong.
            NotReadyError: If the mount's requests cannot be taken now.
        """
        mount = None if self._is_own(scope) else self._mounts.find(scope["path"])
        if mount is not None:
            self._check_token(scope)
            if self.lifecycle.draining or not (mount.mount.apart or self.lifecycle.ready):
                raise self._not_ready()
        return mount

    def _is_own(self, scope: Scope) -> bool:
        path: str = scope["path"].rstrip("/")
        if path in self._documents:
            return True
        if path in self._routes:
            return scope.get("method", "POST") == "POST" or not self._mounts.names(path)
        if self._options.operator_routes and path in _OPERATOR_ROUTES:
            return True
        return any(path == folder or path.startswith(f"{folder}/") for folder in _OWN_FOLDERS)

    def _check_token(self, scope: Scope) -> None:
        if (
            self._expected_token is not None
            and self.documents.needs_token
            and not hmac.compare_digest(header(scope, b"authorization"), self._expected_token)
        ):
            raise UnauthorizedError("send the capability's bearer token")

    def _route(self, scope: Scope) -> Route:
        self._check_token(scope)
        route = self._routes.get(scope["path"].rstrip("/"))
        if route is None:
            self._refuse_unrouted(scope)
            raise self._not_ready()
        if not self.lifecycle.ready and scope["path"].rstrip("/") != _ALWAYS_TAKEN:
            raise self._not_ready()
        return route

    def _refuse_unrouted(self, scope: Scope) -> None:
        path: str = scope["path"].rstrip("/")
        if path and (path in self._documents or path.startswith("/docs")):
            raise MethodNotAllowedError(path, _READ)
        if self.lifecycle.description is not None:
            raise NotFoundError(f"there is no operation at {path or '/'}")

    def _not_ready(self) -> NotReadyError:
        if self.lifecycle.draining:
            return NotReadyError("the server is shutting down", retry_after_seconds=1)
        worker = self.lifecycle.worker
        if worker.state is WorkerState.FAILED:
            return NotReadyError(f"the model cannot be served: {worker.reason}", retry_after_seconds=10)
        return NotReadyError(worker.reason or "the model is loading", retry_after_seconds=1)

    async def _get(self, scope: Scope, send: Send) -> None:
        path: str = scope["path"].rstrip("/")
        document = await self._answer_document(path)
        if document is None:
            if path in self._routes:
                raise MethodNotAllowedError(path, "POST")
            if self.lifecycle.description is None:
                raise self._not_ready()
            raise NotFoundError(f"there is nothing at {path}")
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowedError(path, f"{_READ}, POST" if path in self._routes else _READ)
        status, media_type, body = document
        await send_whole(send, status, media_type, b"" if scope["method"] == "HEAD" else body)

    async def _answer_document(self, path: str) -> tuple[int, bytes, bytes] | None:
        """Status, media type and body of what a GET route says; None if there is no such route."""
        documents = self.documents
        if path == "/docs":
            return 200, b"text/html; charset=utf-8", documents.docs_page()
        if path.startswith("/docs/"):
            asset = documents.docs_asset(path.removeprefix("/docs/"))
            return None if asset is None else (200, asset[1], asset[0])
        if path == "/metrics" and self._options.operator_routes:
            return 200, b"text/plain; version=0.0.4; charset=utf-8", documents.metrics()
        if path == "/hardware/info" and self._options.operator_routes:
            return 200, _JSON, to_json(await documents.hardware())
        if path not in self._documents:
            return None
        status = 503 if path == "/healthz" and not self.lifecycle.ready else 200
        return status, _JSON, to_json(self._documents[path]())

    def _on_change(self) -> None:
        if not self.lifecycle.running:
            self._idle.set()
        description = self.lifecycle.description
        if description is None or description is self._routed_for:
            return
        self._routed_for = description
        routes: dict[str, Route] = {}
        for index, operation in enumerate(description.operations):
            slots = self.lifecycle.slots[index]
            route = OperationRoute(
                index,
                operation,
                self.lifecycle,
                slots,
                self._options,
                self._watchtower,
                self._files,
                needs_token=lambda: self.documents.needs_token,
            )
            routes[operation.path] = route
            if index == 0:
                for alias in (*_ALIASES, *self._names()):
                    routes.setdefault(alias, route)
        if description.live is not None:
            from ._live_routes import live_routes  # lazily: most servers have none

            routes |= live_routes(
                self._sessions, self.lifecycle, self._options, self._files, networks=lambda: self._networks
            )
        self._routes = routes
        self._mounts = MountTable(
            [
                MountRoute(index, mount, self.lifecycle, needs_token=lambda: self.documents.needs_token)
                for index, mount in enumerate(description.mounts)
            ]
        )

    @property
    def _networks(self) -> frozenset[str]:
        return frozenset() if self._registrar is None else self._registrar.networks

    def _names(self) -> list[str]:
        """The routes that are names: the capability's own, and the one under which it is registered."""
        description = self.lifecycle.description
        own = [description.info.name] if description is not None else []
        registered = [self._registrar.registration.name] if self._registrar is not None else []
        return [f"/{name}" for name in (*own, *registered) if name]

    def _request_id(self, scope: Scope) -> str:
        given = header(scope, b"x-request-id")
        if given and len(given) <= _MAX_REQUEST_ID_LENGTH and given.isascii():
            text = given.decode("ascii")
            if text.isprintable():
                return text
        return f"{self._request_id_prefix}{next(self._request_ids):x}"
