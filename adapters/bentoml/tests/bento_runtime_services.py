"""Services for the tests of the runtime: they say what they do, and wait where a test wants them to."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from pathlib import Path

import bentoml
from bento_alive import Log
from starlette.applications import Starlette

from livepeer.core import current_call

LOG = Log()


@bentoml.service
class Below:
    @bentoml.on_deployment
    def deploy() -> None:
        LOG.say("below deployed")

    def __init__(self) -> None:
        LOG.say("below made")

    @bentoml.on_startup
    def begin(self) -> None:
        LOG.say("below started")

    @bentoml.on_shutdown
    async def end(self) -> None:
        LOG.say("below stopped")

    @bentoml.api
    def name(self) -> str:
        return "below"


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    # A task group has to be left by the task that entered it.
    async with asyncio.TaskGroup():
        LOG.say("mounted started")
        yield
        LOG.say("mounted stopped")


@bentoml.asgi_app(Starlette(lifespan=_lifespan), path="/mounted")
@bentoml.service
class Hooked:
    below = bentoml.depends(Below)

    @bentoml.on_deployment
    def deploy() -> None:
        LOG.say("deployed")

    def __init__(self) -> None:
        LOG.say(f"made over {self.below.name()}")

    @bentoml.on_startup
    def a_start(self) -> None:
        LOG.say("started")

    @bentoml.on_startup
    async def b_start(self) -> None:
        LOG.say(f"started async over {await self.below.to_async.name()}")

    @bentoml.on_shutdown
    def a_stop(self) -> None:
        LOG.say(f"stopped over {self.below.name()}")

    @bentoml.on_shutdown
    async def b_stop(self) -> None:
        LOG.say("stopped async")

    @bentoml.api
    def me(self) -> bool:
        return bentoml.get_current_service() is self


@bentoml.service
class SlowToStart:
    def __init__(self) -> None:
        LOG.say("slow begins")
        LOG.gate("slow").wait(20)

    @bentoml.on_shutdown
    def end(self) -> None:
        LOG.say("slow stopped")


@bentoml.service
class OverSlow:
    slow = bentoml.depends(SlowToStart)

    @bentoml.api
    def name(self) -> str:
        return "over"


@bentoml.service
class FailsToStart:
    below = bentoml.depends(Below)

    @bentoml.on_startup
    def begin(self) -> None:
        raise RuntimeError("no weights")

    @bentoml.on_shutdown
    def end(self) -> None:
        LOG.say("stopped")

    @bentoml.api
    def name(self) -> str:
        return "never"


@bentoml.service
class FailsToStop:
    @bentoml.on_shutdown
    def a(self) -> None:
        LOG.say("a")

    @bentoml.on_shutdown
    def b(self) -> None:
        raise RuntimeError("stuck")

    @bentoml.on_shutdown
    async def c(self) -> None:
        LOG.say("c")

    @bentoml.api
    def name(self) -> str:
        return "stops"


@bentoml.service
class Tended:
    """Is as well as the test has it."""

    alive = True
    ready = True

    def __is_alive__(self) -> bool:
        return type(self).alive

    async def __is_ready__(self) -> bool:
        LOG.say("asked")
        if type(self).ready is None:
            raise RuntimeError("cannot tell")
        return type(self).ready

    @bentoml.api
    def name(self) -> str:
        return "tended"


@bentoml.service
class OverTended:
    below = bentoml.depends(Tended)

    @bentoml.api
    def name(self) -> str:
        return self.below.name()


@bentoml.service(threads=2)
class Apis:
    """One api of each kind, and their bad days."""

    @bentoml.api
    def sync(self, x: int) -> int:
        return x + 1

    @bentoml.api
    async def awaited(self, x: int) -> int:
        return x + 2

    @bentoml.api
    def steps(self, count: int) -> Generator[int, None, None]:
        try:
            yield from range(count)
        finally:
            LOG.say("closed")

    @bentoml.api
    async def async_steps(self, count: int) -> AsyncGenerator[int, None]:
        try:
            for step in range(count):
                yield step
        finally:
            LOG.say("closed")

    @bentoml.api
    def fails(self) -> int:
        raise LookupError("the model's own")

    @bentoml.api
    def exits(self) -> int:
        sys.exit("enough")

    @bentoml.api
    def fails_later(self) -> Generator[int, None, None]:
        yield 1
        raise LookupError("the model's own")

    @bentoml.api
    def occupies(self, name: str) -> str:
        LOG.say(name)
        assert LOG.gate(name).wait(20)
        LOG.say(f"{name} ends")
        return name

    @bentoml.api
    def looks(self) -> bool:
        LOG.say("looks")
        assert LOG.gate("look").wait(20)
        call = current_call()
        return call is not None and call.cancelled

    @bentoml.api
    async def waits(self) -> None:
        LOG.say("waits")
        try:
            await asyncio.Event().wait()
        finally:
            LOG.say("let go")

    @bentoml.api
    def slow_steps(self, name: str) -> Generator[int, None, None]:
        try:
            yield 1
            LOG.say(name)
            assert LOG.gate(name).wait(20)
            yield 2
        finally:
            LOG.say(f"{name} closed")

    @bentoml.api
    def leaves_a_file(self, ctx: bentoml.Context) -> Path:
        path = Path(ctx.temp_dir) / "left.txt"
        path.write_text("left")
        return path

    @bentoml.api
    def says_more(self, x: int, ctx: bentoml.Context) -> dict[str, int]:
        ctx.response.status_code = 201
        ctx.response.headers["x-more"] = "yes"
        ctx.response.set_cookie("taste", "sweet")
        ctx.response.background.add_task(LOG.say, "afterwards")
        return {"x": x}

    @bentoml.api
    def refuses(self, how: str) -> int:
        raise {
            "input": bentoml.exceptions.InvalidArgument("no such voice"),
            "secret": bentoml.exceptions.BentoMLException(
                "what is inside", error_code=bentoml.exceptions.HTTPStatus(403)
            ),
            "broken": bentoml.exceptions.BentoMLException("what is inside"),
        }[how]

    @bentoml.api
    def size(self, file: Path) -> int:
        return len(file.read_bytes())

    @bentoml.api
    def root(self, numbers: list[int], /) -> int:
        return sum(numbers)

    @bentoml.api
    def asks_itself(self, x: int) -> int:
        return self.sync(x=x) + self.to_sync.awaited(x=x)

    @bentoml.api
    async def awaits_itself(self, x: int) -> int:
        return await self.to_async.sync(x=x) + await self.awaited(x=x)

    @bentoml.api
    async def blocks_on_itself(self, x: int) -> int:
        return self.to_sync.awaited(x=x)


@bentoml.service(threads=1)
class OneThread:
    @bentoml.api
    def outer(self, x: int) -> int:
        return self.to_sync.middle(x=x)

    @bentoml.api
    async def middle(self, x: int) -> int:
        return await self.to_async.inner(x=x)

    @bentoml.api
    def inner(self, x: int) -> int:
        return x + 1
