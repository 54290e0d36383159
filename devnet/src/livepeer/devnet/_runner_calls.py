"""Calls to live runners: one at a time, in a reserved session, or by a secret URL (Live Runner, contract section 7)."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import httpx2
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from ._inbound import RefusedError
from ._reservations import Reservations
from ._runner_proxy import Forwarding, clean_path, forward, session_headers, worker_url
from ._runner_sessions import Session
from ._runners import Runner, RunnerRegistry
from ._websocket_relay import relay_websocket

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


class RunnerCalls:
    """The routes that lead to workers, with any method and WebSocket alike."""

    client: httpx2.AsyncClient

    def __init__(self, registry: RunnerRegistry, reservations: Reservations) -> None:
        self._registry = registry
        self._reservations = reservations
        self.routes: list[BaseRoute] = [
            *_any("/apps/{route}/app", _Endpoint(_add_slash)),
            *_any("/apps/{route}/app/{app_path:path}", _Endpoint(self._single_shot)),
            *_any("/apps/{route}/session/{session_id}/app", _Endpoint(_add_slash)),
            *_any("/apps/{route}/session/{session_id}/app/{app_path:path}", _Endpoint(self._in_session)),
            *_any("/run/{proxy_id}", _Endpoint(self._by_secret)),
            *_any("/run/{proxy_id}/{app_path:path}", _Endpoint(self._by_secret)),
        ]

    async def _single_shot(self, scope: Scope, receive: Receive, send: Send) -> None:
        runner = self._registry.find_ready(scope["path_params"]["route"])
        if runner.record.mode != "single-shot":
            raise RefusedError("runner is not single-shot", 400)
        session = self._reservations.reserve(runner, HTTPConnection(scope))
        try:
            await self._pass(runner, session, runner.record.runner_url, scope, receive, send)
        finally:
            self._registry.release(runner, session)

    async def _in_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        params = scope["path_params"]
        runner, session = self._registry.find_session(params["route"], params["session_id"])
        await self._pass(runner, session, runner.record.runner_url, scope, receive, send)

    async def _by_secret(self, scope: Scope, receive: Receive, send: Send) -> None:
        params = scope["path_params"]
        runner, session = self._registry.find_proxy(params["proxy_id"])
        if session is not None:
            await self._pass(runner, session, session.proxies[params["proxy_id"]], scope, receive, send)
        elif params.get("app_path"):
            await self._single_shot({**scope, "path_params": params | {"route": runner.record.route}}, receive, send)
        else:
            await _redirect(f"/apps/{runner.path}/app/", scope, receive, send)

    async def _pass(
        self, runner: Runner, session: Session, endpoint: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        is_single_shot = runner.record.mode == "single-shot"
        forwarding = Forwarding(
            url=worker_url(endpoint, scope["path_params"].get("app_path", ""), scope["query_string"]),
            headers=session_headers(
                route=runner.record.route,
                session_id=session.id,
                token=runner.session_token(session.id),
                control_url=f"{runner.base_url or session.public_url}/runner/{runner.path}/session/{session.id}",
            ),
            unpaid=session.unpaid,
            ended=lambda: self._registry.release(runner, session) if is_single_shot else None,
        )
        if scope["type"] == "websocket":
            await relay_websocket(forwarding, scope, receive, send)
        else:
            await forward(self.client, forwarding, scope, receive, send)


class _Endpoint:
    """A handler as an ASGI application, which Starlette routes whatever the method."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            path = clean_path(scope)
            if path is not None and not path.startswith("/run/"):
                await _redirect(path, scope, receive, send)
            else:
                await self._handle(scope, receive, send)
        except RefusedError as error:
            await error.response()(scope, receive, send)


def _any(path: str, endpoint: _Endpoint) -> list[BaseRoute]:
    return [Route(path, endpoint), WebSocketRoute(path, endpoint)]


async def _add_slash(scope: Scope, receive: Receive, send: Send) -> None:
    await _redirect(quote(scope["path"]) + "/", scope, receive, send)


async def _redirect(path: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as Go's router does; a client turns a POST into a GET there, and its body is lost."""
    query = scope["query_string"].decode("latin-1")
    location = f"{path}?{query}" if query else path
    await Response(status_code=301, headers={"Location": location})(scope, receive, send)
