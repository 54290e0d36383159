"""Operations that speak a framework's own HTTP: any body, and answers with a status and headers of their own."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import anyio
import httpx2
import pytest
from edge_harness import eventually, serve_with

from livepeer.core import (
    Call,
    Encoded,
    Info,
    ModelRefusedError,
    OperationDescription,
    Streaming,
    sse_event,
)
from livepeer.server import InlineWorker, ServerOptions

pytestmark = pytest.mark.anyio

ASKED = {"content-type": "application/json"}


class Own:
    """Answers as its input says."""

    def __init__(
        self,
        *,
        name: str = "own",
        is_async: bool = False,
        streams: bool = False,
        types: Sequence[str] = (),
        **extra: Any,
    ) -> None:
        self.is_async = is_async
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.description = OperationDescription(
            name=name,
            path=f"/{name}",
            input_schema={"type": "object"},
            output_schema={},
            input_media_types=tuple(types) or ("application/json", "*/*"),
            streams=streams,
            **extra,
        )

    def decode(self, body: bytes, media_type: str) -> Any:
        return {"body": body.decode("latin-1"), "media_type": media_type}

    def invoke(self, value: Any, call: Call) -> Any:
        value |= {
            "url": call.url,
            "client": call.client,
            "headers": [[name.decode(), text.decode()] for name, text in call.raw_headers],
        }
        if self.description.streams:
            found = self._stream(json.loads(value["body"]))
            return self._soon(found) if self.is_async else found
        return self._wait(value) if self.is_async else self._answer(value)

    def encode(self, value: Any) -> Encoded:
        if isinstance(value, Encoded):
            return value
        return Encoded(json.dumps(value).encode(), "application/json")

    def _answer(self, value: Any) -> Any:
        self.entered.set()
        if value["body"] == "wait":
            self.gate.wait(20)
        if value["body"].startswith("bare "):
            return Encoded(b"x" * int(value["body"].removeprefix("bare ")), "")
        if value["body"].startswith("refuse "):
            raise ModelRefusedError("not today", status=int(value["body"].removeprefix("refuse ")))
        if not value["body"].startswith("["):
            return value
        status, headers, size = json.loads(value["body"])
        pairs = tuple((name.encode(), text.encode()) for name, text in headers)
        return Encoded(b"x" * size, "text/x-own", status=status, headers=pairs)

    async def _wait(self, value: Any) -> Any:
        if value["body"] == "for ever":
            await asyncio.Event().wait()
        return self._answer(value)

    def _stream(self, asked: Any) -> Any:
        if asked == "error":
            return Encoded(b'{"error": "no"}', "application/json", status=418, headers=((b"x-own", b"1"),))
        items = self._items_async() if self.is_async else self._items()
        return (
            items
            if asked == "plain"
            else Streaming(items, status=asked, headers=((b"x-own", b"1"), (b"set-cookie", b"a=1")))
        )

    async def _soon(self, value: Any) -> Any:
        return value

    def _items(self) -> Iterator[Any]:
        yield 1
        yield Encoded(sse_event(b'"named"', "token"), "text/event-stream")
        yield 2

    async def _items_async(self) -> AsyncIterator[Any]:
        for item in self._items():
            yield item


class OwnCapability:
    info = Info(name="own-wire", adapter="none")

    def __init__(self, *operations: Own) -> None:
        self.operations = operations

    def setup(self) -> None: ...

    def teardown(self) -> None: ...


def worker(*operations: Own) -> InlineWorker:
    return InlineWorker(lambda: OwnCapability(*operations))


@pytest.mark.parametrize("is_async", [False, True])
async def test_every_body_comes_as_it_was_sent(is_async: bool) -> None:
    async with serve_with(worker(Own(is_async=is_async))) as served:
        form = await served.client.post("/own?a=1&a=%20b", files={"f": ("n.txt", b"content", "text/plain")})
        assert "boundary=" in form.json()["media_type"]
        assert "content" in form.json()["body"]
        assert form.json()["url"] == "/own?a=1&a=%20b"
        bare = (await served.client.post("/own", content=b"\xff")).json()
        assert bare["client"][0] == "127.0.0.1"
        assert isinstance(bare["client"][1], int)
        assert (bare["body"], bare["media_type"], bare["url"]) == ("\xff", "", "/own")


async def test_headers_come_in_their_order_and_none_is_lost() -> None:
    async with serve_with(worker(Own())) as served:
        sent = [("x-many", "1"), ("X-Many", "2"), ("authorization", "Basic eA==")]
        headers = (await served.client.post("/own", headers=sent)).json()["headers"]
        assert [item for item in headers if item[0] == "x-many"] == [["x-many", "1"], ["x-many", "2"]]
        assert ["authorization", "Basic eA=="] in headers


async def test_the_servers_own_token_is_never_handed_on() -> None:
    async with serve_with(worker(Own()), options=ServerOptions(token="sesame")) as served:
        answer = await served.client.post("/own", headers={"authorization": "Bearer sesame"})
        assert [name for name, _ in answer.json()["headers"] if name == "authorization"] == []


async def test_an_operation_that_names_its_media_types_is_told_neither_url_nor_parameters() -> None:
    async with serve_with(worker(Own(types=["text/plain"]))) as served:
        answer = await served.client.post("/own?a=1", content="x", headers={"content-type": "text/plain; charset=x"})
        assert (answer.json()["url"], answer.json()["media_type"]) == ("", "text/plain")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("size", [3, 300_000])
async def test_an_answer_has_the_status_and_the_headers_that_the_model_gives(is_async: bool, size: int) -> None:
    async with serve_with(worker(Own(is_async=is_async))) as served:
        asked = [418, [["x-own", "1"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]], size]
        answer = await served.client.post("/own", json=asked)
        assert (answer.status_code, answer.headers["x-own"]) == (418, "1")
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert answer.headers["content-type"] == "text/x-own"
        assert answer.content == b"x" * size


@pytest.mark.parametrize("size", [0, 3, 300_000])
async def test_an_answer_may_have_no_media_type(size: int) -> None:
    async with serve_with(worker(Own(is_async=True))) as served:
        answer = await served.client.post("/own", content=f"bare {size}")
        assert (answer.status_code, answer.content) == (200, b"x" * size)
        assert "content-type" not in answer.headers


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_has_none(status: int) -> None:
    async with serve_with(worker(Own(is_async=True))) as served:
        for size in (0, 3, 300_000):
            answer = await served.client.post("/own", json=[status, [["x-own", "1"]], size])
            assert (answer.status_code, answer.content, answer.headers["x-own"]) == (status, b"", "1")
            assert "content-length" not in answer.headers


@pytest.mark.parametrize("status", [0, 100, 199, 600, 1000])
async def test_what_is_no_status_is_the_models_failure(status: int) -> None:
    async with serve_with(worker(Own(is_async=True))) as served:
        failed = await served.client.post("/own", json=[status, [], 1])
        assert (failed.status_code, failed.json()["code"]) == (500, "model_failed")


async def test_a_models_own_401_is_a_403() -> None:
    async with serve_with(worker(Own())) as served:
        assert (await served.client.post("/own", json=[401, [], 1])).status_code == 403
        refused = await served.client.post("/own", content="refuse 401")
        assert (refused.status_code, refused.json()["code"]) == (403, "refused")


async def test_what_frames_an_answer_is_the_servers() -> None:
    async with serve_with(worker(Own())) as served:
        asked = [["content-length", "1"], ["transfer-encoding", "chunked"], ["x-request-id", "z"], ["x-own", "1"]]
        answer = await served.client.post("/own", json=[200, asked, 5], headers={"x-request-id": "mine"})
        assert (answer.content, answer.headers["x-own"], answer.headers["x-request-id"]) == (b"xxxxx", "1", "mine")
        assert answer.headers.get_list("content-length") == ["5"]


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_header_that_would_split_the_answer_is_the_models_failure(is_async: bool) -> None:
    async with serve_with(worker(Own(is_async=is_async))) as served:
        for size in (1, 300_000):
            failed = await served.client.post("/own", json=[200, [["x-own", "1\r\nx-injected: 2"]], size])
            assert (failed.status_code, failed.json()["code"]) == (500, "model_failed")
            assert "x-injected" not in failed.headers
        assert (await served.client.post("/own", json=[200, [], 1])).status_code == 200


async def test_a_refusal_has_the_models_status_and_the_one_shape_of_errors() -> None:
    async with serve_with(worker(Own())) as served:
        refused = await served.client.post("/own", content="refuse 451")
        assert refused.headers["content-type"] == "application/problem+json"
        found = refused.json()
        assert (refused.status_code, found["status"], found["code"], found["detail"]) == (
            451,
            451,
            "refused",
            "not today",
        )


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_stream_has_a_head_of_its_own_and_events_with_a_type(is_async: bool) -> None:
    async with serve_with(worker(Own(is_async=is_async, streams=True))) as served:
        answer = await served.client.post("/own", json=202)
        assert (answer.status_code, answer.headers["x-own"], answer.headers["set-cookie"]) == (202, "1", "a=1")
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.text == 'data: 1\n\nevent: token\ndata: "named"\n\ndata: 2\n\ndata: [DONE]\n\n'
        assert (await served.client.post("/own", json="plain")).status_code == 200


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_stream_may_be_a_whole_answer_instead(is_async: bool) -> None:
    async with serve_with(worker(Own(is_async=is_async, streams=True))) as served:
        answer = await served.client.post("/own", json="error")
        assert (answer.status_code, answer.json(), answer.headers["x-own"]) == (418, {"error": "no"}, "1")
        assert answer.headers["content-type"] == "application/json"
        await served.until("IDLE")


async def test_operations_of_a_pool_share_their_slots() -> None:
    first, second, other = (
        Own(name="first", pool="both", capacity=2),
        Own(name="second", pool="both"),
        Own(name="other", pool="alone"),
    )
    async with serve_with(worker(first, second, other)) as served:
        assert (await served.health())["slots"]["capacity"] == 3
        async with (
            httpx2.AsyncClient(base_url=served.url, trust_env=False) as client,
            anyio.create_task_group() as tasks,
        ):
            for operation in (first, second):
                tasks.start_soon(lambda path: client.post(path, content="wait"), operation.description.path)
                await eventually(operation.entered.is_set)
            assert (await served.client.post("/first")).status_code == 503
            assert (await served.client.post("/second")).status_code == 503
            assert (await served.client.post("/other")).status_code == 200
            first.gate.set()
            second.gate.set()
        assert (await served.client.post("/second")).status_code == 200


@pytest.mark.parametrize("deadline", [None, 60.0])
async def test_an_operations_own_limit_of_time_holds(deadline: float | None) -> None:
    limited = Own(is_async=True, timeout_seconds=0.2)
    async with serve_with(worker(limited), options=ServerOptions(deadline_seconds=deadline)) as served:
        answer = await served.client.post("/own", content="for ever")
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert "0.2 s" in answer.json()["detail"]
        await served.until("IDLE")


async def test_the_servers_limit_of_time_goes_before_a_longer_one() -> None:
    limited = Own(is_async=True, timeout_seconds=60)
    async with serve_with(worker(limited), options=ServerOptions(deadline_seconds=0.2)) as served:
        assert (await served.client.post("/own", content="for ever")).status_code == 504
