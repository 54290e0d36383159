"""What runners and callers say to the orchestrator itself (Live Runner, contract section 7)."""

from dataclasses import asdict
from decimal import Decimal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from livepeer.trickle.server import Channel

from ._fields import load_object
from ._inbound import RefusedError, base_url
from ._payment_terms import convert_price
from ._runner_records import parse_runner
from ._runners import Runner, RunnerRegistry
from ._timings import Timings

Json = dict[str, object]

TRICKLE_PATH = "/ai/trickle"


class RegistryRoutes:
    """How runners come and go, and how callers find them."""

    def __init__(self, registry: RunnerRegistry, timings: Timings, *, paid: bool) -> None:
        self._registry = registry
        self._timings = timings
        self._paid = paid
        self.routes: list[BaseRoute] = [
            Route("/runners/heartbeat", self._heartbeat, methods=["POST"]),
            Route("/runners/{runner_id}/unregister", self._unregister, methods=["POST"]),
            Route("/discovery", self._discovery, methods=["GET"]),
        ]

    async def _heartbeat(self, request: Request) -> Response:
        try:
            offer = parse_runner(load_object(await request.body()), paid=self._paid)
        except ValueError as error:
            raise RefusedError(str(error), 400) from None
        url = base_url(request)
        runner, is_new = self._registry.heartbeat(offer, request.headers.get("Authorization", ""), url)
        answer: Json = {
            "runner_id": runner.record.runner_id,
            "orchestrator": url,
            "heartbeat_interval": go_duration(self._timings.heartbeat_interval_seconds),
            "heartbeat_ttl": go_duration(self._timings.heartbeat_ttl_seconds),
            "session_ids": list(runner.sessions),
        }
        if is_new and runner.o2r is not None:
            answer |= {
                "heartbeat_secret": runner.heartbeat_secret,
                "o2r": channel_card("o2r", runner.o2r.channel, url),
            }
        return JSONResponse(answer)

    async def _unregister(self, request: Request) -> Response:
        runner_id = request.path_params["runner_id"]
        self._registry.unregister(runner_id, request.headers.get("Authorization", ""))
        return Response(status_code=204)

    async def _discovery(self, request: Request) -> Response:
        url = base_url(request)
        runners = [self._card(runner, url) for runner in self._registry if runner.record.ready]
        return JSONResponse([{"address": url} | ({"runners": runners} if runners else {})])

    def _card(self, runner: Runner, url: str) -> Json:
        """Return what callers are told about a runner; nothing that is empty but the counts."""
        record, used = runner.record, len(runner.sessions)
        price = convert_price(record.price_info) if self._paid else None
        texts = {"version": record.version, "metadata": record.metadata, "mode": record.mode}
        gpu = {name: value for name, value in asdict(record.gpu).items() if value} if record.gpu else None
        return {
            "url": _public_url(runner, url),
            **({} if gpu is None else {"gpu": gpu}),
            "app": record.app,
            **{name: text for name, text in texts.items() if text},
            "capacity": record.capacity,
            "capacity_used": used,
            "capacity_available": record.capacity - used,
            **({} if price is None else {"price_info": asdict(price) | {"currency": "wei"}}),
        }


def channel_card(name: str, channel: Channel, url: str, internal_url: str = "") -> Json:
    """Return what a runner is told about a trickle channel."""
    path = f"{TRICKLE_PATH}/{quote(channel.name)}"
    return {
        "name": name,
        "channel_name": channel.name,
        "url": url + path,
        **({"internal_url": internal_url + path} if internal_url else {}),
        "mime_type": channel.content_type,
    }


def go_duration(seconds: float) -> str:
    """Return a duration as Go writes it: `5s`, `1m30s`, `250ms`."""
    if 0 < seconds < 1:
        return f"{_number(seconds * 1000)}ms"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{_number(seconds)}s"
    if hours or minutes:
        text = f"{minutes:.0f}m{text}"
    return f"{hours:.0f}h{text}" if hours else text


def _number(value: float) -> str:
    return f"{Decimal(repr(round(value, 3))).normalize():f}"


def _public_url(runner: Runner, url: str) -> str:
    if runner.record.mode == "persistent":
        return f"{url}/apps/{runner.path}/session"
    return f"{url}/run/{runner.path}" if runner.record.proxy else f"{url}/apps/{runner.path}/app"
