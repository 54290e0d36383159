"""Everything that this adapter takes from BentoML; no other module imports it."""

import importlib
import random
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request

from livepeer.core import TargetError

from . import _environment
from ._version import ADVICE, installed_version

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

# BentoML reads the environment once, at its import.
_environment.prepare()


VERSION = installed_version()


def _find(module: str, name: str) -> Any:
    """One of BentoML's own names.

    Raises:
        TargetError: If this BentoML has no such name.
    """
    try:
        with warnings.catch_warnings():
            # BentoML's own, of how it uses other libraries: nobody who serves a service can do anything about them.
            warnings.simplefilter("ignore", DeprecationWarning)
            return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise TargetError(f"bentoml {VERSION} is not supported, it has no {module}.{name}: {ADVICE}") from error


if TYPE_CHECKING:

    class ServiceAppFactory:
        """What makes the application of a service; here with what is used of it."""

        dispatchers: dict[str, Any]
        max_concurrency: int | None
        _service_instance: Any
        _result_store: Any

        def __init__(self, service: Any, **options: Any) -> None: ...
        def __call__(self) -> Starlette: ...
        async def livez(self, _: Request) -> Response: ...
        async def readyz(self, _: Request) -> Response: ...
        async def batch_infer(self, name: str, input_args: tuple[Any, ...], input_kwargs: dict[str, Any]) -> Any: ...
        def _add_response_headers(self, resp: Response) -> None: ...

    class ContextMiddleware:
        """Makes a request the current one; here with what is used of it."""

        def __init__(self, app: ASGIApp, context: Any) -> None: ...
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...
else:
    ServiceAppFactory = _find("_bentoml_impl.server.app", "ServiceAppFactory")
    ContextMiddleware = _find("_bentoml_impl.server.app", "ContextMiddleware")

# Untyped on purpose: most of it is internal, and has no types for others.
Service: Any = _find("_bentoml_sdk", "Service")
Dependency: Any = _find("_bentoml_sdk.service.dependency", "Dependency")
APIMethod: Any = _find("_bentoml_sdk.method", "APIMethod")
RemoteProxy: Any = _find("_bentoml_impl.client", "RemoteProxy")
server_on_deployment: Any = _find("_bentoml_impl.server.serving", "server_on_deployment")
current_service: Any = _find("_bentoml_sdk.service", "get_current_service")
set_current_service: Any = _find("_bentoml_sdk.service", "set_current_service")
get_original_func: Any = _find("bentoml._internal.utils", "get_original_func")
is_async_callable: Any = _find("bentoml._internal.utils", "is_async_callable")
join_paths: Callable[..., str] = _find("bentoml._internal.utils.uri", "join_paths")
is_http_url: Callable[[str], bool] = _find("bentoml._internal.utils.uri", "is_http_url")
set_cookies: Any = _find("bentoml._internal.utils.http", "set_cookies")
log_exception: Any = _find("bentoml._internal.server.http_app", "log_exception")

IODescriptor: Any = _find("_bentoml_sdk.io_models", "IODescriptor")
IORootModel: Any = _find("_bentoml_sdk.io_models", "IORootModel")
IterableResponse: Any = _find("_bentoml_sdk.io_models", "IterableResponse")
ARGS: str = _find("_bentoml_sdk.io_models", "ARGS")
KWARGS: str = _find("_bentoml_sdk.io_models", "KWARGS")

JSONSerde: Any = _find("_bentoml_impl.serde", "JSONSerde")
MultipartSerde: Any = _find("_bentoml_impl.serde", "MultipartSerde")
ALL_SERDE: dict[str, Any] = _find("_bentoml_impl.serde", "ALL_SERDE")
Payload: Any = _find("_bentoml_impl.serde", "Payload")
PICKLE_MEDIA_TYPE: str = _find("_bentoml_impl.serde", "PickleSerde").media_type

HTTPError: Any = _find("httpx", "HTTPError")

Sqlite3Store: Any = _find("_bentoml_impl.tasks", "Sqlite3Store")
ResultStatus: Any = _find("_bentoml_impl.tasks", "ResultStatus")

BentoMLException: Any = _find("bentoml.exceptions", "BentoMLException")
BadInput: Any = _find("bentoml.exceptions", "BadInput")
NotFound: Any = _find("bentoml.exceptions", "NotFound")
ServiceUnavailable: Any = _find("bentoml.exceptions", "ServiceUnavailable")

ClientError: Any = _find("aiohttp", "ClientError")
"""What a `RemoteProxy` raises where there is nobody."""

_container: Any = _find("bentoml._internal.configuration.containers", "BentoMLContainer")
_load: Any = _find("_bentoml_impl.loader", "load")
_import_service: Any = _find("bentoml._internal.service.loader", "import_service")
_set_arguments: Any = _find("bentoml._internal.utils.args", "set_arguments")
_Bento: Any = _find("bentoml._internal.bento", "Bento")
DummyService: type[Any] = _find("_bentoml_sdk.service.factory", "_DummyService")
LegacyService: type[Any] = _find("bentoml._internal.service", "Service")
LegacyRunner: type[Any] = _find("bentoml._internal.runner", "Runner")
_context: Any = importlib.import_module("bentoml._internal.context")
server_context: Any = _find("bentoml._internal.context", "server_context")
_trace_context: Any = _find("bentoml._internal.context", "trace_context")
_request: Any = _find("bentoml._internal.context", "_request_var")
_response: Any = _find("bentoml._internal.context", "_response_var")
request_temp_dir: Callable[[], str] = _find("bentoml._internal.context", "request_temp_dir")
request_temp_dirs: Any = _find("bentoml._internal.context", "request_tempdir_pool")
PILImageEncoder: Any = _find("_bentoml_sdk.validators", "PILImageEncoder")

# `bentoml.importing()` hides what cannot be imported from whoever is no worker.
server_context.worker_index = _environment.worker_index()


def load(reference: str, working_dir: str | None = None) -> Any:
    """Import a service, for good: the working directory and `sys.path` stay as the service found them.

    Args:
        reference: ``service.py:Svc``, ``package.module:Svc``, a directory, or a bento's tag.
        working_dir: Where the reference begins; the current directory if None.

    Raises:
        TargetError: If BentoML finds no service there.
    """
    try:
        service = _load(reference, working_dir=working_dir, standalone_load=True)
    except BentoMLException as error:
        raise TargetError(f"{reference}: {error}") from error
    if not isinstance(service, Service):
        raise TargetError(
            f"{reference} is a service of BentoML 1.1 (bentoml.Service with runners): "
            "write it as a class with @bentoml.service"
        )
    return service


def find_service(reference: str) -> Any:
    """What a reference names, in the current directory; its module may have been imported before.

    Args:
        reference: ``module``, for its only service that no other depends on, or ``module:Svc``, or ``module:Svc.dep``
            for one that it depends on.

    Raises:
        TargetError: If BentoML finds nothing there, or cannot choose.
    """
    try:
        return _import_service(reference, standalone_load=True)
    except BentoMLException as error:
        raise TargetError(str(error)) from error


def services_of(service: Any) -> list[Any]:
    """A service, then all that it depends on, and they depend on.

    Raises:
        TargetError: If two of them have one name.
    """
    try:
        return list(service.all_services().values())
    except BentoMLException as error:
        raise TargetError(f"{service.name}: {error}") from error


def set_up(arguments: dict[str, Any], aliases: dict[str, str]) -> None:
    """Give what a service may ask for while it is imported.

    Args:
        arguments: For `bentoml.use_arguments()`.
        aliases: Tags of models, by the names that the service gives them.
    """
    _set_arguments(arguments)
    _container.model_aliases.set(aliases)


def open_bento(folder: Path) -> Any:
    """A built bento; the models that it was built with, if it has them, are what the service finds.

    Raises:
        TargetError: If BentoML cannot read it.
    """
    try:
        bento = _Bento.from_path(str(folder))
    except BentoMLException as error:
        raise TargetError(f"{folder.name}: {error}") from error
    models = bento._model_store
    if models is not None and models.list():
        _container.model_store.set(models)
    return bento


def configure(service: Any) -> dict[str, Any]:
    """Make a service the one of this process, and give its configuration, defaults filled in, and its dependencies'.

    The configuration is BentoML's global one; `BENTOML_CONFIG` and `BENTOML_CONFIG_OPTIONS` have their say in it.

    Raises:
        TargetError: If it contradicts itself, or cannot be read: two dependencies of one name, a value out of range.
    """
    try:
        service.inject_config()
        server_context.service_type = "entry_service"
        server_context.service_name = service.name
        server_context.service_routes = [
            join_paths(service.path_prefix, method.route) for method in service.apis.values()
        ]
        tag = None if service.bento is None else service.bento.tag
        server_context.bento_name = service.name if tag is None else tag.name
        server_context.bento_version = (None if tag is None else tag.version) or "not available"
        return cast("dict[str, Any]", _container.config.services.get())
    except (BentoMLException, OSError, ValueError) as error:
        raise TargetError(f"{service.name}: {error}") from error


def cors_options() -> dict[str, Any] | None:
    """What the entry service's `http.cors` allows, as Starlette's middleware takes it; None if it is off."""
    # Not by BentoML's own reading of it, which is that of the first service that a process has had.
    settings = dict(cast("dict[str, Any]", _container.http.cors.get()))
    if not settings.pop("enabled"):
        return None
    options = {name.removeprefix("access_control_"): value for name, value in settings.items() if value is not None}
    for name in ("allow_origins", "allow_headers"):
        if isinstance(options.get(name), str):
            options[name] = [options[name]]
    return options


def deploy(service: Any) -> None:
    """What BentoML does once before it starts a service's processes: models, hooks, an empty database for tasks."""
    if service.needs_task_db():
        for ending in ("-wal", "-shm"):
            # BentoML removes the database alone, and SQLite cannot read these without it.
            Path(result_store_file() + ending).unlink(missing_ok=True)
    server_on_deployment(service)


def result_store_file() -> str:
    """Where the tasks of this process are written down."""
    return cast("str", _container.result_store_file.get())


def names_traces() -> bool:
    """Whether the entry service's answers say to which trace they belong."""
    return bool(_container.http.response.trace_id.get())


def trace_id() -> str:
    """The current trace's, as BentoML writes it; all zeros outside of one."""
    return f"{_trace_context.trace_id:032x}"


def probes_dependencies() -> bool:
    """Whether the service counts as ready only while the services that it depends on do."""
    return bool(_container.api_server_config.runner_probe.enabled.get())


def name_request() -> None:
    """Give the current request an id of its own, as BentoML's tracing does."""
    _trace_context.request_id = random.getrandbits(64)


def request_id() -> str | None:
    """The current request's, as BentoML writes it; None if it has none."""
    number = _trace_context.request_id
    return None if number is None else f"{number:016x}"


@contextmanager
def request_within(context: Any, path: str) -> Generator[Any]:
    """A request of a call from within the process, and what is set for its answer.

    If the caller serves a request, its temporary directory is this one's too: what is left there outlives the call.

    Args:
        context: The service's.
        path: The api's.
    """
    outer = _request.get(None)
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
    if outer is None:
        with context.in_request(Request(scope, _receive_nothing)):
            yield context.response
        return
    # Starlette makes the state when it is first asked for: before the copy, so that there is one.
    assert outer.state is not None
    request: Any = Request({**outer.scope, **scope, "headers": outer.scope["headers"]}, _receive_nothing)
    request.metadata = request.headers
    request_token = _request.set(request)
    response_token = _response.set(response := _context.ServiceContext.ResponseContext())
    try:
        yield response
    finally:
        _request.reset(request_token)
        _response.reset(response_token)


async def _receive_nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def current_request() -> Any | None:
    """The request that the running code serves, None outside of one."""
    return _request.get(None)


def current_response() -> Any | None:
    """What the running code has set for its answer: status, headers, cookies, background; None outside of a request."""
    return _response.get(None)
