"""One target on a development network: its model, its port, its registration."""

import secrets
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path

import anyio
import watchfiles

from livepeer.core import OperationDescription, Registrar, Target
from livepeer.devnet import DevNet
from livepeer.server import (
    Lifecycle,
    ProcessWorker,
    RegistrationOptions,
    Server,
    ServerOptions,
    WorkerState,
    bind,
    listening,
)

from ._both_networks import BothNetworks

_HOST = "127.0.0.1"
_DRAIN_SECONDS = 2.0
_STUCK_SECONDS = 2.0
_REGISTER_INTERVAL_SECONDS = 5.0
"""Short, since registering again gives back the slots that the network leaks (BYOC contract, section 1)."""

_WATCHED = watchfiles.PythonFilter(extra_extensions=(".yaml", ".yml", ".toml"))
"""Sources and manifests; what a model writes itself must not start it again."""


class ServingState(Enum):
    """Where a served target stands."""

    LOADING = auto()
    REGISTERED = auto()
    FAILED = auto()


class Serving:
    """Serves one target on a free port of this machine and keeps it registered, until it is stopped.

    Args:
        target: What to serve.
        net: Where to register it.
        claimed: Which target has which name on this network; shared by them all.
        on_change: Called after each change of state, and now and then without one.
        python: Interpreter of the model's own virtual environment.
        adapter: Entry-point name of the adapter.
    """

    def __init__(
        self,
        target: Target,
        net: DevNet,
        *,
        claimed: "dict[str, Serving]",
        on_change: Callable[[], None],
        python: str | None,
        adapter: str | None,
    ) -> None:
        self.target = target
        self._net = net
        self._claimed = claimed
        self._on_change = on_change
        self._python = python
        self._adapter = adapter
        self._port = 0
        self._stopping = False
        self._start_afresh()

    @property
    def name(self) -> str | None:
        """Its name on the network; None until it has been imported."""
        description = self._server.lifecycle.description
        return None if description is None else description.info.name

    @property
    def operation(self) -> OperationDescription | None:
        """Its default operation; None until it has been imported, and if it is live alone."""
        description = self._server.lifecycle.description
        return description.operations[0] if description is not None and description.operations else None

    @property
    def url(self) -> str:
        """Base URL of its own server."""
        return f"http://{_HOST}:{self._port}"

    @property
    def reason(self) -> str | None:
        """What went wrong, if something did."""
        return self._refusal or self._server.lifecycle.worker.reason

    @property
    def state(self) -> ServingState:
        """Where it stands now."""
        state = self._server.lifecycle.worker.state
        if self._refusal is not None or state is WorkerState.FAILED:
            return ServingState.FAILED
        if state is WorkerState.READY and self._is_known():
            return ServingState.REGISTERED
        return ServingState.LOADING

    def _is_known(self) -> bool:
        """Whether both networks hold it."""
        urls = {runner.runner_url for runner in self._net.runners.values()}
        return self.name in self._net.capabilities and self.url in urls

    def stop(self) -> None:
        """Begin to end it; `run` returns when nothing of it is left."""
        self._stopping = True
        self._ended.set()

    async def run(self, *, reload: bool) -> None:
        """Serve until `stop`.

        Args:
            reload: Whether to serve the target again when its sources change.
        """
        while True:
            await self._serve(reload=reload)
            if self._stopping:
                return
            self._start_afresh()
            self._on_change()

    def _start_afresh(self) -> None:
        self._socket = bind(_HOST, self._port)
        self._port: int = self._socket.getsockname()[1]
        self._refusal: str | None = None
        self._ended = anyio.Event()
        self._described = False
        worker = ProcessWorker(self.target.text, adapter=self._adapter, python=self._python)
        # Without a token, so that the page at /docs works as it is: nobody but this machine reaches the port.
        options = ServerOptions(
            drain_seconds=_DRAIN_SECONDS, stuck_seconds=_STUCK_SECONDS, channel_origins=(self._net.orchestrator_url,)
        )
        self._server = Server(worker, options=options, registrar=self._registrar)
        self._server.lifecycle.listen(self._on_lifecycle_change)

    def _registrar(self, lifecycle: Lifecycle) -> Registrar:
        options = RegistrationOptions(
            orch_url=self._net.orchestrator_url,
            orch_token=self._net.secret,
            capability_url=self.url,
            token=secrets.token_urlsafe(16),
            interval_seconds=_REGISTER_INTERVAL_SECONDS,
        )
        return BothNetworks(lifecycle, options)

    def _on_lifecycle_change(self) -> None:
        if self.name is not None and not self._described:
            if self._claimed.setdefault(self.name, self) is not self:
                # The network would let it take the other's place without a word.
                self._refusal = f"another target has the name {self.name!r} already"
                self._server.lifecycle.draining = True
            self._described = True
        self._on_change()

    async def _serve(self, *, reload: bool) -> None:
        async with listening(self._server, self._socket), anyio.create_task_group() as tasks:
            if reload:
                tasks.start_soon(self._watch)
            try:
                await self._ended.wait()
            finally:
                self._ended.set()
                tasks.cancel_scope.cancel()
        if self.name is not None and self._claimed.get(self.name) is self:
            del self._claimed[self.name]

    async def _watch(self) -> None:
        # Cancelled, it would go on watching for seconds on its thread; the event ends it at once.
        changes = watchfiles.awatch(  # pyright: ignore[reportUnknownMemberType]
            _directory(self.target), watch_filter=_WATCHED, stop_event=self._ended
        )
        async for _ in changes:
            self._ended.set()


def _directory(target: Target) -> Path:
    """Where a target's sources are: finding a module's own place would import the packages above it."""
    if target.path is None:
        return Path.cwd()
    return target.path if target.is_directory else target.path.parent
