"""The contract's own face of an api: a JSON document in, the value itself out."""

import json
import sys
from typing import Any

import pytest
from bento_operations import PNG, answer, call_with, in_base64, living

from livepeer.core import (
    BusyError,
    CallError,
    Encoded,
    MalformedBodyError,
    ModelFailedError,
    ModelRefusedError,
    TargetError,
)

pytestmark = pytest.mark.anyio

INPUTS, OUTPUTS, CONTEXTUAL = (
    "bento_unit_inputs.py:Inputs",
    "bento_unit_outputs.py:Outputs",
    "bento_unit_outputs.py:Contextual",
)


def marks() -> list[str]:
    return sys.modules["bento_unit_outputs"].MARKS


@pytest.mark.parametrize(
    ("name", "document", "value"),
    [
        ("named", {"text": "a", "day": "2026-01-02", "unknown": 1}, {"text": "a", "count": 2, "day": "2026-01-02"}),
        ("named", {"text": "a", "count": "3"}, {"text": "a", "count": 3, "day": None}),
        ("bounded", {"size": 8, "words": ["a"]}, [8, ["a"], "untitled"]),
        ("nothing", None, "called"),
        ("unannotated", {"first": {"a": [1]}}, [{"a": [1]}, 3]),
        ("extra", {"first": 1, "kwargs": {"a": 2}}, {"first": 1, "rest": {"a": 2}}),
        ("listed", {"args": [1, 2]}, "([1, 2],)"),
        ("model", {"point": {"x": 1, "mood": "bad"}}, "Point(x=1, mood=<Mood.BAD: 'bad'>) None"),
        ("tree", {"tree": {"name": "a"}}, {"name": "a", "children": []}),
        ("union", {"either": "1", "mood": "good"}, ["'1'", "GOOD"]),
        ("union", {"either": None, "mood": "good"}, ["None", "GOOD"]),
        ("root_text", "hello", "hello"),
        ("root_default", None, "None"),
        ("root_default", "text", "'text'"),
        ("root_model", {"x": 5}, "Point5"),
        ("root_list", [1, "2"], 3),
        ("root_dict", {"b": 1, "a": 2}, ["a", "b"]),
        ("root_dict", None, []),
        ("root_bytes", in_base64("ab"), "b'ab'"),
        ("root_path", in_base64("text"), ["", "text"]),
        ("root_image", PNG, ["PNG", 3, 2]),
        ("root_array", [[1, 2], [3, 4]], 10.0),
        ("arrays", {"free": [[1, 2]], "fixed": [1, 2, 3, 4, 5, 6], "bits": [1]}, [[1, 2], [2, 3], "float32", "uint8"]),
        ("tables", {"rows": [{"a": 1}], "columns": {"x": [1], "y": [2]}}, [[1, 1], ["a"], ["x", "y"]]),
        ("tables", {"rows": {"a": [1]}, "columns": [{"y": 1}]}, [[1, 1], ["a"], ["x", "y"]]),
    ],
)
async def test_a_document_becomes_the_arguments(name: str, document: Any, value: Any) -> None:
    async with living(INPUTS) as faces:
        assert await faces.value(name, document) == value


@pytest.mark.parametrize(
    ("name", "document", "fields"),
    [
        ("named", None, {"text"}),
        ("named", [], {""}),
        ("named", {"text": 1, "count": "x", "day": "soon"}, {"text", "count", "day"}),
        ("bounded", {"size": 9, "words": [], "title": None}, {"size", "words", "title"}),
        (
            "model",
            {"point": {"x": "a", "mood": "odd"}, "other": {"text": "A"}},
            {"point.x", "point.mood", "other.text"},
        ),
        ("tree", {"tree": {"name": "a", "children": [{}]}}, {"tree.children.0.name"}),
        ("union", {"either": [], "mood": 1}, {"either.int", "either.str", "mood"}),
        ("extra", {"kwargs": 1}, {"first", "kwargs"}),
        ("root_text", 5, {""}),
        ("root_text", None, {""}),
        ("root_model", {}, {"x"}),
        ("root_list", [1, "x", "y"], {"1", "2"}),
        ("root_array", [[1], [2, 3]], {""}),
        ("arrays", {"free": [[1], [2, 3]], "fixed": [1], "bits": [300]}, {"free", "fixed", "bits"}),
        ("arrays", {"bits": {}}, {"free", "fixed", "bits"}),
        ("tables", {"rows": 5, "columns": "a"}, {"rows", "columns"}),
    ],
)
async def test_every_field_that_does_not_fit_is_named(name: str, document: Any, fields: set[str]) -> None:
    async with living(INPUTS) as faces:
        assert set(await faces.refusal(name, document)) == fields


async def test_a_fault_of_a_validator_is_not_the_callers() -> None:
    async with living(INPUTS) as faces:
        with pytest.raises(TypeError, match="a validator with a fault"):
            await faces.document("broken", {"text": "a"})


@pytest.mark.parametrize("body", [b"{", b'{"text": "a"} x', b"\xff", b'{"text": "\\ud800"}', b"[" * 100_000, b"text"])
@pytest.mark.parametrize("name", ["named", "root_text", "files", "arrays"])
async def test_what_is_no_json_is_malformed(name: str, body: bytes) -> None:
    async with living(INPUTS) as faces:
        with pytest.raises(MalformedBodyError):
            await answer(faces.predict(name), body)


@pytest.mark.parametrize(
    ("name", "document", "body", "media_type"),
    [
        ("text", None, b'"text"', "application/json"),
        ("number", None, b"5", "application/json"),
        ("nothing", None, b"null", "application/json"),
        ("raw", None, b"\xff\x00", "application/octet-stream"),
        ("typed_raw", None, b"GIF89a", "image/gif"),
        ("model", None, b'{"x":1,"label":"here","nearest":{"x":2,"label":"here","nearest":null}}', "application/json"),
        ("perhaps", {"give": True}, b'{"x":1,"label":"here","nearest":null}', "application/json"),
        ("perhaps", {"give": False}, b"null", "application/json"),
        ("array", None, b"[[1.5,2.0],[3.0,4.0]]", "application/json"),
        ("rows", None, b'[{"a":1,"b":"x"},{"a":2,"b":"y"}]', "application/json"),
        ("columns", None, b'{"a":[1,2],"b":["x","y"]}', "application/json"),
        ("path", None, b"found", "text/plain"),
        ("unnamed_path", None, b"found", "audio/mp3"),
        ("anything", {"kind": "text"}, b'"text"', "application/json"),
        ("anything", {"kind": "bytes"}, b"\xff\x00", "application/octet-stream"),
        ("anything", {"kind": "model"}, b'{"x":1,"label":"here","nearest":null}', "application/json"),
        ("anything", {"kind": "nan"}, b"null", "application/json"),
    ],
)
async def test_the_value_itself_is_the_answer(name: str, document: Any, body: bytes, media_type: str) -> None:
    async with living(OUTPUTS) as faces:
        assert await faces.document(name, document) == Encoded(body, media_type)


async def test_an_image_is_answered_in_its_format() -> None:
    async with living(OUTPUTS) as faces:
        found = await faces.document("image")
        assert (found.media_type, found.body[:4]) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "document", "words"),
    [
        ("wrong", None, "wrong gave a value of the type str that is not what its annotation says"),
        ("no_model", None, "no_model gave a value of the type dict where its annotation says a model"),
        ("anything", {"kind": "array"}, "no JSON form"),
        ("anything", {"kind": "object"}, "no JSON form"),
        ("anything", {"kind": "generator"}, "to stream its items, write it as a generator"),
        ("anything", {"kind": "path"}, "cannot be read"),
    ],
)
async def test_a_value_that_cannot_be_answered_is_the_models_failure(name: str, document: Any, words: str) -> None:
    async with living(OUTPUTS) as faces:
        with pytest.raises(ModelFailedError, match=words):
            await faces.document(name, document)


@pytest.mark.parametrize(
    ("kind", "body", "status", "media_type"),
    [
        ("json", b'{"made":true}', 201, "application/json"),
        ("empty", b"", 204, ""),
        ("stream", b"ab", 200, "text/csv; charset=utf-8"),
    ],
)
async def test_a_response_passes_as_it_is(kind: str, body: bytes, status: int, media_type: str) -> None:
    async with living(OUTPUTS) as faces:
        found = await faces.document("response", {"kind": kind})
        assert (found.body, found.status, found.media_type) == (body, status, media_type)


async def test_a_file_response_keeps_its_name() -> None:
    async with living(OUTPUTS) as faces:
        found = await faces.document("response", {"kind": "file"})
        assert found.body.startswith(b'"""Apis that give')
        assert (b"content-disposition", b'attachment; filename="own.py"') in found.headers


@pytest.mark.parametrize(
    ("kind", "error", "status", "words"),
    [
        ("bad", ModelRefusedError, 400, "that is bad"),
        ("missing", ModelRefusedError, 404, "not there"),
        ("teapot", ModelRefusedError, 418, "short and stout"),
        ("number", ModelRefusedError, 418, "short and stout"),
        ("denied", ModelRefusedError, 403, "Authorization error"),
        ("http", ModelRefusedError, 409, "conflict"),
        ("full", BusyError, 503, "the service takes no more for now"),
        ("gone", ModelRefusedError, 502, "the service raised an error"),
        ("base", ModelFailedError, 500, "the service raised an error"),
    ],
)
async def test_an_exception_with_a_status_is_how_the_call_ends(
    kind: str, error: type[CallError], status: int, words: str
) -> None:
    async with living(OUTPUTS) as faces:
        with pytest.raises(error) as caught:
            await faces.document("fail", {"kind": kind})
        assert caught.value.status == status
        assert words in caught.value.detail
        assert "secret" not in caught.value.detail
        assert (caught.value.__cause__ is not None) == (status >= 500)


@pytest.mark.parametrize("kind", ["value", "invalid"])
async def test_any_other_exception_is_left_to_the_host(kind: str) -> None:
    async with living(OUTPUTS) as faces:
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - pydantic's is one, too
            await faces.document("fail", {"kind": kind})
        assert not isinstance(caught.value, CallError)


async def test_the_context_has_the_request_and_sets_the_head() -> None:
    async with living(CONTEXTUAL) as faces:
        call = call_with({"x-own": "yes", "cookie": "c=d"}, "")
        seen = json.loads((await faces.document("seen", {"text": "t"}, call=call)).body)
        assert (seen["header"], seen["cookie"], seen["path"], seen["method"]) == ("yes", "d", "/predict", "POST")
        found = await faces.document("set")
        assert (found.status, found.body) == (202, b'{"set":true}')
        assert found.headers == (
            (b"x-own", b"yes"),
            (b"set-cookie", b"a=1; Path=/; SameSite=lax"),
            (b"set-cookie", b"b=2; HttpOnly; Path=/; SameSite=lax"),
        )
        assert (await faces.document("typed")).media_type == "text/markdown"
        assert (await faces.document("sync")).status == 203


async def test_the_background_runs_after_the_answer_in_its_request() -> None:
    async with living(CONTEXTUAL) as faces:
        marks().clear()
        assert (await faces.document("later")).body == b'"now"'
        assert marks() == []
        await faces.runtime.afterwards.finish()
        assert marks() == ["kept True /predict"]


async def test_the_background_of_a_response_runs_too() -> None:
    async with living(OUTPUTS) as faces:
        marks().clear()
        assert (await faces.document("response", {"kind": "later"})).body == b"later"
    assert marks() == ["ran"]


async def test_the_background_of_a_call_that_failed_runs_too() -> None:
    async with living(CONTEXTUAL) as faces:
        marks().clear()
        with pytest.raises(ModelRefusedError):
            await answer(faces.predict("refuse_later"), b"")
    assert marks() == ["after all", "shut down"]


async def test_an_api_at_predict_keeps_its_route() -> None:
    async with living("bento_unit_outputs.py:Named") as faces:
        descriptions = [
            faces.predict("predict").description,
            *(faces.native(n).description for n in ("predict", "run")),
        ]
        assert [each.path for each in descriptions] == ["/call", "/predict", "/run"]
        assert len({each.name for each in descriptions}) == 3
        assert descriptions[0].summary == "Says what it does.\n\nIn detail."


async def test_a_limit_for_files_that_is_none_is_told_before_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    async with living(INPUTS) as faces:
        monkeypatch.setenv("LIVEPEER_FETCH_SECONDS", "soon")
        with pytest.raises(TargetError, match="LIVEPEER_FETCH_SECONDS"):
            faces.predict("files")


async def test_no_request_is_made_where_nothing_looks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("a request was made")

    async with living(INPUTS) as faces:
        monkeypatch.setattr(faces.runtime, "in_request", refuse)
        assert await faces.value("root_text", "hello") == "hello"
        with pytest.raises(AssertionError):
            await faces.value("files", {"path": in_base64("a")})
