"""A whole local network: orchestrators, a gateway in front of them, a signer, in the running event loop."""

import math
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import TracebackType
from typing import Self, TypeVar

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from ._dashboard import Dashboard, Node
from ._gateway import Gateway
from ._orchestrator import NETWORKS, Network, Orchestrator
from ._registry import RegisteredCapability
from ._runner_records import RegisteredRunner
from ._serving import AppServer
from ._signer import Payer, Signer
from ._stream_records import StreamRecord, merge_streams
from ._timings import Timings

_Record = TypeVar("_Record")


class DevNet:
    """An embedded Livepeer network for developing and testing: BYOC and Live Runner at once, in memory.

    It keeps go-livepeer's timeouts, relay rules and mistakes (contract, sections 1, 3, 4, 5 and 7). Use it as an async
    context manager; `BlockingDevNet` is the same for code without an event loop.

        async with DevNet() as net:
            ...  # a worker registers at net.orchestrator_url with net.secret
            await net.wait_for("my-model")  # on BYOC
            await net.wait_for_runner("me/my-model")  # on Live Runner
            ...  # callers post to net.gateway_url, or to what net.orchestrator_url lists under /discovery
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
        networks: Collection[Network] = NETWORKS,
        paid: bool = False,
        payer: Payer | None = None,
        dashboard_port: int | None = None,
    ) -> None:
        """Describe a network; nothing is bound before it is entered.

        Args:
            host: The address to listen at.
            orchestrator_port: The port of the first orchestrator, those of the others follow it; 0 for any free ones.
            gateway_port: The port of the gateway; 0 for any free one.
            secret: What workers register with, the same at every orchestrator; random by default.
            orchestrators: How many orchestrators the gateway knows, at least 1.
            timings: The durations of the network; go-livepeer's own by default.
            networks: What the orchestrators speak; the routes of anything else answer 404.
            paid: Whether calls of live runners are to be paid; then there is a signer that pays for callers.
            payer: Who decides what the signer pays; by default everything is.
            dashboard_port: The port of the dashboard; 0 for any free one, None for no dashboard.

        Raises:
            ValueError: There would be no orchestrator, or it would speak what there is not.
        """
        if orchestrators < 1:
            raise ValueError("a network has at least one orchestrator")
        if unknown := set(networks) - set(NETWORKS):
            raise ValueError(f"no such network: {', '.join(sorted(unknown))}")
        self.secret = secrets.token_hex(16) if secret is None else secret
        self._host = host
        self._ports = [orchestrator_port and orchestrator_port + i for i in range(orchestrators)]
        self._gateway_port = gateway_port
        self._timings = timings or Timings()
        self.paid = paid
        """Whether calls of live runners are to be paid."""
        self._payer = payer
        self.has_dashboard = dashboard_port is not None
        """Whether there is a page at `dashboard_url`."""
        self._dashboard_port = dashboard_port
        self.orchestrators = tuple(
            Orchestrator(secret=self.secret, timings=self._timings, networks=networks, paid=paid)
            for _ in range(orchestrators)
        )
        """The orchestrators, each with its own `capabilities`, `runners`, `wait_for` and `wait_for_runner`."""
        self._gateway: Gateway | None = None
        self._servers: dict[str, AppServer] = {}

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
        servers = self._running()
        return tuple(servers[_role(index)].url for index in range(len(self.orchestrators)))

    @property
    def gateway_url(self) -> str:
        """The base URL of the gateway.

        Raises:
            RuntimeError: The network is not running.
        """
        return self._running()["gateway"].url

    @property
    def signer_url(self) -> str:
        """The base URL of the remote signer.

        Raises:
            RuntimeError: The network is not running, or asks for no payment.
        """
        if not self.paid:
            raise RuntimeError("the network has no signer: nothing is to be paid")
        return self._running()["signer"].url

    @property
    def dashboard_url(self) -> str:
        """The URL of the page that shows what runs on the network, and calls it.

        Raises:
            RuntimeError: The network is not running, or has no dashboard.
        """
        if not self.has_dashboard:
            raise RuntimeError("the network has no dashboard: give it a dashboard_port")
        return self._running()["dashboard"].url

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

    @property
    def runners(self) -> Mapping[str, RegisteredRunner]:
        """The live runners that are known at this moment, by id, of all orchestrators."""
        return {
            runner_id: runner
            for orchestrator in reversed(self.orchestrators)
            for runner_id, runner in orchestrator.runners.items()
        }

    @property
    def streams(self) -> Mapping[str, StreamRecord]:
        """The live streams of BYOC by id, of all orchestrators, the last that have ended among them."""
        records = [orchestrator.streams for orchestrator in self.orchestrators]
        if self._gateway is None:
            return merge_streams(records, statuses={}, ends={})
        return merge_streams(records, statuses=self._gateway.stream_statuses, ends=self._gateway.stream_ends)

    async def wait_for(self, name: str, *, timeout_seconds: float = 10.0) -> RegisteredCapability:
        """Return a capability as soon as any orchestrator holds it.

        Raises:
            TimeoutError: None did in time.
        """
        found = await self._first(lambda node: node.wait_for(name, timeout_seconds=math.inf), timeout_seconds)
        if found is None:
            raise TimeoutError(f"no capability {name!r} was registered within {timeout_seconds} s")
        return found

    async def wait_for_runner(self, app: str, *, timeout_seconds: float = 10.0) -> RegisteredRunner:
        """Return a live runner of that app as soon as callers can find one at any orchestrator.

        Raises:
            TimeoutError: There was none in time.
        """
        found = await self._first(lambda node: node.wait_for_runner(app, timeout_seconds=math.inf), timeout_seconds)
        if found is None:
            raise TimeoutError(f"no runner of {app!r} was registered within {timeout_seconds} s")
        return found

    async def register_static_runners(self, document: str | bytes, *, index: int = 0) -> tuple[RegisteredRunner, ...]:
        """Give one orchestrator a `runners.json`, and return its runners.

        Raises:
            IndexError: There is no such orchestrator.
            ValueError: An entry is wrong, the text says which; then none is taken.
            RuntimeError: The network is not running.
        """
        self._running()
        return await self.orchestrators[index].register_static(document)

    async def restart_orchestrator(self, index: int = 0) -> None:
        """Break off everything at one orchestrator, forget its registrations, and serve on the same port again.

        Raises:
            IndexError: There is no such orchestrator.
            RuntimeError: The network is not running.
        """
        role = _role(range(len(self.orchestrators))[index])
        orchestrator, server = self.orchestrators[index], self._running()[role]
        await server.stop()
        orchestrator.forget()
        await self._tasks.start(self._add(role, orchestrator.app, server.port).run)

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
            for server in self._servers.values():
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

    async def _first(
        self, wait: Callable[[Orchestrator], Awaitable[_Record]], timeout_seconds: float
    ) -> _Record | None:
        """Return what the first orchestrator finds, None if none does in time."""
        found: list[_Record] = []

        async def watch(orchestrator: Orchestrator) -> None:
            found.append(await wait(orchestrator))
            tasks.cancel_scope.cancel()

        with anyio.move_on_after(timeout_seconds):
            async with anyio.create_task_group() as tasks:
                for orchestrator in self.orchestrators:
                    tasks.start_soon(watch, orchestrator)
        return found[0] if found else None

    async def _bind(self) -> None:
        try:
            for index, port in enumerate(self._ports):
                self._add(_role(index), self.orchestrators[index].app, port)
            urls = self.orchestrator_urls
            self._gateway = gateway = Gateway(urls, timings=self._timings)
            self._add("gateway", gateway.app, self._gateway_port)
            if self.paid:
                self._add("signer", Signer(urls, payer=self._payer, timings=self._timings).app, 0)
            if self._dashboard_port is not None:
                self._add("dashboard", self._dashboard().app, self._dashboard_port)
        except OSError:
            await self._stop()
            raise

    def _dashboard(self) -> Dashboard:
        nodes = [self._node(_role(index)) for index in range(len(self.orchestrators))]
        signer = self._node("signer") if self.paid else None
        return Dashboard(
            gateway=self._node("gateway"),
            orchestrators=nodes,
            records=self.orchestrators,
            streams=lambda: self.streams,
            signer=signer,
        )

    def _node(self, role: str) -> Node:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._servers[role].app(scope, receive, send)  # Looked up each time: a restart replaces it.

        return Node(url=self._servers[role].url, app=app)

    def _add(self, role: str, app: ASGIApp, port: int) -> AppServer:
        self._servers[role] = server = AppServer(app, host=self._host, port=port)
        return server

    async def _stop(self) -> None:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                for server in self._servers.values():
                    tasks.start_soon(server.stop)
        self._servers.clear()

    def _running(self) -> dict[str, AppServer]:
        if not self._servers:
            raise RuntimeError("the network is not running: enter it first")
        return self._servers


def _role(index: int) -> str:
    return f"orchestrator {index}"
