"""Restarts of everything that a call passes, one after another."""

import signal
import time
from collections.abc import Awaitable, Callable

import anyio
from edge_harness import eventually

from livepeer.devnet import DevNet

from .edge import Edge, is_alive
from .ledger import Ledger
from .ways import Way

EDGE_SIGNALS = (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)
"""How the edge ends each time; everything else is restarted as often."""

BACK_SECONDS = 15.0
"""How soon it must be registered and served again."""


class Chaos:
    """Restarts the orchestrator, the edge and its host in turn, and measures how long each takes to be back.

    Args:
        net: The network; its first orchestrator is restarted.
        edge: The edge.
        way: How it is registered.
    """

    def __init__(self, net: DevNet, edge: Edge, way: Way) -> None:
        self._net = net
        self._edge = edge
        self._way = way
        self._signals = iter(EDGE_SIGNALS)
        self._restarts = [*self._one_of_each().items()] * len(EDGE_SIGNALS)
        self.seconds: dict[str, list[float]] = {name: [] for name in self._one_of_each()}
        """How long each restart took, from its begin until it was registered and serving."""

    async def run(self, ledger: Ledger, calls: int) -> None:
        """Spread the restarts evenly over that many calls."""
        for number, (name, restart) in enumerate(self._restarts, start=1):
            await ledger.until(calls * number // (len(self._restarts) + 1))
            ledger.down = name
            began = time.monotonic()
            await restart()
            await self.until_back()
            self.seconds[name].append(time.monotonic() - began)
            ledger.down = "nothing"

    async def until_back(self) -> None:
        """Wait until the edge serves and its orchestrator knows it.

        Raises:
            AssertionError: It took too long.
        """
        with anyio.move_on_after(BACK_SECONDS):
            while not await self._is_back():  # noqa: ASYNC110 - it happens in other processes
                await anyio.sleep(0.01)
            return
        raise AssertionError(f"not back within {BACK_SECONDS:g} s:\n{self._edge.log()[-4000:]}")

    async def _is_back(self) -> bool:
        health = await self._edge.health()
        return health.get("status") in ("OK", "IDLE") and self._way.is_registered(self._net, health)

    def _one_of_each(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {"orchestrator": self._net.restart_orchestrator, "edge": self._restart_edge, "host": self._kill_host}

    async def _restart_edge(self) -> None:
        family = self._edge.family
        await self._edge.end(next(self._signals))
        self._edge.start()
        await eventually(lambda: not any(map(is_alive, family)), "the host dies with its edge")

    async def _kill_host(self) -> None:
        host = self._edge.host
        assert host is not None, "there is no host to kill"
        host.kill()
        await eventually(lambda: self._edge.host not in (None, host), "there is another host")
