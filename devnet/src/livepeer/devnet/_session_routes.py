"""Sessions: reserved, paid for and stopped by callers, furnished by runners (Live Runner, contract section 7)."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from livepeer.trickle.server import TrickleServer

from ._fields import as_object, list_field, load_object, text_field
from ._inbound import RefusedError, base_url
from ._reservations import Reservations
from ._runner_routes import channel_card
from ._runner_sessions import Session
from ._runners import Runner, RunnerRegistry

_TOKEN_HEADER = "Livepeer-Session-Token"
_CHANNELS_PER_REQUEST = 25


class SessionRoutes:
    """What callers do with a session: reserve it, pay, stop it."""

    def __init__(self, registry: RunnerRegistry, reservations: Reservations) -> None:
        self._registry = registry
        self._reservations = reservations
        self.routes: list[BaseRoute] = [
            Route("/apps/{route}/session", self._reserve, methods=["POST"]),
            Route("/apps/{route}/session/{session_id}/stop", self._stop, methods=["POST"]),
            Route("/apps/{route}/session/{session_id}/payment", self._pay, methods=["POST"]),
        ]

    async def _reserve(self, request: Request) -> Response:
        runner = self._registry.find_ready(request.path_params["route"])
        if runner.record.mode != "persistent":
            raise RefusedError("only persistent runners have sessions", 400)
        session = self._reservations.reserve(runner, request)
        control_url = f"{base_url(request)}/apps/{runner.path}/session/{session.id}"
        app_url = f"{control_url}/app"
        if runner.record.proxy:
            app_url = f"{base_url(request)}/run/{session.open_proxy(runner.record.runner_url)}"
        return JSONResponse({"session_id": session.id, "app_url": app_url, "control_url": control_url})

    async def _stop(self, request: Request) -> Response:
        runner = self._registry.find(request.path_params["route"])
        session = runner.sessions.get(request.path_params["session_id"])
        if session is not None:
            self._registry.release(runner, session)
        return Response(status_code=204)

    async def _pay(self, request: Request) -> Response:
        _, session = self._registry.find_session(request.path_params["route"], request.path_params["session_id"])
        return JSONResponse({"info": self._reservations.pay(session, request)})


class CallbackRoutes:
    """What a runner does with its sessions, by the token that came with their calls."""

    def __init__(self, registry: RunnerRegistry, trickle: TrickleServer) -> None:
        self._registry = registry
        self._trickle = trickle
        path = "/runner/{route}/session/{session_id}"
        self.routes: list[BaseRoute] = [
            Route(f"{path}/channels", self._open_channels, methods=["POST"]),
            Route(f"{path}/channels", self._close_channels, methods=["DELETE"]),
            Route(f"{path}/proxy", self._open_proxy, methods=["POST"]),
            Route(f"{path}/stop", self._stop, methods=["POST"]),
        ]

    async def _open_channels(self, request: Request) -> Response:
        _, session = self._authorized(request)
        cards: list[dict[str, object]] = []
        for name, mime_type in _wanted_channels(await request.body()):
            channel = session.open_channel(self._trickle, name, mime_type)
            plain_name = channel.name.removeprefix(f"{session.id}-")
            cards.append(channel_card(plain_name, channel, session.public_url, base_url(request)))
        return JSONResponse({"channels": cards})

    async def _close_channels(self, request: Request) -> Response:
        _, session = self._authorized(request)
        names = _unwanted_channels(await request.body())
        for name in names:
            session.close_channel(self._trickle, name)
        return JSONResponse({"deleted": names})

    async def _open_proxy(self, request: Request) -> Response:
        runner, session = self._authorized(request)
        body = await request.body()
        try:
            target_url = text_field(load_object(body), "target_url") if body.strip() else ""
        except ValueError as error:
            raise RefusedError(str(error), 400) from None
        proxy_id = session.open_proxy(runner.record.runner_url, target_url)
        return JSONResponse({"proxy_id": proxy_id, "url": f"{session.public_url}/run/{proxy_id}"})

    async def _stop(self, request: Request) -> Response:
        self._registry.release(*self._authorized(request))
        return Response(status_code=204)

    def _authorized(self, request: Request) -> tuple[Runner, Session]:
        params = request.path_params
        runner, session = self._registry.find_session(params["route"], params["session_id"])
        token = request.headers.get(_TOKEN_HEADER, "")
        if not hmac.compare_digest(token.encode(), runner.session_token(session.id).encode()):
            raise RefusedError("invalid authorization", 401)
        return runner, session


def _wanted_channels(body: bytes) -> list[tuple[str, str]]:
    """Return names and media types of the channels that a runner asks for."""
    try:
        entries = [as_object(entry, "a channel") for entry in _entries(body)]
        return [(text_field(entry, "name"), text_field(entry, "mime_type")) for entry in entries]
    except ValueError as error:
        raise RefusedError(str(error), 400) from None


def _unwanted_channels(body: bytes) -> list[str]:
    """Return the names of the channels that a runner has done with."""
    try:
        names = _entries(body)
        return [text_field({"name": name}, "name") for name in names]
    except ValueError as error:
        raise RefusedError(str(error), 400) from None


def _entries(body: bytes) -> list[object]:
    entries = list_field(load_object(body), "channels")
    if not entries:
        raise ValueError("channels is required")
    if len(entries) > _CHANNELS_PER_REQUEST:
        raise ValueError(f"channels cannot contain more than {_CHANNELS_PER_REQUEST} entries")
    return entries
