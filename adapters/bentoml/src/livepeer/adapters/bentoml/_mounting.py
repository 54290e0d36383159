"""What of a service's own HTTP is served beside its operations, and what never is.

Served are the paths of the apis with all that is below them (a task's ``/submit`` and the rest, CORS preflights),
``/livez``, ``/readyz`` and ``/schema.json``, which BentoML's clients ask for, and whatever the service mounts. A path
prefix of the service's goes before all of them but ``/schema.json``, as in BentoML. Its index page, which loads
trackers, and its metrics are not served.
"""

from collections.abc import Iterator
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from livepeer.core import Mount

from . import _sdk
from ._openapi import service_openapi
from ._runtime import Runtime

_PROBES = ("/livez", "/healthz", "/readyz")
_SCHEMA = "/schema.json"
_METRICS = "/metrics"


def mounts_of(runtime: Runtime) -> tuple[Mount, ...]:
    """The one mount of a service: all of its HTTP lives in one application."""
    service = runtime.service
    app = ServiceHttp(runtime.app, prefix=service.path_prefix)
    return (Mount(app=app, paths=tuple(dict.fromkeys(_paths(service))), openapi=service_openapi(service)),)


class ServiceHttp:
    """A service's application, less what is not to be had from outside.

    Args:
        app: The application.
        prefix: What the service puts before its paths.
    """

    def __init__(self, app: ASGIApp, *, prefix: str = "") -> None:
        self._app = app
        self._refused = _sdk.join_paths(prefix, _METRICS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope. There is no lifespan: the capability's own setup has run it."""
        if scope["type"] == "lifespan":
            return
        if scope["path"] == self._refused:
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _paths(service: Any) -> Iterator[str]:
    for probe in _PROBES:
        yield _sdk.join_paths(service.path_prefix, probe)
    yield _SCHEMA
    for method in service.apis.values():
        path = _fixed(_sdk.join_paths(service.path_prefix, method.route))
        # The root is the contract's, and all below it would be everything.
        if path != "/":
            yield path
    for _, path, _ in service.mount_apps:
        yield _fixed(path)


def _fixed(path: str) -> str:
    """A path up to its first parameter, without a final slash."""
    return path.partition("{")[0].rpartition("/")[0] or "/" if "{" in path else path.rstrip("/") or "/"
