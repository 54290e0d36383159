"""Beginning and ending a live stream."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import anyio
import httpx2

from livepeer.client._async_http import AsyncLine
from livepeer.client._attempts import Attempts
from livepeer.client._clients import Verify
from livepeer.client._errors import SettingsError
from livepeer.client._exchange import Exchange

from .beside import tasks_beside
from .events import EventLog
from .lines import Lines
from .live_routes import LiveRoute
from .orders import Channels, GatewayDoors, Order
from .stream import LiveStream

_LAST_REPORTS_SECONDS = 1.0


def check_extra() -> None:
    """Load what live streams need.

    Raises:
        SettingsError: It is not installed.
    """
    try:
        # Here and not later, for it takes a moment, in which the stream would run already.
        import_module("livepeer.client._live.publishing")
    except ImportError as error:
        raise SettingsError("live streams need more than is installed: pip install 'livepeer-client[live]'") from error


@asynccontextmanager
async def live(
    client: Callable[[], httpx2.AsyncClient], attempts: Attempts[LiveRoute], order: Order, verify: Verify
) -> AsyncGenerator[LiveStream]:
    """Have a stream begin, and stop it at the end, however that comes."""
    line = AsyncLine(client())

    def send(exchange: Exchange[Any]) -> Awaitable[Any]:
        return AsyncLine(client()).carry_out(exchange)

    def start(route: LiveRoute) -> Exchange[tuple[LiveRoute, Channels | GatewayDoors]]:
        return route, (yield from route.start(order))

    try:
        route, place = await line.carry_out(attempts.first_success(start))
        log = EventLog()
        lines = _make_lines(place, log, client(), verify)
        async with _watched(lines, log, lambda: line.carry_out(route.end())):
            yield LiveStream(place.stream_id, route, lines, log, send)
    finally:
        with anyio.CancelScope(shield=True):
            await line.carry_out(attempts.end())


@asynccontextmanager
async def _watched(lines: Lines, log: EventLog, stop: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    try:
        async with tasks_beside() as tasks:
            tasks.start_soon(lines.watch)
            yield
            await stop()
            with anyio.move_on_after(_LAST_REPORTS_SECONDS if lines.tells_end else 0):
                await log.over.wait()
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await lines.leave()


def _make_lines(place: Channels | GatewayDoors, log: EventLog, client: httpx2.AsyncClient, verify: Verify) -> Lines:
    if isinstance(place, GatewayDoors):
        from .gateway_lines import GatewayLines

        return GatewayLines(place, log, client)
    from .trickle_lines import TrickleLines

    return TrickleLines(place, log, verify)
