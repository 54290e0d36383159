"""One call, from its body to its answer."""

import base64
import contextlib
import json
import logging

import anyio
import pytest
from edge_harness import Serve

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", ["SyncReturn", "AsyncReturn", "reverse"])
async def test_a_value_is_the_whole_answer(serve: Serve, name: str) -> None:
    async with serve(name) as served:
        answer = await served.predict(text="abc")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.content == b'"cba"'


@pytest.mark.parametrize("path", ["/predict", "/predict/", "/run", "/run/", "/", "/sync-return", "/sync-return/"])
async def test_the_default_operation_answers_wherever_callers_look(serve: Serve, path: str) -> None:
    async with serve("SyncReturn") as served:
        answer = await served.client.post(path, json={"text": "abc"})
        assert (answer.status_code, answer.json()) == (200, "cba")


async def test_an_input_that_does_not_fit_is_422_and_names_each_field(serve: Serve) -> None:
    async with serve("Rich") as served:
        answer = await served.predict(prompt="x", size={"width": 0}, mode="medium", typo=1)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == "invalid_input"
        assert {error["field"] for error in problem["errors"]} == {"prompt", "size.width", "mode", "typo"}
        assert "at least 2" in problem["detail"]


async def test_every_kind_of_field_reaches_the_model(serve: Serve) -> None:
    async with serve("Rich") as served:
        image = base64.b64encode(b"12345").decode()
        answer = await served.predict(prompt="sea", size={"width": 2}, colour="blue", seed=3, image=image)
        assert answer.json() == {"prompt": "sea", "colour": "blue", "pixels": 960, "bytes": 5}


async def test_a_body_that_is_no_json_is_400(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        answer = await served.client.post(
            "/predict", content=b'{"text": ', headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


async def test_another_media_type_is_415_and_says_which_are_taken(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        answer = await served.client.post("/predict", content=b"a=b", headers={"content-type": "text/csv"})
        assert answer.status_code == 415
        assert "application/json" in answer.json()["detail"]


async def test_json_with_a_charset_or_without_a_type_is_json(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        for headers in ({"content-type": "application/json; charset=utf-8"}, {"content-type": ""}):
            answer = await served.client.post("/predict", content=b'{"text":"abc"}', headers=headers)
            assert answer.json() == "cba"


async def test_a_body_over_the_limit_is_413_whether_announced_or_not(serve: Serve) -> None:
    async def chunks():
        for _ in range(20):
            yield b"x" * 1024

    async with serve("SyncReturn", options=ServerOptions(body_limit_bytes=10_000)) as served:
        announced = await served.client.post("/predict", content=b"x" * 20_480)
        unannounced = await served.client.post("/predict", content=chunks())
        assert [announced.status_code, unannounced.status_code] == [413, 413]
        assert (await served.predict(text="abc")).json() == "cba"


async def test_an_unknown_route_is_404_and_a_wrong_method_405(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        assert (await served.client.post("/nothing", json={})).status_code == 404
        assert (await served.client.get("/nothing")).status_code == 404
        assert (await served.client.get("/predict")).status_code == 405
        assert (await served.client.post("/health")).status_code == 405
        assert (await served.client.delete("/health")).status_code == 405


async def test_a_wrong_method_is_told_the_right_ones(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        asked = [("PUT", "/predict"), ("GET", "/run"), ("POST", "/health"), ("PUT", "/docs"), ("PUT", "/")]
        answers = [await served.client.request(method, path) for method, path in asked]
        assert [answer.status_code for answer in answers] == [405] * 5
        allowed = [answer.headers["allow"] for answer in answers]
        assert allowed == ["POST", "POST", "GET, HEAD", "GET, HEAD", "GET, HEAD, POST"]


async def test_thousands_of_wrong_items_are_named_up_to_a_limit(serve: Serve) -> None:
    async with serve("Forms") as served:
        answer = await served.predict(image="aGk=", count=1, ratio=1, label="x", tags=[0] * 10_000)
        assert answer.status_code == 422
        assert len(answer.json()["errors"]) == 100


async def test_bytes_are_the_body_with_their_declared_media_type(serve: Serve) -> None:
    async with serve("Png") as served:
        answer = await served.predict()
        assert answer.headers["content-type"] == "image/png"
        assert answer.content == b"\x89PNG" + bytes(10)


async def test_a_file_is_sent_with_the_type_that_its_name_tells(serve: Serve) -> None:
    async with serve("File") as served:
        answer = await served.predict()
        assert (answer.headers["content-type"], answer.content) == ("text/plain", b"from a file")
        missing = await served.predict(exists=False)
        assert missing.status_code == 500


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 1024 * 1024, 16 * 1024 * 1024])
async def test_bodies_of_any_size_cross_both_ways_unchanged(serve: Serve, size: int) -> None:
    async with serve("Big") as served:
        data = bytes(range(256)) * (size // 256 + 1)
        data = data[:size]
        answer = await served.predict(data=base64.b64encode(data).decode())
        assert answer.status_code == 200
        assert answer.headers["content-length"] == str(size)
        assert answer.content == data


async def test_a_large_text_crosses_as_json(serve: Serve) -> None:
    async with serve("Echo") as served:
        text = "é[DONE]" * 100_000
        assert (await served.predict(text=text)).json() == text


@pytest.mark.parametrize("name", ["Failing", "AsyncFailing"])
@pytest.mark.parametrize("how", ["exception", "exit", "interrupt", "unauthorized", "cancelled"])
async def test_a_model_that_raises_is_500_and_serves_on(
    serve: Serve, name: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serve(name) as served:
        answer = await served.client.post("/predict", json={"how": how}, headers={"x-request-id": "my-id-1"})
        assert answer.status_code == 500
        problem = answer.json()
        assert (problem["code"], problem["request_id"]) == ("model_failed", "my-id-1")
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert (await served.predict(how="fine")).json() == "fine"
    if how == "exception":
        assert "a secret in the message" in caplog.text


async def test_an_answer_without_a_json_form_is_500_and_says_so(serve: Serve) -> None:
    async with serve("Failing") as served:
        answer = await served.predict(how="not-json")
        assert answer.status_code == 500
        assert "no JSON form" in answer.json()["detail"]


async def test_a_call_carries_its_id_and_headers_and_brings_back_metrics(serve: Serve) -> None:
    async with serve("Reporting") as served:
        headers = {"x-request-id": "req-7", "x-tenant": "me", "authorization": "Bearer secret"}
        answer = await served.client.post("/predict", json={}, headers=headers)
        assert answer.json() == {"id": "req-7", "header": "me", "auth": ""}
        assert answer.headers["x-request-id"] == "req-7"
        assert json.loads(answer.headers["x-metadata"]) == {"predict_seconds": 0.5}


async def test_a_request_without_an_id_gets_one_of_its_own(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        ids = {(await served.predict(text="a")).headers["x-request-id"] for _ in range(5)}
        assert len(ids) == 5
        hostile = await served.client.post("/predict", json={"text": "a"}, headers={"x-request-id": "a" * 500})
        assert len(hostile.headers["x-request-id"]) < 100


async def test_with_a_token_every_post_needs_it_and_documents_stay_open(serve: Serve) -> None:
    async with serve("SyncReturn", options=ServerOptions(token="s3cret")) as served:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "s3cret"}):
            refused = await served.client.post("/predict", json={"text": "a"}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
        right = {"authorization": "Bearer s3cret"}
        assert (await served.client.post("/predict", json={"text": "ab"}, headers=right)).json() == "ba"
        for path in ("/", "/health", "/healthz", "/schema", "/openapi.json", "/docs", "/capabilities", "/version"):
            assert (await served.client.get(path)).status_code == 200


async def test_setup_and_sync_calls_share_a_thread(serve: Serve) -> None:
    async with serve("Threads") as served:
        assert all([(await served.predict()).json() for _ in range(3)])


async def test_async_setup_and_calls_share_a_loop(serve: Serve) -> None:
    async with serve("AsyncSetup") as served:
        assert (await served.predict()).json() is True


@pytest.mark.parametrize("half", [b"", b"{"])
async def test_a_half_sent_body_takes_no_slot_and_is_given_up(serve: Serve, half: bytes) -> None:
    async with serve("SyncReturn", options=ServerOptions(body_timeout_seconds=0.3)) as served:
        host, port = served.url.removeprefix("http://").split(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n" + half)
            assert (await served.predict(text="abc")).json() == "cba"
            with anyio.fail_after(10):
                answer = await stream.receive()
        assert b" 504 " in answer.split(b"\r\n")[0]


async def test_many_calls_at_once_each_get_their_own_answer(serve: Serve) -> None:
    async with serve("Echo", options=ServerOptions(queue_size=200)) as served:
        answers: dict[int, str] = {}

        async def call(number: int) -> None:
            answers[number] = (await served.predict(text=f"n{number}")).json()

        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(call, number)
        assert answers == {number: f"n{number}" for number in range(200)}


async def test_answers_are_whole_on_the_wire_however_they_are_asked_for(serve: Serve) -> None:
    requests = [
        (b"HEAD /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b"content-length"),
        (b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b'"IDLE"'),
        (b"GET /health HTTP/1.0\r\nhost: x\r\n\r\n", b'"IDLE"'),
        (b"nonsense\r\n\r\n", b" 400 "),
        (
            b"POST /predict HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 15\r\n"
            b'connection: close\r\n\r\n{"text":"HTTP"}',
            b'"PTTH"',
        ),
    ]
    async with serve("SyncReturn") as served:
        host, port = served.url.removeprefix("http://").split(":")
        for request, words in requests:
            async with await anyio.connect_tcp(host, int(port)) as stream:
                await stream.send(request)
                answer = b""
                with anyio.fail_after(5), contextlib.suppress(anyio.EndOfStream):
                    while True:
                        answer += await stream.receive()
                assert words in answer, (request, answer)


async def test_an_answer_that_looks_like_a_head_is_sent_all_the_same(serve: Serve) -> None:
    async with serve("Big") as served:
        data = (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 256 * 1024)[: 256 * 1024] * 3 + b"HTTP/1.1 200 OK\r\n\r\n"
        answer = await served.predict(data=base64.b64encode(data).decode())
        assert answer.content == data
