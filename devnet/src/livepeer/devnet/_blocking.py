"""The same network for code without an event loop, on a thread of its own."""

import sys
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ._devnet import DevNet
from ._orchestrator import NETWORKS, Network
from ._registry import RegisteredCapability
from ._runner_records import RegisteredRunner
from ._signer import Payer
from ._stream_records import StreamRecord
from ._timings import Timings


class BlockingDevNet:
    """A `DevNet` that runs on its own thread: the same network, with methods that block.

    Use it with `with`, or call `start` and `stop`.
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
        """Describe a network; the arguments are those of `DevNet`."""
        self._net = DevNet(
            host=host,
            orchestrator_port=orchestrator_port,
            gateway_port=gateway_port,
            secret=secret,
            orchestrators=orchestrators,
            timings=timings,
            networks=networks,
            paid=paid,
            payer=payer,
            dashboard_port=dashboard_port,
        )
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    @property
    def orchestrator_url(self) -> str:
        """The base URL of the first orchestrator."""
        return self._net.orchestrator_url

    @property
    def orchestrator_urls(self) -> tuple[str, ...]:
        """The base URLs of all orchestrators."""
        return self._net.orchestrator_urls

    @property
    def gateway_url(self) -> str:
        """The base URL of the gateway."""
        return self._net.gateway_url

    @property
    def signer_url(self) -> str:
        """The base URL of the remote signer, as `DevNet.signer_url`."""
        return self._net.signer_url

    @property
    def dashboard_url(self) -> str:
        """The URL of the dashboard, as `DevNet.dashboard_url`."""
        return self._net.dashboard_url

    @property
    def secret(self) -> str:
        """What workers register with."""
        return self._net.secret

    @property
    def capabilities(self) -> Mapping[str, RegisteredCapability]:
        """What is registered at this moment, by name, as `DevNet.capabilities`."""
        return self._running().call(lambda: self._net.capabilities)

    @property
    def runners(self) -> Mapping[str, RegisteredRunner]:
        """The live runners that are known at this moment, by id, as `DevNet.runners`."""
        return self._running().call(lambda: self._net.runners)

    @property
    def streams(self) -> Mapping[str, StreamRecord]:
        """The live streams of BYOC by id, as `DevNet.streams`."""
        return self._running().call(lambda: self._net.streams)

    def wait_for(self, name: str, *, timeout_seconds: float = 10.0) -> RegisteredCapability:
        """Return a capability as soon as any orchestrator holds it.

        Raises:
            TimeoutError: None did in time.
        """
        return self._running().call(lambda: self._net.wait_for(name, timeout_seconds=timeout_seconds))

    def wait_for_runner(self, app: str, *, timeout_seconds: float = 10.0) -> RegisteredRunner:
        """Return a live runner of that app as soon as callers can find one at any orchestrator.

        Raises:
            TimeoutError: There was none in time.
        """
        return self._running().call(lambda: self._net.wait_for_runner(app, timeout_seconds=timeout_seconds))

    def register_static_runners(self, document: str | bytes, *, index: int = 0) -> tuple[RegisteredRunner, ...]:
        """Give one orchestrator a `runners.json`, as `DevNet.register_static_runners`."""
        return self._running().call(lambda: self._net.register_static_runners(document, index=index))

    def restart_orchestrator(self, index: int = 0) -> None:
        """Restart one orchestrator, as `DevNet.restart_orchestrator`."""
        self._running().call(self._net.restart_orchestrator, index)

    def start(self) -> None:
        """Serve the network.

        Raises:
            OSError: A port is taken.
        """
        with ExitStack() as stack:
            options = {"use_uvloop": sys.platform != "win32"}
            self._portal = portal = stack.enter_context(start_blocking_portal("asyncio", options))
            # A wait that Ctrl-C broke off still goes on in the portal, and would hold up its end.
            stack.callback(portal.call, portal.stop, True)
            stack.enter_context(portal.wrap_async_context_manager(self._net))
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """Break off every job, close every socket, and end the thread."""
        self._portal = None
        self._stack.close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _running(self) -> BlockingPortal:
        if self._portal is None:
            raise RuntimeError("the network is not running: start it first")
        return self._portal
