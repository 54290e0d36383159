"""The orchestrator: workers register with it, callers and gateways bring it jobs."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from livepeer.trickle.server import TrickleServer

from ._fields import text_field
from ._inbound import RefusedError, drop_connection, no_such_page
from ._job_request import decode_header, is_hex_signature
from ._live_runner import LiveRunner
from ._orchestrator_jobs import JobEndpoint
from ._orchestrator_streams import OrchestratorStreams
from ._outbound import outbound_client
from ._registry import RegisteredCapability, Registry, UnconvertibleCurrencyError
from ._runner_records import RegisteredRunner
from ._runner_routes import TRICKLE_PATH
from ._stream_records import StreamRecord
from ._timings import Timings

Network = Literal["byoc", "live-runner"]
"""A way in which workers and callers meet: BYOC, or Live Runner, its successor."""

NETWORKS: tuple[Network, ...] = ("byoc", "live-runner")


class Orchestrator:
    """An orchestrator as an ASGI application: BYOC and Live Runner (contract, sections 1, 3, 4, 5 and 7).

    It takes registrations and jobs, and holds everything in memory.
    """

    def __init__(
        self,
        *,
        secret: str,
        timings: Timings | None = None,
        networks: Collection[Network] = NETWORKS,
        paid: bool = False,
    ) -> None:
        """Make an orchestrator that knows no worker.

        Args:
            secret: What a worker sends, raw, in `Authorization` to register.
            timings: The durations of the network; go-livepeer's own by default.
            networks: What it speaks; the routes of anything else are not there.
            paid: Whether calls of live runners are to be paid; BYOC never asks for payment here.
        """
        self.secret = secret
        timings = timings or Timings()
        self._registry = Registry()
        self._jobs = JobEndpoint(self._registry, timings)
        self._trickle = TrickleServer(autocreate=False)
        self._streams = OrchestratorStreams(self._registry, self._trickle, timings)
        self._live_runner = LiveRunner(secret=secret, paid=paid, timings=timings, trickle=self._trickle)
        routes = {"byoc": self._byoc_routes(), "live-runner": self._live_runner.routes}
        self.app = Starlette(
            routes=[
                *(route for network in NETWORKS if network in networks for route in routes[network]),
                Mount(TRICKLE_PATH, app=self._trickle),
            ],
            exception_handlers={RefusedError: _refuse, 404: no_such_page},
            lifespan=self._lifespan,
        )
        """The ASGI application; serve it with its lifespan."""
        self.app.router.redirect_slashes = False

    @property
    def capabilities(self) -> Mapping[str, RegisteredCapability]:
        """What is registered, by name; read-only and live, each record as of the moment it is taken."""
        return self._registry.entries

    @property
    def runners(self) -> Mapping[str, RegisteredRunner]:
        """The live runners that are known, by id, each record as of this moment."""
        return self._live_runner.registry.runners

    @property
    def streams(self) -> Mapping[str, StreamRecord]:
        """The live streams of BYOC, by id, the last hundred that have ended among them."""
        return self._streams.records

    async def wait_for(self, name: str, *, timeout_seconds: float = 10.0) -> RegisteredCapability:
        """Return the capability as soon as it is registered.

        Raises:
            TimeoutError: It was not registered in time.
        """
        with anyio.move_on_after(timeout_seconds):
            return await self._registry.wait_for(name)
        raise TimeoutError(f"no capability {name!r} was registered within {timeout_seconds} s")

    async def wait_for_runner(self, app: str, *, timeout_seconds: float = 10.0) -> RegisteredRunner:
        """Return a live runner of that app as soon as callers can find one.

        Raises:
            TimeoutError: There was none in time.
        """
        with anyio.move_on_after(timeout_seconds):
            return await self._live_runner.registry.wait_for(app)
        raise TimeoutError(f"no runner of {app!r} was registered within {timeout_seconds} s")

    async def register_static(self, document: str | bytes) -> tuple[RegisteredRunner, ...]:
        """Take in a `runners.json`, as go-livepeer's `-liveRunnerConfig` does, and return its runners.

        From then on each is asked for its health; one that is not well is hidden from callers. A label that is known
        keeps its id and its sessions.

        Raises:
            ValueError: An entry is wrong, the text says which; then none is taken.
        """
        return await self._live_runner.static.register(document)

    def forget(self) -> None:
        """Forget every registration, as a restart does."""
        self._registry.clear()
        self._live_runner.clear()
        self._streams.clear()
        self._trickle.clear()

    def _byoc_routes(self) -> list[BaseRoute]:
        return [
            Route("/capability/register", self._register, methods=["POST"]),
            Route("/capability/unregister", self._unregister, methods=["POST"]),
            Route("/process/token", self._token, methods=["GET"]),
            Route("/process/request/{route:path}", self._jobs, methods=["POST"]),
            *self._streams.routes,
        ]

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        async with outbound_client() as client, self._trickle.running(), anyio.create_task_group() as tasks:
            self._jobs.client = self._streams.client = client
            self._live_runner.use(client)
            tasks.start_soon(self._live_runner.run)
            tasks.start_soon(self._streams.run)
            yield
            tasks.cancel_scope.cancel()

    async def _register(self, request: Request) -> Response:
        if not self._is_authorized(request):
            raise RefusedError("invalid authorization", 400)
        try:
            self._registry.register(await request.body())
        except UnconvertibleCurrencyError:
            return _DroppedConnection()
        except ValueError as error:
            return Response(f"Error registering capability: {error}", 400, media_type="application/json")
        return Response("ok", media_type="application/json")

    async def _unregister(self, request: Request) -> Response:
        if not self._is_authorized(request):
            raise RefusedError("invalid authorization", 400)
        self._registry.remove((await request.body()).decode(errors="replace"))
        return Response("ok", media_type="application/json")

    def _is_authorized(self, request: Request) -> bool:
        return request.headers.get("Authorization", "") == self.secret

    async def _token(self, request: Request) -> Response:
        """Tell a gateway how many jobs a capability would take; it asks before each job."""
        try:
            sender = decode_header(request.headers.get("Livepeer-Eth-Address", ""))
            address, signature = text_field(sender, "addr"), text_field(sender, "sig")
        except ValueError:
            raise RefusedError("Invalid eth address header ", 400) from None
        name = request.headers.get("Livepeer-Capability", "")
        if not is_hex_signature(signature):
            raise RefusedError("Invalid eth address header ", 400)
        if not name:
            raise RefusedError("Job capabilities not provided", 400)
        entry = self._registry.entries.get(name)
        return JSONResponse(
            {
                "sender_address": {"addr": address, "sig": signature},
                "price": {"pixelsPerUnit": 1},
                "service_addr": f"{request.url.scheme}://{request.headers.get('Host', '')}",
                "available_capacity": entry.available if entry else 0,
            }
        )


class _DroppedConnection(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await drop_connection(scope, receive)


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    return error.response()
