"""One service alive: its instance and its hooks, and how its apis run."""

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import anyio.to_thread

from . import _sdk
from ._afterwards import Afterwards
from ._arguments import arguments_of
from ._batching import Batcher
from ._crossing import CallLoop
from ._local_proxy import LocalProxy
from ._threads import Threads

_LOGGER = logging.getLogger(__name__)

_PROBE_SECONDS = 5
"""What a service on the network has to say whether it is ready."""

_RETRY_SECONDS = 0.5
"""How long after a service on the network has not answered it is asked again."""


class Worker(_sdk.ServiceAppFactory):
    """What BentoML has a process for: one service, alive on the loop that `living()` is entered on.

    Args:
        service: What it serves.
        services: The configuration of all services of the process, by name.
        cors: What is allowed to other origins; None for no CORS at all.
    """

    def __init__(self, service: Any, services: Mapping[str, Any], cors: dict[str, Any] | None = None) -> None:
        super().__init__(
            service,
            is_main=False,  # no index page, no assets
            enable_metrics=False,
            services=dict(services),
            enable_access_control=cors is not None,
            access_control_options=cors or {},
        )
        self.service: Any
        self.threads = Threads(services[service.name].get("threads") or 1)
        self.home: CallLoop
        self.proxy: LocalProxy
        self._functions: dict[str, Callable[..., Any]] = {}
        self.afterwards = Afterwards()
        self.dispatchers: dict[str, Any] = {name: Batcher(each) for name, each in self.dispatchers.items()}

    @property
    def instance(self) -> Any:
        """The service's object, None while it is not alive."""
        return self._service_instance

    def is_async(self, name: str) -> bool:
        """Whether an api was written with `async def`."""
        original = _sdk.get_original_func(self.service.apis[name].func)
        return _sdk.is_async_callable(original) or inspect.isasyncgenfunction(original)

    @asynccontextmanager
    async def living(self) -> AsyncGenerator[None]:
        """Within the block the service is alive: made, started by its hooks, and stopped by them after it."""
        async with AsyncExitStack() as stack:
            self.home = CallLoop(self.service.name)
            stack.push_async_callback(self.home.close)
            for dispatcher in self.dispatchers.values():
                await stack.enter_async_context(dispatcher.running())
            for dependency in self.service.dependencies.values():
                if dependency.url is not None:
                    await stack.enter_async_context(_remote(dependency))
            if self.service.needs_task_db():
                self._result_store = _sdk.Sqlite3Store(_sdk.result_store_file())
                await stack.enter_async_context(self._result_store)
            instance = self._service_instance = self.service()
            stack.callback(self._forget)
            self._functions = {name: getattr(instance, name).local for name in self.service.apis}
            self.service.gradio_app_startup_hook(max_concurrency=self.max_concurrency)
            stack.push_async_callback(self._stop)
            for hook in self._hooks("__bentoml_startup_hook__"):
                await _call(hook)
            self.proxy = instance.__self_proxy__ = LocalProxy(self)
            instance.to_async, instance.to_sync = self.proxy.to_async, self.proxy.to_sync
            stack.push_async_callback(self.afterwards.finish)
            yield

    def run(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any] | AsyncIterator[Any]:
        """Run an api: an awaitable of its value, or the iterator of its items if it streams.

        Args:
            name: The api's.
            args: Its positional arguments.
            kwargs: The others, without its context.
        """
        kwargs = self._with_context(name, kwargs)
        function = self._functions[name]
        original = _sdk.get_original_func(function)
        if self.service.apis[name].batchable:
            return self.batch_infer(name, args, kwargs)
        if inspect.isgeneratorfunction(original):
            return self.threads.step(function(*args, **kwargs))
        call = partial(function, *args, **kwargs)
        return call() if self.is_async(name) else self.threads.run(call)

    async def invoke(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run an api for another service: with arguments as its function takes them, and a request of its own."""
        with self._request_within(name):
            running: Any = self.run(name, *self._bind(name, args, kwargs))
            return await running

    async def invoke_stream(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncGenerator[Any]:
        """Run an api that streams for another service."""
        with self._request_within(name):
            items: Any = self.run(name, *self._bind(name, args, kwargs))
            async with aclosing(items):
                async for item in items:
                    yield item

    def invoke_here(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a sync api for its own service, on this thread."""
        with self._request_within(name):
            args, kwargs = self._bind(name, args, kwargs)
            return self._functions[name](*args, **self._with_context(name, kwargs))

    async def is_alive(self) -> bool:
        """What the service's own `__is_alive__` says; on its loop."""
        return await self._ask("__is_alive__")

    async def is_ready(self) -> bool:
        """What the service's own `__is_ready__` says, and the services on the network that it depends on."""
        if not await self._ask("__is_ready__"):
            return False
        remote = [each for each in self.service.dependencies.values() if each.url is not None]
        if not _sdk.probes_dependencies():
            return True
        return all([await each.get().is_ready(_PROBE_SECONDS) for each in remote])

    async def _to_thread(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.threads.run(partial(func, *args, **kwargs))

    def _bind(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        method = self.service.apis[name]
        return arguments_of(method, method.input_spec.from_inputs(*args, **kwargs))

    def _with_context(self, name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        parameter = self.service.apis[name].ctx_param
        return kwargs if parameter is None else {**kwargs, parameter: self.service.context}

    @contextmanager
    def _request_within(self, name: str) -> Generator[None]:
        """The request of a call from within the process, whose answer's background runs after it."""
        path = _sdk.join_paths(self.service.path_prefix, self.service.apis[name].route)
        with _sdk.request_within(self.service.context, path) as response:
            yield
            if response.background.tasks:
                self.home.post(partial(self._start_background, response.background))

    def _start_background(self, background: Callable[[], Awaitable[None]]) -> None:
        self.afterwards.track(asyncio.ensure_future(self._run_background(background)))

    async def _run_background(self, background: Callable[[], Awaitable[None]]) -> None:
        try:
            await background()
        except (Exception, SystemExit):
            _LOGGER.exception("what %s does after an answer failed", self.service.name)

    async def _ask(self, question: str) -> bool:
        answer = getattr(self._service_instance, question, None)
        if answer is None:
            return True
        if _sdk.is_async_callable(answer):
            return bool(await answer())
        return bool(await anyio.to_thread.run_sync(answer))

    def _hooks(self, mark: str) -> Iterator[Callable[[], Any]]:
        for name in dir(self.service.inner):
            member = getattr(self.service.inner, name)
            if not name.startswith("__") and callable(member) and getattr(member, mark, False):
                yield getattr(self._service_instance, name)

    async def _stop(self) -> None:
        """Run the hooks for the end, each whatever becomes of the others: also after a start that failed half-way."""
        for hook in self._hooks("__bentoml_shutdown_hook__"):
            try:
                await _call(hook)
            except (Exception, SystemExit):
                _LOGGER.exception("a shutdown hook of %s failed", self.service.name)

    def _forget(self) -> None:
        self._service_instance = None
        self._functions = {}


async def _call(hook: Callable[[], Any]) -> None:
    result = hook()
    if inspect.isawaitable(result):
        await result


@asynccontextmanager
async def _remote(dependency: Any) -> AsyncGenerator[None]:
    """A dependency on the network, open within the block."""
    proxy = _sdk.RemoteProxy(dependency.url, service=dependency.on, media_type="application/json")
    try:
        await _open(proxy, dependency.url)
        dependency._resolved = proxy
        yield
    finally:
        dependency._resolved = None
        await proxy.close()


async def _open(proxy: Any, url: str) -> None:
    """Ask a service on the network what apis it has, until it answers, if `depends()` does not say."""
    said = ""
    while True:
        try:
            await proxy.__aenter__()
        except (_sdk.ClientError, _sdk.BentoMLException) as error:
            if said != str(error):
                _LOGGER.warning("the dependency %s does not answer yet: %s", url, said := str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
