"""A small capability, served by `livepeer.server`: what is judged where a fact is about workers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

from livepeer.core import (
    Call,
    FunctionOperation,
    Info,
    LiveDescription,
    Operation,
    Registrar,
    SessionReport,
    SessionStart,
    UnauthorizedError,
)
from livepeer.server import (
    InlineWorker,
    Lifecycle,
    RegistrationOptions,
    Server,
    ServerOptions,
    bind,
    listening,
    make_registrar,
)

TOKEN = "conformance-token"


class Moment:
    """Something that happens once, in whatever thread, and is waited for in another."""

    def __init__(self) -> None:
        self._future = Future[None]()

    def happen(self) -> None:
        """Let it happen; a second time is no harm."""
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self) -> None:
        """Return once it has happened."""
        await asyncio.shield(asyncio.wrap_future(self._future))


class Model:
    """What is served; the check's own way to steer it from outside.

    Args:
        name: The capability's name.
        capacity: How many calls it takes at once.
        setup: What its setup does: nothing, wait until it is released, or fail.
        answers_text: Whether the default operation answers a string instead of an object.
    """

    def __init__(
        self,
        name: str,
        *,
        capacity: int = 1,
        setup: Literal["nothing", "wait", "fail"] = "nothing",
        answers_text: bool = False,
    ) -> None:
        self.info = Info(name=name, version="1.0.0", description="a conformance check", adapter="conformance")
        self.calls = 0
        """How many calls have begun."""
        self.reset()
        self._setup: Literal["nothing", "wait", "fail"] = setup
        predict = self.say if answers_text else self.predict
        self.operations: Sequence[Operation] = (
            FunctionOperation(predict, capacity=capacity),
            FunctionOperation(self.tell, name="tell", path="/tell"),
        )

    def reset(self) -> None:
        """Forget what has happened, before another call is held."""
        self.entered = Moment()
        """A call is held."""
        self.released = Moment()
        """Held calls go on, and a setup that waits."""
        self.cancelled = Moment()
        """A held call was cancelled."""

    async def setup(self) -> None:
        """Set up as it was told."""
        if self._setup == "fail":
            raise RuntimeError("the weights are gone")
        if self._setup == "wait":
            await self.released.wait()

    async def teardown(self) -> None:
        """Let go of nothing."""

    async def predict(
        self, do: Literal["echo", "hold", "break", "deny"] = "echo", value: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Give the object back, or do as it is told."""
        self.calls += 1
        if do == "hold":
            await self._hold()
        if do == "break":
            raise RuntimeError("a bug")
        if do == "deny":
            raise UnauthorizedError("the application's own")
        return value or {}

    async def say(self, text: str = "") -> str:
        """Give a text back."""
        return text

    async def tell(self, items: list[str], pause_seconds: float = 0) -> AsyncIterator[str]:
        """Yield the items."""
        for item in items:
            yield item
            await asyncio.sleep(pause_seconds)

    async def _hold(self) -> None:
        self.entered.happen()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.happen()
            raise


class LiveModel(Model):
    """A model that runs sessions too, which do nothing until they are stopped."""

    @property
    def live(self) -> "Idling":
        """What runs them."""
        return self._idling

    def __init__(self, name: str, **model: Any) -> None:
        super().__init__(name, **model)
        self._idling = Idling()


class Idling:
    """Sessions that only last."""

    description = LiveDescription(params_schema={})

    def __init__(self) -> None:
        self._stopped: dict[str, asyncio.Event] = {}

    async def run(self, start: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
        """Last until it is stopped."""
        stopped = self._stopped[start.stream_id] = asyncio.Event()
        try:
            yield SessionReport(state="running")
            await stopped.wait()
            yield SessionReport(state="ended", reason="stopped")
        finally:
            del self._stopped[start.stream_id]

    async def update(self, stream_id: str, params: Any) -> Any:
        """Take any params, and do nothing about them."""
        return params

    async def stop(self, stream_id: str, reason: str) -> None:
        """Let a session end."""
        if stream_id in self._stopped:
            self._stopped[stream_id].set()


class Served:
    """A capability that is being served.

    Args:
        model: What is served.
        server: What serves it.
        url: Its base URL.
        token: The bearer token that its POST routes want; empty for none.
    """

    def __init__(self, model: Model, server: Server, url: str, token: str) -> None:
        self.model = model
        self.server = server
        self.url = url
        self.token = token

    async def until_ready(self) -> None:
        """Wait until a call would be served."""
        changed = asyncio.Event()
        self.server.lifecycle.listen(changed.set)
        while not self.server.lifecycle.ready:
            changed.clear()
            await changed.wait()


@asynccontextmanager
async def serving(
    model: Model,
    *,
    host: str,
    token: str = TOKEN,
    options: Mapping[str, Any] | None = None,
    registration: Mapping[str, Any] | None = None,
) -> AsyncGenerator[Served]:
    """Serve a model on a free port within the block.

    Args:
        model: What to serve.
        host: Where to listen.
        token: The bearer token; empty for none.
        options: The server's, beside the token.
        registration: How it announces itself, without its own URL and token; None if it does not.
    """
    sock = bind(host, 0)
    url = f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"
    made: Callable[[Lifecycle], Registrar] | None = None
    if registration is not None:
        offer = RegistrationOptions.model_validate({**registration, "capability_url": url, "token": token or "none"})
        made = partial(make_registrar, options=offer)
    settings = ServerOptions.model_validate({"token": token or None, **(options or {})})
    server = Server(InlineWorker(lambda: model), options=settings, registrar=made)
    async with listening(server, sock):
        try:
            yield Served(model, server, url, token)
        finally:
            model.released.happen()
