"""Streams on both faces."""

import asyncio
import json
import sys
from typing import Any

import pytest
from bento_operations import Faces, answer, call_with, items, living

from livepeer.core import (
    SSE_MEDIA_TYPE,
    Call,
    DeadlineExceededError,
    Encoded,
    ModelFailedError,
    ModelRefusedError,
    Streaming,
)

pytestmark = pytest.mark.anyio

STREAMS, SLOW, CONTEXTUAL = (
    "bento_unit_streams.py:Streams",
    "bento_unit_streams.py:Slow",
    "bento_unit_outputs.py:Contextual",
)
BOTH = pytest.mark.parametrize("face", ["native", "predict"])


def module() -> Any:
    return sys.modules["bento_unit_streams"]


def operation(faces: Faces, face: str, name: str) -> Any:
    return getattr(faces, face)(name)


async def bodies(faces: Faces, face: str, name: str, document: Any = None) -> list[bytes]:
    _, found = await items(operation(faces, face, name), json.dumps(document or {}).encode())
    return [item.body for item in found]


@BOTH
@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("texts", [b'"item 0 [DONE]"', b'"item 1 [DONE]"']),
        ("steps", [b'{"index":0}', b'{"index":1}']),
        ("arrays", [b"[1,2]"]),
        ("nothing", []),
        ("unannotated", [b'"a"', b'{"b64":"AP/+"}', b'{"x":[1]}', b"null", b'{"index":1}', b"1.5", b'"x"']),
    ],
)
async def test_each_item_is_json(face: str, name: str, events: list[bytes]) -> None:
    async with living(STREAMS) as faces:
        assert operation(faces, face, name).description.streams
        assert await bodies(faces, face, name) == events


@BOTH
async def test_files_in_a_stream_are_bytes(face: str) -> None:
    async with living(STREAMS) as faces:
        first, second = await bodies(faces, face, "files")
        assert first == b'{"b64":"cGFydA=="}'
        assert second.startswith(b'{"b64":"iVBOR')


@BOTH
async def test_events_that_are_written_by_hand_pass_as_they_are(face: str) -> None:
    async with living(STREAMS) as faces:
        _, found = await items(operation(faces, face, "by_hand"))
        assert found == [
            Encoded(b'event: step\nid: 1\ndata: {"a": 1}\n\n', SSE_MEDIA_TYPE),
            Encoded(b": comment\n\n", SSE_MEDIA_TYPE),
            Encoded(b"data: one\n\ndata: two\n\n", SSE_MEDIA_TYPE),
            Encoded(b'"data: no end"', "application/json"),
        ]


async def test_events_by_hand_are_made_fit_for_the_network() -> None:
    async with living(STREAMS) as faces:
        done = await bodies(faces, "predict", "by_hand", {"kind": "done"})
        assert done[2:] == [b'data: {"text": "\\u005bDONE]"}\n\n', b'"data: it is [DONE]\\n\\n"']
        long, text = (await bodies(faces, "predict", "by_hand", {"kind": "long"}))[2:]
        assert max(map(len, long.split(b"\n"))) <= 65_535
        data = b"".join(line.removeprefix(b"data: ") for line in long.split(b"\n"))
        assert json.loads(data) == {"text": "x" * 70_000}
        assert json.loads(text) == f"data: {'x' * 70_000}\n\n"


@BOTH
async def test_an_item_that_is_wrong_ends_the_stream(face: str) -> None:
    async with living(STREAMS) as faces:
        with pytest.raises(ModelFailedError, match="not what its annotation says"):
            await bodies(faces, face, "wrong")


async def test_what_fails_before_the_first_item_is_an_answer() -> None:
    async with living(STREAMS) as faces:
        native = await faces.request("fails", b'{"after":0,"kind":"bad"}')
        assert (native.status, native.body) == (400, b'{"error":"enough"}')
        assert dict(native.headers)[b"server"] == b"BentoML Service/Streams"
        late = await faces.request("fails", b'{"after":0,"kind":"late"}')
        assert late.status == 500
        invalid = await faces.request("texts", b'{"count":"x"}')
        assert (invalid.status, json.loads(invalid.body)["detail"][0]["loc"]) == (400, ["count"])
        with pytest.raises(ModelRefusedError, match="enough"):
            await answer(faces.predict("fails"), b'{"after":0,"kind":"bad"}')
        with pytest.raises(TimeoutError, match="own"):
            await answer(faces.predict("fails"), b'{"after":0,"kind":"late"}')


@BOTH
@pytest.mark.parametrize(("kind", "error"), [("value", ValueError), ("bad", ModelRefusedError), ("late", TimeoutError)])
async def test_what_fails_between_two_items_ends_the_stream(face: str, kind: str, error: type[Exception]) -> None:
    async with living(STREAMS) as faces:
        op = operation(faces, face, "fails")
        streaming = await op.invoke(op.decode(json.dumps({"kind": kind}).encode()), Call())
        seen: list[bytes] = []
        with pytest.raises(error):
            await collect(streaming, seen)
        assert seen == [b"0"]


async def collect(streaming: Streaming, into: list[bytes]) -> None:
    async for item in streaming.items:
        into.append(item.body)


@BOTH
@pytest.mark.parametrize("name", ["endless", "endless_sync"])
async def test_a_caller_that_leaves_closes_the_generator(face: str, name: str) -> None:
    async with living(STREAMS) as faces:
        module().MARKS.clear()
        op = operation(faces, face, name)
        streaming = await op.invoke(op.decode(b"{}"), Call())
        async for item in streaming.items:
            if item.body == b"3":
                break
        await streaming.items.aclose()
        assert ",".join(module().MARKS) == f"{name} closed"


@BOTH
async def test_the_head_is_what_is_set_before_the_first_item(face: str) -> None:
    async with living(CONTEXTUAL) as faces:
        marks = sys.modules["bento_unit_outputs"].MARKS
        marks.clear()
        streaming, found = await items(operation(faces, face, "items"), call=call_with({"x-own": "seen"}, "/items"))
        assert (streaming.status, dict(streaming.headers)[b"x-own"]) == (206, b"yes")
        assert b"x-late" not in dict(streaming.headers)
        assert b"content-type" not in dict(streaming.headers)
        assert [item.body for item in found] == [b"1", b'"seen"']
        await faces.runtime.afterwards.finish()
        assert marks == ["streamed"]


@BOTH
async def test_the_first_item_has_to_come_in_time(face: str) -> None:
    async with living(SLOW) as faces:
        module().MARKS.clear()
        op = operation(faces, face, "first")
        assert op.description.timeout_seconds is None
        if face == "native":
            found = await op.invoke(op.decode(b"{}"), Call())
            assert (found.status, found.body) == (504, b'{"error":"Not able to process the request in 1 seconds"}')
        else:
            with pytest.raises(DeadlineExceededError):
                await op.invoke(op.decode(b"{}"), Call())
        assert module().MARKS == ["first cancelled"]


async def test_later_items_may_take_their_time() -> None:
    async with living(SLOW) as faces:
        op = faces.predict("second")
        streaming = await op.invoke(op.decode(b"{}"), Call())
        assert [item.body async for item in streaming.items] == [b"1", b"2"]


@BOTH
async def test_a_call_that_is_cancelled_cancels_an_async_api(face: str) -> None:
    async with living(SLOW) as faces:
        task = await started(faces, face, "whole")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert module().MARKS == ["whole cancelled"]


@BOTH
async def test_a_call_that_is_cancelled_waits_for_the_thread_of_a_sync_api(face: str) -> None:
    async with living(SLOW) as faces:
        task = await started(faces, face, "sync")
        task.cancel()
        await asyncio.wait([task], timeout=0.05)
        assert not task.done()
        module().LET_GO.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert module().MARKS == ["sync ended"]


async def started(faces: Faces, face: str, name: str) -> "asyncio.Task[Any]":
    module().MARKS.clear()
    module().REACHED.clear()
    module().LET_GO.clear()
    op = operation(faces, face, name)
    task = asyncio.ensure_future(op.invoke(op.decode(b"{}"), Call()))
    assert await asyncio.to_thread(module().REACHED.wait, 10)
    return task
