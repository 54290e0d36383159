"""What one check works with: a name, a worker and a caller of its own."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import anyio
import httpx2

from livepeer.conformance import SkippedError, UnexpectedError

from ._apps import Apps
from ._byoc import Byoc
from ._listening import FreePort
from ._network import Network, Part
from ._served import TOKEN, LiveModel, Model, Served, serving
from ._worker import ScriptedWorker

Caller = Callable[[str, bytes], Awaitable[httpx2.Response]]

_EVENTUALLY_SECONDS = 10.0
_LOOK_SECONDS = 0.05


class Trial:
    """One check under way.

    Args:
        network: What is judged.
        missing: What the network lacks.
        http: What asks.
        name: The capability's name, nobody else's.
        make_worker: Makes a worker that nobody else uses.
        stack: Closed when the check has ended.
    """

    def __init__(
        self,
        network: Network,
        missing: Collection[Part],
        http: httpx2.AsyncClient,
        name: str,
        make_worker: Callable[[], ScriptedWorker],
        stack: AsyncExitStack,
    ) -> None:
        self.network = network
        self.http = http
        self.name = name
        self.another_worker = make_worker
        """Makes one more worker that answers as it is told."""
        self.worker = worker = make_worker()
        self.byoc = Byoc(network, http, name, worker.url)
        self.apps = Apps(network, http, f"conformance/{name}", worker.url, paid=Part.PAID not in missing)
        self._missing = missing
        self._stack = stack

    def has(self, part: Part) -> bool:
        """Whether the network has it."""
        return part not in self._missing

    async def serve(
        self,
        *,
        ready: bool = True,
        live: bool = False,
        token: str = TOKEN,
        options: Mapping[str, Any] | None = None,
        registration: Mapping[str, Any] | None = None,
        **model: Any,
    ) -> Served:
        """Serve a small capability of the trial's name until the check ends.

        Args:
            ready: Whether to wait until a call would be served.
            live: Whether it runs sessions too.
            token: The bearer token; empty for none.
            options: The server's.
            registration: How it announces itself to the first orchestrator; None if it does not.
            model: What `Model` takes beside its name.
        """
        if registration is not None:
            where = {"orch_url": self.network.orch_url, "orch_token": self.network.secret, "verify_tls": False}
            registration = {**where, **registration}
        made = (LiveModel if live else Model)(self.name, **model)
        host = self.network.worker_host
        context = serving(made, host=host, token=token, options=options, registration=registration)
        served = await self._stack.enter_async_context(context)
        if ready:
            await served.until_ready()
        return served

    async def restart(self) -> None:
        """Restart the first orchestrator, and wait until it answers again.

        Raises:
            SkippedError: There is no way to.
        """
        if self.network.restart is None:
            raise SkippedError("no way to restart the orchestrator was given")
        await self.network.restart()
        await eventually(self._answers, "the orchestrator to answer", seconds=60)

    async def add_static(self, **fields: Any) -> None:
        """Make the worker a static runner of the first orchestrator; `fields` win.

        Raises:
            SkippedError: There is no way to.
        """
        if self.network.add_static is None:
            raise SkippedError("no way to configure static runners was given")
        entry = {"label": self.name, **self.apps.document(**fields)}
        await self.network.add_static({"runners": [entry]})

    async def get(self, served: Served, path: str) -> httpx2.Response:
        """GET from a served capability: through Live Runner, or straight where the network has none."""
        if not self.has(Part.RUNNER):
            return await self.http.get(f"{served.url}/{path}")
        runner = await self.apps.register(runner_url=served.url, capacity=100)
        return await self.apps.call(runner, path, method="GET")

    def dead_url(self) -> str:
        """A base URL at which every connection is refused, for as long as the check runs."""
        port = FreePort(self.network.worker_host)
        self._stack.callback(port.socket.close)
        return port.url

    @asynccontextmanager
    async def meanwhile(self, work: Callable[[], Awaitable[object]]) -> AsyncGenerator[anyio.CancelScope]:
        """Do some work beside the block, and wait for its end; the scope that is given cancels it."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_without_result, work)
            yield tasks.cancel_scope

    async def callers(self, served: Served, *, frank: bool = False) -> list[Caller]:
        """Ways to POST to a served capability through the network: each takes a path and a body.

        Args:
            served: What is called.
            frank: Whether only those that pass every status back are wanted: a gateway does not.

        Raises:
            SkippedError: The network has no such way.
        """
        found: list[Caller] = []
        if self.has(Part.BYOC) and (self.has(Part.OFFCHAIN) or not frank):
            await self.byoc.register(url=served.url, token=served.token, capacity=100)
            found.append(partial(self.byoc.call, straight=frank))
        if self.has(Part.RUNNER):
            runner = await self.apps.register(runner_url=served.url, capacity=100)
            # Nothing but the caller itself can tell a worker that serves BYOC too its token.
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {served.token}"}
            found.append(lambda path, body: self.apps.call(runner, path, content=body, headers=headers))
        if not found:
            raise SkippedError("the network brings no such calls to workers")
        return found

    async def _answers(self) -> bool:
        try:
            await self.http.get(self.network.orch_url)
        except httpx2.TransportError:
            return False
        return True


async def eventually(
    holds: Callable[[], Awaitable[bool]], expected: str, *, seconds: float = _EVENTUALLY_SECONDS
) -> None:
    """Ask again and again until something holds.

    Raises:
        UnexpectedError: It did not in time.
    """
    end = anyio.current_time() + seconds
    while anyio.current_time() < end:
        if await holds():
            return
        await anyio.sleep(_LOOK_SECONDS)
    raise UnexpectedError(f"expected {expected} within {seconds:g} s")


async def _without_result(work: Callable[[], Awaitable[object]]) -> None:
    await work()
