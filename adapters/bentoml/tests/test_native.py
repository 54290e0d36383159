"""An api on its own route: BentoML's own wire."""

import asyncio
import base64
import json
import sys
from typing import Any

import pytest
from bento_operations import PNG, files_in, living, multipart

from livepeer.adapters.bentoml import _afterwards
from livepeer.core import ANY_MEDIA_TYPE

pytestmark = pytest.mark.anyio

INPUTS, OUTPUTS, CONTEXTUAL = (
    "bento_unit_inputs.py:Inputs",
    "bento_unit_outputs.py:Outputs",
    "bento_unit_outputs.py:Contextual",
)
UNEXPECTED = {"error": "An unexpected error has occurred, please check the server log."}


def marks() -> list[str]:
    return sys.modules["bento_unit_outputs"].MARKS


@pytest.mark.parametrize(
    ("name", "body", "content_type", "answer"),
    [
        ("named", b'{"text":"a","count":"3"}', "application/json", b'{"text": "a", "count": 3, "day": null}'),
        ("named", b'{"text":"a"}', "text/plain", b'{"text": "a", "count": 2, "day": null}'),
        ("named", b"text=a&count=3", "application/x-www-form-urlencoded", b'{"text": "a", "count": 3, "day": null}'),
        ("nothing", b"", "", b"called"),
        ("root_text", b"hello", "text/plain", b"hello"),
        ("root_text", b'"hello"', "application/json", b'"hello"'),
        ("root_bytes", b"\xff", "application/octet-stream", b"b'\\xff'"),
        ("root_list", b'[1,"2"]', "application/json", b"3"),
        ("root_model", b'{"x":1}', "application/json; charset=utf-8", b"Point1"),
        ("root_path", b"text", "application/octet-stream", b'["", "text"]'),
        ("tables", b'{"rows":[{"a":1}],"columns":{"x":[1]}}', "application/json", b'[[1, 1], ["a"], ["x", "y"]]'),
    ],
)
async def test_a_body_is_read_as_bentoml_reads_it(name: str, body: bytes, content_type: str, answer: bytes) -> None:
    async with living(INPUTS) as faces:
        found = await faces.request(name, body, content_type)
        assert (found.status, found.body) == (200, answer)


async def test_files_come_by_multipart() -> None:
    async with living(INPUTS) as faces:
        body, content_type = multipart(
            ("path", "a.txt", b"p"), ("paths", "1.csv", b"1"), ("paths", "2.csv", b"2"), ("count", None, b"3")
        )
        found = json.loads((await faces.request("files", body, content_type)).body)
        assert (found["path"], found["count"]) == ([".txt", "p"], 3)
        assert [text for _, text in found["paths"]] == ["1", "2"]
        assert files_in(found["folder"]) == []


async def test_an_image_comes_by_multipart() -> None:
    async with living(INPUTS) as faces:
        body, content_type = multipart(("image", "a.png", _bytes_of(PNG)))
        assert (await faces.request("image", body, content_type)).body == b'["PNG", 3, 2, true]'


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("nested", b'{"documents":[{"document":"/etc/hostname"}]}', "documents.0.document"),
        ("maybe_path", b'{"maybe":"/etc/hostname"}', "maybe"),
        ("maybe_path", b'{"maybe":"../../etc/hostname"}', "maybe"),
        ("maybe_path", b'{"many":{"a":["/etc/hostname"]}}', "many.a.0"),
    ],
)
async def test_a_path_of_the_servers_own_disk_is_refused(name: str, body: bytes, field: str) -> None:
    async with living(INPUTS) as faces:
        found = await faces.request(name, body, "application/json")
        said = {"error": f"{field}: a path would name a file of the server's own disk"}
        assert (found.status, json.loads(found.body)) == (400, said)


async def test_a_form_names_no_path_of_the_servers_own_disk_either() -> None:
    async with living(INPUTS) as faces:
        form = await faces.request("maybe_path", b"maybe=/etc/hostname", "application/x-www-form-urlencoded")
        assert form.status == 400


async def test_a_path_that_is_the_apis_own_default_may_be_anywhere() -> None:
    async with living(INPUTS) as faces:
        assert (await faces.request("maybe_path", b"{}", "application/json")).body == b"/etc/hosts"


async def test_the_guard_is_before_a_url() -> None:
    async with living(INPUTS) as faces:
        body, content_type = multipart(("path", None, b"http://127.0.0.1:1/a"))
        found = await faces.request("files", body, content_type)
        assert found.status == 400
        assert "not on the public network" in json.loads(found.body)["error"]


@pytest.mark.parametrize(
    ("name", "body", "content_type", "status"),
    [
        ("named", b"{", "application/json", 400),
        ("named", b'{"count": "x"}', "application/json", 400),
        ("root_list", b"{", "application/json", 400),
        ("named", b"x", "multipart/form-data", 400),
        ("named", b"x", "multipart/form-data; boundary=a", 400),
        ("named", b"x", "application/vnd.bentoml+pickle", 415),
        ("root_image", b"no image", "image/png", 400),
        ("files", b'{"path": "/etc/hostname"}', "application/json", 400),
    ],
)
async def test_a_body_that_does_not_fit_is_refused(name: str, body: bytes, content_type: str, status: int) -> None:
    async with living(INPUTS) as faces:
        found = await faces.request(name, body, content_type)
        assert (found.status, found.media_type) == (status, "application/json")
        assert "error" in json.loads(found.body)


async def test_every_bad_field_is_in_the_detail() -> None:
    async with living(INPUTS) as faces:
        found = json.loads((await faces.request("named", b'{"text":1,"count":"x"}')).body)
        assert found["error"] == "2 validation error for Input"
        assert [each["loc"] for each in found["detail"]] == [["text"], ["count"]]


@pytest.mark.parametrize(
    ("name", "body", "media_type"),
    [
        ("text", b"text", "text/plain; charset=utf-8"),
        ("nothing", b"null", "application/json"),
        ("raw", b"\xff\x00", "text/plain; charset=utf-8"),
        ("typed_raw", b"GIF89a", "image/gif"),
        ("array", b"[[1.5, 2.0], [3.0, 4.0]]", "application/json"),
        ("path", b"found", "text/plain; charset=utf-8"),
    ],
)
async def test_an_answer_is_written_as_bentoml_writes_it(name: str, body: bytes, media_type: str) -> None:
    async with living(OUTPUTS) as faces:
        found = await faces.request(name, b"")
        assert (found.status, found.body, found.media_type) == (200, body, media_type)
        assert dict(found.headers)[b"server"] == b"BentoML Service/Outputs"


async def test_a_file_is_answered_with_its_name() -> None:
    async with living(OUTPUTS) as faces:
        found = await faces.request("path", b"")
        assert dict(found.headers)[b"content-disposition"] == b'attachment; filename="found.txt"'


@pytest.mark.parametrize(
    ("kind", "status", "document"),
    [
        ("bad", 400, {"error": "that is bad"}),
        ("missing", 404, {"error": "not there"}),
        ("teapot", 418, {"error": "short and stout"}),
        ("number", 418, {"error": "short and stout"}),
        ("denied", 401, {"error": "Authorization error"}),
        ("full", 503, UNEXPECTED),
        ("gone", 502, UNEXPECTED),
        ("http", 500, UNEXPECTED),
        ("value", 500, UNEXPECTED),
    ],
)
async def test_an_exception_is_an_answer(kind: str, status: int, document: dict[str, Any]) -> None:
    async with living(OUTPUTS) as faces:
        found = await faces.request("fail", json.dumps({"kind": kind}).encode())
        assert (found.status, json.loads(found.body)) == (status, document)


async def test_a_file_that_is_gone_is_a_failure() -> None:
    async with living(OUTPUTS) as faces:
        found = await faces.request("anything", b'{"kind":"path"}')
        assert (found.status, json.loads(found.body)) == (500, UNEXPECTED)


async def test_the_context_has_the_request_as_it_came() -> None:
    async with living(CONTEXTUAL) as faces:
        headers = {"x-own": "yes", "cookie": "c=d"}
        found = await faces.request("seen", b'{"text":"t"}', headers=headers, url="/seen?q=a%20b&r=%C3%A9")
        assert json.loads(found.body) == {
            "text": "t",
            "header": "yes",
            "query": {"q": "a b", "r": "é"},
            "path": "/seen",
            "method": "POST",
            "cookie": "d",
        }


async def test_the_context_sets_the_head() -> None:
    async with living(CONTEXTUAL) as faces:
        found = await faces.request("set", b"")
        assert found.status == 202
        assert [value for name, value in found.headers if name == b"set-cookie"] == [
            b"a=1; Path=/; SameSite=lax",
            b"b=2; HttpOnly; Path=/; SameSite=lax",
        ]
        assert (await faces.request("typed", b"")).media_type == "text/markdown"


async def test_requests_at_once_do_not_see_each_other() -> None:
    async with living(CONTEXTUAL) as faces:
        headers = [{"x-own": str(number)} for number in range(8)]
        asked = [faces.request(name, b'{"text":"t"}', headers=each) for each in headers for name in ("seen", "sync")]
        found = [each.body.decode() for each in await asyncio.gather(*asked)]
        assert [json.loads(each)["header"] for each in found[::2]] == found[1::2] == [str(each) for each in range(8)]


async def test_the_background_runs_after_the_answer_in_its_request() -> None:
    async with living(CONTEXTUAL) as faces:
        marks().clear()
        assert (await faces.request("later", b"")).body == b"now"
        assert marks() == []
        await faces.runtime.afterwards.finish()
        assert marks() == ["kept True /later"]


async def test_stopping_waits_for_the_background_also_if_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    marks().clear()
    async with living(CONTEXTUAL) as faces:
        await faces.request("broken_later", b"")
        await faces.request("later", b"")
    assert marks() == ["kept True /later", "shut down"]
    assert "a background task failed" in caplog.text


async def test_a_background_that_does_not_end_is_cancelled_before_the_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_afterwards, "GRACE_SECONDS", 0.05)
    marks().clear()
    async with living(CONTEXTUAL) as faces:
        await faces.request("endless_later", b"")
    assert marks() == ["cancelled", "shut down"]


async def test_it_says_what_it_takes() -> None:
    async with living("bento_unit_outputs.py:Prefixed") as faces:
        description = faces.native("echo").description
        assert description.path == "/v1/own/echo"
        assert description.input_media_types == ("text/plain", ANY_MEDIA_TYPE)
        assert (description.output_media_type, description.streams) == ("text/plain", False)
        assert description.summary == "Gives it back."
        assert faces.predict("echo").description.path == "/predict"
        assert (await faces.request("echo", b"a", "text/plain")).body == b"a"


def _bytes_of(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])
