"""A service and what it depends on, from the first hook to the last."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from livepeer.core import AsgiApp, NotReadyError

from . import _sdk
from ._crossing import Crossing
from ._dependencies import Dependencies
from ._factory import HybridFactory
from ._worker import Worker

_LOGGER = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
"""How long after a service was not ready it is asked again."""


class Runtime:
    """Runs the apis of one service, in BentoML's own terms.

    Args:
        service: The service; nothing of it runs before `start()`.

    Raises:
        TargetError: If it cannot be served as it is configured.
    """

    def __init__(self, service: Any) -> None:
        services = _sdk.configure(service)
        self.service = service
        self.apis: Mapping[str, Any] = service.apis
        self.configuration: Mapping[str, Any] = services[service.name]
        """The service's, defaults and BentoML's environment variables included."""
        self._dependencies = Dependencies(service, services)
        self.factory = HybridFactory(service, services, _sdk.cors_options())
        self.afterwards = self.factory.afterwards
        self.app: AsgiApp = self.factory()
        self._life: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None]
        self._over: asyncio.Event

    @property
    def has_middlewares(self) -> bool:
        """Whether something of the user's stands before the apis."""
        return self.factory.has_middlewares

    async def start(self) -> None:
        """Bring the service to life, and wait until it says that it is ready."""
        self._over = asyncio.Event()
        self._started = asyncio.get_running_loop().create_future()
        # What is entered has to be left by the same task, and `stop()` may be called by another.
        self._life = asyncio.create_task(self._live(), name="bentoml-service")
        await asyncio.wait([self._life, self._started], return_when=asyncio.FIRST_COMPLETED)
        if not self._started.done():
            await self._life

    async def stop(self) -> None:
        """Let the service end: what its calls left to do, its hooks, what it depends on. However far it has come."""
        life, self._life = self._life, None
        if life is None:
            return
        if not self._started.done():
            life.cancel()
            await asyncio.wait([life])
            return
        await self.afterwards.finish()
        self._over.set()
        await life

    async def check(self) -> str | None:
        """Why the service is not well, None if it is.

        Raises:
            NotReadyError: If it is, but not ready for calls.
        """
        for worker in self._workers:
            if not await _elsewhere(worker, worker.is_alive):
                return f"{worker.service.name} is dead: its __is_alive__() returns False"
        if (reason := await self._find_unready()) is not None:
            raise NotReadyError(reason)
        return None

    async def answer(self, name: str, request: Request) -> Response:
        """Answer a call of an api that does not stream, as BentoML does; within its request.

        What comes after the answer is the response's `background`, None if there is nothing.
        """
        return await self.factory.api_endpoint_wrapper(name, request)

    async def parse(self, name: str, request: Request) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments for `run()` that a request holds; within it.

        Raises:
            ValidationError: If they do not fit.
            BentoMLException: If the body cannot be read.
        """
        return await self.factory.parse(name, request)

    def run(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any] | AsyncIterator[Any]:
        """Run an api: an awaitable of its value, or the iterator of its items if it streams; within a request."""
        return self.factory.run(name, args, kwargs)

    @contextmanager
    def in_request(self, request: Request) -> Generator[Any]:
        """Within the block the request is the current one; its temporary directory is gone after it."""
        _sdk.name_request()
        with self.service.context.in_request(request) as context:
            yield context

    def render_error(self, error: BaseException) -> Response:
        """The answer to a call that failed."""
        return self.factory.render_error(error)

    @property
    def _workers(self) -> list[Worker]:
        return [*self._dependencies.workers, self.factory]

    async def _live(self) -> None:
        async with AsyncExitStack() as stack:
            # As when a deployment begins, in BentoML's order: the entry service first.
            for worker in reversed(self._workers):
                _sdk.deploy(worker.service)
            await stack.enter_async_context(self._dependencies.living())
            stack.callback(_sdk.set_current_service, None)
            await stack.enter_async_context(self.factory.living())
            _sdk.set_current_service(self.factory.instance)
            for app, *_ in self.service.mount_apps:
                await stack.enter_async_context(_lifespan(app))
            await self._wait_until_ready()
            self._started.set_result(None)
            await self._over.wait()

    async def _wait_until_ready(self) -> None:
        said = None
        while (reason := await self._find_unready()) is not None:
            if reason != said:
                _LOGGER.info("not ready yet: %s", said := reason)
            await asyncio.sleep(_POLL_SECONDS)

    async def _find_unready(self) -> str | None:
        for worker in self._workers:
            try:
                if not await _elsewhere(worker, worker.is_ready):
                    return f"{worker.service.name} is not ready"
            except Exception as error:  # noqa: BLE001 - somebody's own code: raising says the same as False
                return f"{worker.service.name} is not ready: {type(error).__name__}: {error}"
        return None


async def _elsewhere(worker: Worker, question: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
    return await question() if worker.home.is_current else await Crossing(worker.home, question).result_async()


@asynccontextmanager
async def _lifespan(app: Any) -> AsyncGenerator[None]:
    """The lifespan of a mounted application, if it is of a kind for which BentoML runs it."""
    if isinstance(app, Starlette):
        async with app.router.lifespan_context(app):
            yield
    elif type(app).__module__.partition(".")[0] == "quart":
        await app.startup()
        try:
            yield
        finally:
            await app.shutdown()
    else:
        yield
