"""How apis run: on the loop or on threads, whole or in steps, to their end or until their caller leaves."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from bento_alive import alive, call, items_of, request
from bento_runtime_services import LOG, Apis, OneThread
from edge_harness import eventually

from livepeer.adapters.bentoml._runtime import Runtime
from livepeer.core import Call

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def log() -> None:
    LOG.clear()


def start(runtime: Runtime, name: str, /, **kwargs: Any) -> "asyncio.Task[Any]":
    return asyncio.create_task(call(runtime, name, **kwargs))


async def heard(line: str) -> None:
    await eventually(lambda: line in LOG.lines, line)


async def test_sync_and_async_apis_return_their_values() -> None:
    async with alive(Apis) as runtime:
        assert await call(runtime, "sync", x=1) == 2
        assert await call(runtime, "awaited", x=1) == 3


@pytest.mark.parametrize("name", ["steps", "async_steps"])
async def test_a_stream_gives_every_item(name: str) -> None:
    async with alive(Apis) as runtime:
        assert await items_of(runtime, name, count=50) == list(range(50))
        assert list(LOG.lines) == ["closed"]


@pytest.mark.parametrize("name", ["steps", "async_steps"])
async def test_a_stream_is_closed_when_its_consumer_leaves(name: str) -> None:
    async with alive(Apis) as runtime:
        with runtime.in_request(request()):
            items: Any = runtime.run(name, (), {"count": 50})
            assert await anext(items) == 0
            await items.aclose()
        assert list(LOG.lines) == ["closed"]


async def test_a_sync_stream_that_is_cancelled_within_a_step_is_closed_after_it() -> None:
    async with alive(Apis) as runtime:
        task = asyncio.create_task(items_of(runtime, "slow_steps", name="s"))
        await heard("s")
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        LOG.gate("s").set()
        await asyncio.wait([task])
        assert task.cancelled()
        assert LOG.lines[-1] == "s closed"


async def test_the_apis_own_error_comes_out() -> None:
    async with alive(Apis) as runtime:
        with pytest.raises(LookupError, match="the model's own"):
            await call(runtime, "fails")
        with pytest.raises(LookupError, match="the model's own"):
            await items_of(runtime, "fails_later")


async def test_an_exit_ends_its_call_alone() -> None:
    async with alive(Apis) as runtime:
        with pytest.raises(SystemExit, match="enough"):
            await call(runtime, "exits")
        assert await call(runtime, "sync", x=1) == 2


async def test_no_more_sync_apis_run_at_once_than_there_are_threads() -> None:
    async with alive(Apis) as runtime:
        tasks = [start(runtime, "occupies", name=name) for name in "abc"]
        await eventually(lambda: len(LOG.lines) == 2)
        assert await call(runtime, "awaited", x=1) == 3  # the loop is free
        assert list(LOG.lines) == ["a", "b"]
        LOG.gate("a").set()
        await heard("c")
        for name in "bc":
            LOG.gate(name).set()
        assert await asyncio.gather(*tasks) == ["a", "b", "c"]


async def test_a_cancelled_sync_api_keeps_its_thread_until_it_ends() -> None:
    async with alive(Apis) as runtime:
        first, second = start(runtime, "occupies", name="a"), start(runtime, "occupies", name="b")
        await eventually(lambda: len(LOG.lines) == 2)
        first.cancel()
        third = start(runtime, "occupies", name="c")
        LOG.gate("c").set()
        assert await call(runtime, "awaited", x=1) == 3
        assert "c" not in LOG.lines
        assert not first.done()
        LOG.gate("a").set()
        await asyncio.wait([first])
        assert first.cancelled()
        assert LOG.lines[2] == "a ends"
        assert await third == "c"
        LOG.gate("b").set()
        await second


async def test_a_sync_api_can_look_whether_anybody_waits() -> None:
    async with alive(Apis) as runtime:
        mine = Call()
        with mine.running():
            task = start(runtime, "looks")
        await heard("looks")
        mine.cancelled = True
        LOG.gate("look").set()
        assert await task is True


async def test_a_cancelled_async_api_ends_at_once() -> None:
    async with alive(Apis) as runtime:
        task = start(runtime, "waits")
        await heard("waits")
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert LOG.lines[-1] == "let go"


async def test_the_temporary_directory_goes_with_the_request() -> None:
    async with alive(Apis) as runtime:
        with runtime.in_request(request()):
            running: Any = runtime.run("leaves_a_file", (), {})
            path: Path = await running
            assert path.read_text() == "left"  # noqa: ASYNC240 - a test may
        assert not path.exists()  # noqa: ASYNC240


async def test_an_answer_is_as_bentoml_makes_it() -> None:
    async with alive(Apis) as runtime:
        asked = request("/says_more", b'{"x": "5"}')
        with runtime.in_request(asked):
            answer = await runtime.answer("says_more", asked)
            assert answer.status_code == 201
            assert answer.headers["x-more"] == "yes"
            assert answer.headers["set-cookie"].startswith("taste=sweet")
            assert answer.headers["server"] == "BentoML Service/Apis"
            assert len(answer.headers["x-bentoml-request-id"]) == 16
            assert answer.background is not None
            await answer.background()
        assert list(LOG.lines) == ["afterwards"]


def form(value: str) -> bytes:
    return f'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n{value}\r\n--x--\r\n'.encode()


async def test_a_body_that_is_the_only_argument_is_read_as_one() -> None:
    async with alive(Apis) as runtime:
        for _ in range(2):
            asked = request("/root", b"[1, 2, 3]")
            with runtime.in_request(asked):
                assert await runtime.parse("root", asked) == (([1, 2, 3],), {})


@pytest.mark.parametrize(
    ("name", "body", "media_type", "status", "error"),
    [
        ("root", b"[1, ", "application/json", 400, "the body cannot be read: "),
        ("root", b'["x"]', "application/json", 400, "1 validation error for "),
        ("size", form("http://127.0.0.1:1/x"), "multipart/form-data; boundary=x", 400, "127.0.0.1"),
        ("size", form("nothing"), "multipart/form-data; boundary=x", 400, "a file is expected, or the http"),
        ("sync", b"{}", "application/json", 400, "1 validation error for Input"),
        ("sync", b"{", "application/json", 400, "1 validation error for Input"),
        ("sync", b"\x80", "application/vnd.bentoml+pickle", 415, "application/vnd.bentoml+pickle is not allowed"),
        ("sync", b"--x\r\n", "multipart/form-data", 400, "the body cannot be read"),
        ("refuses", b'{"how": "input"}', "application/json", 400, "no such voice"),
        ("refuses", b'{"how": "secret"}', "application/json", 403, "Authorization error"),
        ("refuses", b'{"how": "broken"}', "application/json", 500, "An unexpected error"),
        ("fails", b"", "application/json", 500, "An unexpected error"),
        ("exits", b"", "application/json", 500, "An unexpected error"),
    ],
)
async def test_a_failure_is_an_answer_with_one_object(
    name: str, body: bytes, media_type: str, status: int, error: str
) -> None:
    async with alive(Apis) as runtime:
        asked = request(f"/{name}", body, media_type)
        with runtime.in_request(asked):
            answer = await runtime.answer(name, asked)
        assert answer.status_code == status
        assert json.loads(bytes(answer.body))["error"].startswith(error)
        assert answer.background is None


async def test_a_service_calls_itself_in_every_way() -> None:
    async with alive(Apis) as runtime:
        assert await call(runtime, "asks_itself", x=1) == 5
        assert await call(runtime, "awaits_itself", x=1) == 5


async def test_a_loop_that_would_wait_for_itself_is_told_so() -> None:
    async with alive(Apis) as runtime:
        with pytest.raises(RuntimeError, match=r"await to_async\.awaited"):
            await call(runtime, "blocks_on_itself", x=1)


async def test_a_thread_that_waits_for_its_own_service_lends_its_slot() -> None:
    async with alive(OneThread) as runtime:
        assert await asyncio.gather(*(call(runtime, "outer", x=x) for x in range(20))) == list(range(1, 21))
