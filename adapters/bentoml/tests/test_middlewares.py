"""A service with middlewares of its own: every call passes them."""

import asyncio
import gzip
import json
import sys
from typing import Any

import pytest
from bento_operations import PNG, Faces, answer, call_with, data_uri, items, living

from livepeer.core import Call, Encoded, InvalidInputError, ModelFailedError, ModelRefusedError

pytestmark = pytest.mark.anyio

WRAPPED = "bento_unit_streams.py:Wrapped"
BOTH = pytest.mark.parametrize("face", ["native", "predict"])


def module() -> Any:
    return sys.modules["bento_unit_streams"]


async def ask(faces: Faces, face: str, name: str, document: Any = None, **headers: str) -> Any:
    op = getattr(faces, face)(name)
    call = call_with({"content-type": "application/json", **headers}, f"/{name}" if face == "native" else "")
    return await op.invoke(op.decode(json.dumps(document or {}).encode()), call)


@BOTH
async def test_an_answer_passes_the_middlewares(face: str) -> None:
    async with living(WRAPPED) as faces:
        found = await ask(faces, face, "later", **{"accept-encoding": "gzip"})
        headers = dict(found.headers)
        assert (headers[b"x-marked"], headers[b"content-encoding"]) == (b"1", b"gzip")
        assert gzip.decompress(found.body).startswith(b"now now" if face == "native" else b'"now now')
        await faces.runtime.afterwards.finish()
        assert module().MARKS[-1] == "kept"


@BOTH
async def test_a_middleware_may_answer_itself(face: str) -> None:
    async with living(WRAPPED) as faces:
        for name in ("later", "texts"):
            found = await ask(faces, face, name, **{"x-refuse": "1"})
            assert found == Encoded(b"not you", "text/plain", 451)


@BOTH
async def test_the_head_of_a_stream_passes_and_its_items_come_one_by_one(face: str) -> None:
    async with living(WRAPPED) as faces:
        module().MARKS.clear()
        streaming = await ask(faces, face, "endless", **{"accept-encoding": "gzip"})
        headers = dict(streaming.headers)
        assert headers[b"x-marked"] == b"1"
        assert b"content-encoding" not in headers
        async for item in streaming.items:
            if item.body == b"2":
                break
        await streaming.items.aclose()
        assert module().MARKS == ["endless closed"]


@BOTH
async def test_a_stream_has_its_context(face: str) -> None:
    async with living(WRAPPED) as faces:
        module().MARKS.clear()
        streaming, found = await items(getattr(faces, face)("stream_later"), call=call_with({}, ""))
        assert (streaming.status, [item.body for item in found]) == (206, [b'"/stream_later"'])
        await faces.runtime.afterwards.finish()
        assert module().MARKS == ["streamed"]


@BOTH
async def test_files_are_there_in_an_answer_and_a_stream(face: str) -> None:
    async with living(WRAPPED) as faces:
        _, found = await items(getattr(faces, face)("files"))
        assert found[0].body == b'{"b64":"cGFydA=="}'
        if face == "predict":
            document = {"path": data_uri("a,b"), "image": PNG}
            _, found = await items(faces.predict("lines"), json.dumps(document).encode())
            assert [item.body for item in found] == [b'"a"', b'"b"', b"[3,2]"]


async def test_errors_are_those_of_each_face() -> None:
    async with living(WRAPPED) as faces:
        native = await ask(faces, "native", "fails", {"after": 0, "kind": "bad"})
        assert (native.status, native.body, dict(native.headers)[b"x-marked"]) == (400, b'{"error":"enough"}', b"1")
        assert (await ask(faces, "native", "texts", {"count": "x"})).status == 400
        with pytest.raises(ModelRefusedError, match="enough"):
            await ask(faces, "predict", "fails", {"after": 0, "kind": "bad"})
        with pytest.raises(ValueError, match="secret"):
            await ask(faces, "predict", "fails", {"after": 0})
        with pytest.raises(InvalidInputError, match="path: "):
            await ask(faces, "predict", "lines", {"path": "%", "image": PNG})
        with pytest.raises(ModelRefusedError, match="denied"):
            await ask(faces, "predict", "denies")


@BOTH
@pytest.mark.parametrize(("kind", "error"), [("value", ValueError), ("bad", ModelRefusedError)])
async def test_an_error_between_two_items_reaches_the_call(face: str, kind: str, error: type[Exception]) -> None:
    async with living(WRAPPED) as faces:
        streaming = await ask(faces, face, "fails", {"kind": kind})
        with pytest.raises(error):
            [item async for item in streaming.items]


@BOTH
@pytest.mark.parametrize("name", ["waits", "waits_to_stream"])
async def test_a_call_that_is_cancelled_cancels_the_api(face: str, name: str) -> None:
    async with living(WRAPPED) as faces:
        module().MARKS.clear()
        module().REACHED.clear()
        task = asyncio.ensure_future(ask(faces, face, name))
        assert await asyncio.to_thread(module().REACHED.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert module().MARKS == ["waits cancelled"]


async def test_a_middleware_that_fails_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async with living(WRAPPED) as faces:
        found = await ask(faces, "native", "later", **{"x-refuse": "break"})
        assert found.status == 500
        assert "the service's application failed" in caplog.text
        assert (await ask(faces, "native", "texts", **{"x-refuse": "break"})).status == 500


@BOTH
async def test_an_api_that_exits_ends_its_call_alone(face: str) -> None:
    async with living(WRAPPED) as faces:
        if face == "native":
            assert (await ask(faces, face, "exits")).status == 500
        else:
            with pytest.raises(SystemExit):
                await ask(faces, face, "exits")
        for name in ("later", "texts"):
            with pytest.raises(ModelFailedError, match="ended without an answer"):
                await ask(faces, face, name, **{"x-refuse": "exit"})
        streaming = await ask(faces, face, "exits_later")
        with pytest.raises(SystemExit):
            [item async for item in streaming.items]
        assert (await ask(faces, face, "exits_afterwards")).status == 200
        await faces.runtime.afterwards.finish()


async def test_a_service_without_middlewares_is_called_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with living("bento_unit_outputs.py:Outputs") as faces:
        monkeypatch.setattr(faces.runtime, "app", None)
        assert (await answer(faces.native("text"), b"", call=Call())).body == b"text"
