"""The orchestrator: workers register with it, callers and gateways bring it jobs."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ._fields import text_field
from ._inbound import TEXT, drop_connection
from ._job_request import decode_header, is_hex_signature
from ._orchestrator_jobs import JobEndpoint
from ._outbound import outbound_client
from ._registry import RegisteredCapability, Registry, UnconvertibleCurrencyError
from ._timings import Timings


class Orchestrator:
    """An offchain orchestrator as an ASGI application (BYOC contract, sections 1, 3 and 4).

    It takes registrations and jobs, holds everything in memory, and asks for no payment.
    """

    def __init__(self, *, secret: str, timings: Timings | None = None) -> None:
        """Make an orchestrator that knows no capability.

        Args:
            secret: What a worker sends, raw, in `Authorization` to register.
            timings: The durations of the network; go-livepeer's own by default.
        """
        self.secret = secret
        self._registry = Registry()
        self._jobs = JobEndpoint(self._registry, timings or Timings())
        self.app = Starlette(
            routes=[
                Route("/capability/register", self._register, methods=["POST"]),
                Route("/capability/unregister", self._unregister, methods=["POST"]),
                Route("/process/token", self._token, methods=["GET"]),
                Route("/process/request/{route:path}", self._jobs, methods=["POST"]),
            ],
            lifespan=self._lifespan,
        )
        """The ASGI application; serve it with its lifespan."""

    @property
    def capabilities(self) -> Mapping[str, RegisteredCapability]:
        """What is registered, by name; read-only and live, each record as of the moment it is taken."""
        return self._registry.entries

    async def wait_for(self, name: str, *, timeout_seconds: float = 10.0) -> RegisteredCapability:
        """Return the capability as soon as it is registered.

        Raises:
            TimeoutError: It was not registered in time.
        """
        with anyio.move_on_after(timeout_seconds):
            return await self._registry.wait_for(name)
        raise TimeoutError(f"no capability {name!r} was registered within {timeout_seconds} s")

    def forget(self) -> None:
        """Forget every registration, as a restart does."""
        self._registry.clear()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        async with outbound_client() as self._jobs.client:
            yield

    async def _register(self, request: Request) -> Response:
        if not self._is_authorized(request):
            return _error("invalid authorization")
        try:
            self._registry.register(await request.body())
        except UnconvertibleCurrencyError:
            return _DroppedConnection()
        except ValueError as error:
            return Response(f"Error registering capability: {error}", 400, media_type="application/json")
        return Response("ok", media_type="application/json")

    async def _unregister(self, request: Request) -> Response:
        if not self._is_authorized(request):
            return _error("invalid authorization")
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
            return _error("Invalid eth address header ")
        name = request.headers.get("Livepeer-Capability", "")
        if not is_hex_signature(signature):
            return _error("Invalid eth address header ")
        if not name:
            return _error("Job capabilities not provided")
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


def _error(message: str) -> Response:
    return Response(f"{message}\n", 400, headers={"X-Content-Type-Options": "nosniff", "Content-Type": TEXT})
