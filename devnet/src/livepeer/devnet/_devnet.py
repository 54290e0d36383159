"""A whole local network: orchestrators and a gateway in front of them, in the running event loop."""

import math
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import anyio

from ._gateway import Gateway
from ._orchestrator import Orchestrator
from ._registry import RegisteredCapability
from ._serving import AppServer
from ._timings import Timings


class DevNet:
    """An embedded Livepeer network for developing and testing: BYOC batch and SSE, in memory, payments offchain only.

    It keeps go-livepeer's timeouts, relay rules and mistakes (BYOC contract, sections 1, 3 and 4). Use it as an async
    context manager; `BlockingDevNet` is the same for code without an event loop.

        async with DevNet() as net:
            ...  # a worker registers at net.orchestrator_url with net.secret
            await net.wait_for("my-model")
            ...  # callers post to net.gateway_url
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        orchestrator_port: int = 0,
        gateway_port: int = 0,
        secret: str | None = None,
        orchestrators: int = 1,
        timings: Timings | None = None,
    ) -> None:
        """Describe a network; nothing is bound before it is entered.

        Args:
            host: The address to listen at.
            orchestrator_port: The port of the first orchestrator, those of the others follow it; 0 for any free ones.
            gateway_port: The port of the gateway; 0 for any free one.
            secret: What workers register with, the same at every orchestrator; random by default.
            orchestrators: How many orchestrators the gateway knows, at least 1.
            timings: The durations of the network; go-livepeer's own by default.

        Raises:
            ValueError: There would be no orchestrator.
        """
        if orchestrators < 1:
            raise ValueError("a network has at least one orchestrator")
        self.secret = secrets.token_hex(16) if secret is None else secret
        self._host = host
        self._ports = [orchestrator_port and orchestrator_port + i for i in range(orchestrators)]
        self._gateway_port = gateway_port
        self._timings = timings or Timings()
        self.orchestrators = tuple(
            Orchestrator(secret=self.secret, timings=self._timings) for _ in range(orchestrators)
        )
        """The orchestrators, each with its own `capabilities` and `wait_for`."""
        self._servers: list[AppServer] = []

    @property
    def orchestrator_url(self) -> str:
        """The base URL of the first orchestrator.

        Raises:
            RuntimeError: The network is not running.
        """
        return self.orchestrator_urls[0]

    @property
    def orchestrator_urls(self) -> tuple[str, ...]:
        """The base URLs of all orchestrators.

        Raises:
            RuntimeError: The network is not running.
        """
        return tuple(server.url for server in self._running()[:-1])

    @property
    def gateway_url(self) -> str:
        """The base URL of the gateway.

        Raises:
            RuntimeError: The network is not running.
        """
        return self._running()[-1].url

    @property
    def capabilities(self) -> Mapping[str, RegisteredCapability]:
        """What is registered at this moment, by name; where several orchestrators hold a name, the first one's.

        `orchestrators[i].capabilities` is what a single one holds.
        """
        return {
            name: capability
            for orchestrator in reversed(self.orchestrators)
            for name, capability in orchestrator.capabilities.items()
        }

    async def wait_for(self, name: str, *, timeout_seconds: float = 10.0) -> RegisteredCapability:
        """Return a capability as soon as any orchestrator holds it.

        Raises:
            TimeoutError: None did in time.
        """
        found: list[RegisteredCapability] = []

        async def watch(orchestrator: Orchestrator) -> None:
            found.append(await orchestrator.wait_for(name, timeout_seconds=math.inf))
            tasks.cancel_scope.cancel()

        with anyio.move_on_after(timeout_seconds):
            async with anyio.create_task_group() as tasks:
                for orchestrator in self.orchestrators:
                    tasks.start_soon(watch, orchestrator)
        if not found:
            raise TimeoutError(f"no capability {name!r} was registered within {timeout_seconds} s")
        return found[0]

    async def restart_orchestrator(self, index: int = 0) -> None:
        """Break off everything at one orchestrator, forget its registrations, and serve on the same port again.

        Raises:
            IndexError: There is no such orchestrator.
            RuntimeError: The network is not running.
        """
        index = range(len(self.orchestrators))[index]  # The gateway's server comes last, so -1 would be it.
        orchestrator, server = self.orchestrators[index], self._running()[index]
        await server.stop()
        orchestrator.forget()
        self._servers[index] = AppServer(orchestrator.app, host=self._host, port=server.port)
        await self._tasks.start(self._servers[index].run)

    async def __aenter__(self) -> Self:
        """Serve the network.

        Raises:
            OSError: A port is taken.
        """
        for orchestrator in self.orchestrators:
            orchestrator.forget()
        await self._bind()
        self._tasks = await anyio.create_task_group().__aenter__()
        try:
            for server in self._servers:
                await self._tasks.start(server.run)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Break off every job, close every socket, and wait for that."""
        await self._stop()
        if isinstance(exc, anyio.get_cancelled_exc_class()):
            return await self._tasks.__aexit__(exc_type, exc, traceback)
        # The task group would wrap the caller's own exception in a group.
        return await self._tasks.__aexit__(None, None, None)

    async def _bind(self) -> None:
        try:
            for orchestrator, port in zip(self.orchestrators, self._ports, strict=True):
                self._servers.append(AppServer(orchestrator.app, host=self._host, port=port))
            gateway = Gateway([server.url for server in self._servers], timings=self._timings)
            self._servers.append(AppServer(gateway.app, host=self._host, port=self._gateway_port))
        except OSError:
            await self._stop()
            raise

    async def _stop(self) -> None:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                for server in self._servers:
                    tasks.start_soon(server.stop)
        self._servers.clear()

    def _running(self) -> list[AppServer]:
        if not self._servers:
            raise RuntimeError("the network is not running: enter it first")
        return self._servers
