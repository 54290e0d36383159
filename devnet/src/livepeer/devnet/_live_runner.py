"""The Live Runner side of an orchestrator, put together (Live Runner, contract section 7)."""

from collections.abc import Awaitable, Callable

import anyio
import httpx2
from starlette.routing import BaseRoute

from livepeer.trickle.server import TrickleServer

from ._payments import Till
from ._reservations import Reservations
from ._runner_calls import RunnerCalls
from ._runner_routes import RegistryRoutes
from ._runners import RunnerRegistry
from ._session_routes import CallbackRoutes, SessionRoutes
from ._static_runners import StaticRunners
from ._timings import Timings


class LiveRunner:
    """Registry, sessions, payments and calls of one orchestrator, with their routes."""

    def __init__(self, *, secret: str, paid: bool, timings: Timings, trickle: TrickleServer) -> None:
        self._timings = timings
        self._till = Till()
        self.registry = RunnerRegistry(secret=secret, timings=timings, trickle=trickle)
        self.static = StaticRunners(self.registry, timings, paid=paid)
        self._reservations = Reservations(self.registry, self._till, paid=paid)
        self._calls = RunnerCalls(self.registry, self._reservations)
        self.routes: list[BaseRoute] = [
            *RegistryRoutes(self.registry, timings, paid=paid).routes,
            *SessionRoutes(self.registry, self._reservations).routes,
            *CallbackRoutes(self.registry, trickle).routes,
            *self._calls.routes,
        ]

    def use(self, client: httpx2.AsyncClient) -> None:
        """Take what calls workers; before the first request."""
        self._calls.client = self.static.client = client

    async def run(self) -> None:
        """Do what is due from time to time, until cancelled."""
        timings = self._timings
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_repeat, timings.heartbeat_interval_seconds, _later(self.registry.sweep))
            tasks.start_soon(_repeat, timings.o2r_keepalive_seconds, _later(self.registry.keep_alive))
            tasks.start_soon(_repeat, timings.payment_interval_seconds, _later(self._reservations.charge))
            tasks.start_soon(_repeat, timings.health_interval_seconds, self.static.check)

    def clear(self) -> None:
        """Forget every runner, session and payment, as a restart does."""
        self.registry.clear()
        self.static.clear()
        self._till.clear()


async def _repeat(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await anyio.sleep(seconds)
        await work()


def _later(work: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        work()

    return run
