"""A service's HTTP as BentoML has it, less what the server around it does: timeouts, limits, logs, metrics, tracing."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from pydantic import ValidationError
from starlette.background import BackgroundTasks
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from livepeer.core import CallError

from . import _sdk
from ._arguments import arguments_of
from ._local_paths import refuse_local_paths
from ._rendering import render
from ._serdes import serde_for
from ._tasks import Tasks
from ._worker import Worker

_LOGGER = logging.getLogger(__name__)

_FAILURE = "An unexpected error has occurred, please check the server log."


class HybridFactory(Worker):
    """Makes the application of the service that is served.

    Args:
        service: The service.
        services: The configuration of all services of the process, by name.
        cors: What is allowed to other origins; None for no CORS at all.
    """

    def __init__(self, service: Any, services: Mapping[str, Any], cors: dict[str, Any] | None) -> None:
        super().__init__(service, services)
        self._cors = cors
        self._names_traces = _sdk.names_traces()
        self.tasks = Tasks(self)

    @property
    def has_middlewares(self) -> bool:
        """Whether something of the user's stands before the apis."""
        return bool(self.service.middlewares) or self._cors is not None

    @property
    def middlewares(self) -> list[Middleware]:
        """The user's own, CORS, and the one that knows the request."""
        cors = [] if self._cors is None else [Middleware(CORSMiddleware, **self._cors)]
        own = [Middleware(each, **options) for each, options in self.service.middlewares]
        return [*own, *cors, Middleware(_RequestMiddleware, context=self.service.context)]

    @property
    def routes(self) -> list[BaseRoute]:
        """The apis', and those of the tasks, of BentoML's health checks too."""
        prefix = self.service.path_prefix
        routes: list[BaseRoute] = [
            Route(_sdk.join_paths(prefix, f"/{name}"), endpoint, name=name)
            for name, endpoint in (("livez", self.livez), ("healthz", self.livez), ("readyz", self.readyz))
        ]
        for name, method in self.service.apis.items():
            path = _sdk.join_paths(prefix, method.route)
            routes.append(Route(path, partial(self._answer, name), methods=["POST"], name=name))
            if method.is_task:
                routes.extend(self.tasks.routes(name, method))
        return routes

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncGenerator[None]:
        """Nothing: the service is alive before its application is served."""
        yield

    async def api_endpoint_wrapper(self, name: str, request: Request) -> Response:
        """Answer a call as BentoML does, whatever happens; within its request."""
        try:
            response = await self.api_endpoint(name, request)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - logged where it is rendered
            response = self.render_error(error, request)
        self._add_response_headers(response)
        background = self.service.context.response.background
        if response.background is not None:
            background.tasks.append(response.background)
        response.background = background if background.tasks else None
        return response

    async def api_endpoint(self, name: str, request: Request) -> Response:
        """Answer a call, or raise what its api raises.

        Whoever sends a call through the application may have something in its scope: ``livepeer.answer``, which
        answers in place of the api, or ``livepeer.items``, a `Hatch` for the items of a stream.
        """
        method = self.service.apis[name]
        if (answer := request.scope.get("livepeer.answer")) is not None:
            response = await answer(request)
        else:
            args, kwargs = await self.parse(name, request)
            response = await self._run_to_response(method, self.run(name, args, kwargs), request)
        if method.ctx_param is not None:
            context = self.service.context.response
            response.status_code = context.status_code
            response.headers.update(context.metadata)
            _sdk.set_cookies(response, context.cookies)
        return response

    async def parse(self, name: str, request: Request) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of an api that a request holds.

        Raises:
            ValidationError: If they do not fit.
            BentoMLException: If the body cannot be read.
        """
        method = self.service.apis[name]
        try:
            parsed = await method.input_spec.from_http_request(request, serde_for(_media_type(request)))
        except (ValidationError, _sdk.BentoMLException):
            raise
        except OSError as error:
            # A picture that is none; for this and for the next, BentoML blames itself.
            raise _sdk.BadInput("the body cannot be read: a file in it is not what it should be") from error
        except (ValueError, MultiPartException, HTTPException) as error:
            raise _sdk.BadInput(f"the body cannot be read: {error}") from error
        refuse_local_paths(parsed)
        return arguments_of(method, parsed)

    def render_error(self, error: BaseException, request: Request | None = None) -> Response:
        """The answer to a call that failed."""
        document, status = _describe(error)
        if status >= 500:
            _LOGGER.error("%s failed", "a call" if request is None else request.url.path, exc_info=error)
        return JSONResponse(document, status_code=status)

    async def _answer(self, name: str, request: Request) -> Response:
        response = await self.api_endpoint_wrapper(name, request)
        background = response.background if isinstance(response.background, BackgroundTasks) else BackgroundTasks()
        background.add_task(request.close)
        response.background = background
        return response

    async def _run_to_response(self, method: Any, running: Any, request: Request) -> Response:
        if method.is_stream and (hatch := request.scope.get("livepeer.items")) is not None:
            return await hatch.open(running)
        output = running if method.is_stream else await running
        return await render(method.output_spec, output, serde_for(_media_type(request)))

    def _add_response_headers(self, resp: Response) -> None:
        resp.headers["Server"] = f"BentoML Service/{self.service.name}"
        if (request_id := _sdk.request_id()) is not None:
            resp.headers["X-BentoML-Request-ID"] = request_id
        if self._names_traces:
            resp.headers["X-BentoML-Trace-ID"] = _sdk.trace_id()


class _RequestMiddleware(_sdk.ContextMiddleware):
    """Knows the request, and gives it an id."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _sdk.name_request()
        await super().__call__(scope, receive, send)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "application/json").split(";")[0].strip()


def _describe(error: BaseException) -> tuple[dict[str, Any], int]:
    match error:
        case ValidationError():
            count = f"{error.error_count()} validation error for {error.title}"
            return {"error": count, "detail": error.errors(include_context=False, include_input=False)}, 400
        case CallError():
            return {"error": error.detail}, error.status
        case _sdk.BentoMLException():
            status = int(error.error_code)
            if status in (401, 403):
                return {"error": "Authorization error"}, status
            return {"error": str(error) if status < 500 else _FAILURE}, status
        case _:
            return {"error": _FAILURE}, 500
