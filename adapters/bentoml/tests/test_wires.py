"""Both faces over a real server: what callers get, byte by byte."""

import base64
import json
import sys
from typing import Any

import anyio
import httpx2
import pytest
from bento_operations import PNG, in_base64
from bento_serving import serving
from edge_harness import Served, eventually

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio


def streams() -> Any:
    return sys.modules["bento_unit_streams"]


def lines(response: httpx2.Response) -> list[str]:
    return [line for line in response.text.splitlines() if line]


async def test_a_form_reaches_both_faces() -> None:
    async with serving("bento_unit_inputs.py:Inputs.files") as served:
        files = [("path", ("a.txt", b"p", "text/plain")), ("paths", ("1.csv", b"1", "text/csv"))]
        native = await served.client.post("/files", files=files, data={"count": "3"})
        assert (native.json()["path"], native.json()["paths"][0][1], native.json()["count"]) == ([".txt", "p"], "1", 3)
        ours = await served.client.post("/predict", files=files, data={"count": "3"})
        assert (ours.json()["path"], ours.json()["paths"], ours.json()["count"]) == ([".txt", "p"], [[".csv", "1"]], 3)


async def test_an_image_of_megabytes_reaches_both_faces() -> None:
    large = b"x" * 5_000_000
    async with serving("bento_unit_inputs.py:Inputs.files") as served:
        for path in ("/files", "/predict"):
            found = await served.client.post(path, files={"path": ("a.bin", large)})
            assert (found.status_code, len(found.json()["path"][1])) == (200, len(large))
        found = await served.client.post("/predict", json={"path": in_base64(large.decode())})
        assert len(found.json()["path"][1]) == len(large)
        assert (await served.client.post("/image", files={"image": ("a.png", b"no")})).status_code == 400
        assert (await served.client.post("/root_image", content=_png())).json() == ["PNG", 3, 2]


async def test_every_bad_field_is_named_in_both_words() -> None:
    async with serving("bento_unit_inputs.py:Inputs.named") as served:
        bad = {"text": 1, "count": "x"}
        ours = await served.client.post("/predict", json=bad)
        assert (ours.status_code, ours.headers["content-type"]) == (422, "application/problem+json")
        assert [each["field"] for each in ours.json()["errors"]] == ["text", "count"]
        native = await served.client.post("/named", json=bad)
        assert (native.status_code, [each["loc"] for each in native.json()["detail"]]) == (400, [["text"], ["count"]])
        assert (await served.client.post("/predict", content=b"{")).json()["code"] == "malformed_body"
        broken = {"content-type": "multipart/form-data; boundary=a"}
        assert (await served.client.post("/named", content=b"x", headers=broken)).status_code == 400


async def test_query_headers_and_cookies_pass_both_ways() -> None:
    async with serving("bento_unit_outputs.py:Contextual.set") as served:
        headers = {"x-own": "yes", "cookie": "c=d"}
        seen = await served.client.post("/seen?q=a+b&q=c", json={"text": "t"}, headers=headers)
        assert seen.json()["query"] == {"q": "c"}
        assert (seen.json()["header"], seen.json()["cookie"]) == ("yes", "d")
        for path in ("/set", "/predict"):
            found = await served.client.post(path)
            assert (found.status_code, found.json(), found.headers["x-own"]) == (202, {"set": True}, "yes")
            assert found.headers.get_list("set-cookie")[0].startswith("a=1;")


async def test_exceptions_have_their_status_on_both_faces() -> None:
    async with serving("bento_unit_outputs.py:Outputs.fail") as served:
        for kind, status in (("bad", 400), ("missing", 404), ("teapot", 418), ("gone", 502), ("base", 500)):
            native = await served.client.post("/fail", json={"kind": kind})
            ours = await served.client.post("/predict", json={"kind": kind})
            assert (native.status_code, ours.status_code) == (status, status)
            assert ("secret" in native.text + ours.text) is False
        for path in ("/fail", "/predict"):
            assert (await served.client.post(path, json={"kind": "denied"})).status_code == 403
        busy = await served.client.post("/predict", json={"kind": "full"})
        assert (busy.status_code, busy.json()["code"]) == (503, "busy")
        assert (await served.client.post("/predict", json={"kind": "value"})).json()["code"] == "model_failed"


async def test_responses_of_all_kinds_pass() -> None:
    async with serving("bento_unit_outputs.py:Outputs.response") as served:
        for path in ("/response", "/predict"):
            made = await served.client.post(path, json={"kind": "json"})
            assert (made.status_code, made.json(), made.headers["x-own"]) == (201, {"made": True}, "1")
            assert (await served.client.post(path, json={"kind": "empty"})).status_code == 204
            file = await served.client.post(path, json={"kind": "file"})
            assert file.headers["content-disposition"] == 'attachment; filename="own.py"'


async def test_a_stream_is_events_with_an_end() -> None:
    async with serving("bento_unit_streams.py:Streams.texts") as served:
        expected = ['data: "item 0 \\u005bDONE]"', 'data: "item 1 \\u005bDONE]"', "data: [DONE]"]
        for path in ("/texts", "/predict"):
            found = await served.client.post(path)
            assert found.headers["content-type"].startswith("text/event-stream")
            assert lines(found) == expected
        by_hand = await served.client.post("/by_hand")
        assert lines(by_hand)[:3] == ["event: step", "id: 1", 'data: {"a": 1}']
        assert by_hand.text.count("[DONE]") == 1
        assert by_hand.text.endswith("data: [DONE]\n\n")


async def test_an_error_within_a_stream_is_seen() -> None:
    async with serving("bento_unit_streams.py:Streams.fails") as served:
        for path in ("/fails", "/predict"):
            found = await served.client.post(path, json={"kind": "bad"})
            assert (found.status_code, lines(found)[:2]) == (200, ["data: 0", "event: error"])
            error = json.loads(lines(found)[2].removeprefix("data: "))["error"]
            assert (error["code"], error["status"], error["detail"]) == ("refused", 400, "enough")
            assert (await served.client.post(path, json={"kind": "bad", "after": 0})).status_code == 400


async def test_a_caller_that_leaves_a_stream_closes_its_generator() -> None:
    async with serving("bento_unit_streams.py:Streams.endless") as served:
        for path in ("/predict", "/endless", "/endless_sync"):
            streams().MARKS.clear()
            async with served.client.stream("POST", path) as response:
                async for line in response.aiter_lines():
                    if line == "data: 3":
                        break
            await eventually(lambda: len(streams().MARKS) == 1, path)
        assert streams().MARKS == ["endless_sync closed"]


async def test_a_call_that_takes_too_long_is_504() -> None:
    async with serving("bento_unit_streams.py:Slow.whole") as served:
        for path in ("/whole", "/predict"):
            streams().MARKS.clear()
            assert (await served.client.post(path)).status_code == 504
            await eventually(lambda: streams().MARKS == ["whole cancelled"], path)
        first = await served.client.post("/first")
        assert (first.status_code, first.json()) == (504, {"error": "Not able to process the request in 1 seconds"})


async def test_a_caller_that_leaves_cancels_an_async_api_and_frees_its_slot() -> None:
    async with serving("bento_unit_streams.py:Wrapped.waits") as served:
        for path in ("/waits", "/predict"):
            await leave(served, path)
            await eventually(lambda: streams().MARKS == ["waits cancelled"], path)
            await served.until("IDLE")


async def test_both_faces_share_the_slots_of_sync_apis_until_their_threads_end() -> None:
    options = ServerOptions(queue_size=0)
    async with serving("bento_unit_streams.py:Single.held", options=options) as served:
        streams().LET_GO.clear()
        await leave(served, "/held")
        for path in ("/predict", "/held", "/other"):
            busy = await served.client.post(path)
            assert (busy.status_code, busy.json()["code"]) == (503, "busy")
        assert (await served.client.post("/free")).status_code == 200
        streams().LET_GO.set()
        await served.until("IDLE")
        assert (await served.client.post("/predict")).json() == "ended"


async def leave(served: Served, path: str) -> None:
    """Ask, and leave once the api runs."""
    streams().MARKS.clear()
    streams().REACHED.clear()
    async with anyio.create_task_group() as group:

        async def ask() -> None:
            await served.client.post(path)

        group.start_soon(ask)
        assert await anyio.to_thread.run_sync(streams().REACHED.wait, 10)
        group.cancel_scope.cancel()


def _png() -> bytes:
    return base64.b64decode(PNG.partition(",")[2])
