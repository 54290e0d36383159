"""Mounted applications over HTTP: what an ASGI server gives them is what they get, through either worker."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import openapi_spec_validator
import psutil
import pytest
from edge_harness import Marks, eventually
from mount_harness import ServeMounts, connected, read_to_end, read_until

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


def life(marks: Marks) -> list[str]:
    """What lifespans, setup and teardown have logged."""
    try:
        return (marks.folder / "life.log").read_text().split()
    except FileNotFoundError:
        return []


# What the application gets.


async def test_the_application_gets_the_scope_that_the_edge_has(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served:
        headers = [("x-twice", "1"), ("x-twice", "2"), ("x-odd", "caf\xe9"), ("authorization", "Bearer theirs")]
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        answer = await served.client.request(
            "PATCH", "/app/scope/caf%C3%A9%2F/?a=%20b&a=c", headers=raw, content=b"\x00\xff"
        )
        scope = answer.json()
    port = int(served.url.rpartition(":")[2])
    assert {key: scope[key] for key in ("type", "method", "http_version", "scheme", "root_path")} == {
        "type": "http", "method": "PATCH", "http_version": "1.1", "scheme": "http", "root_path": "",
    }  # fmt: skip
    assert scope["path"] == "/app/scope/café//"
    assert scope["raw_path"] == ["/app/scope/caf%C3%A9%2F/"]
    assert scope["query_string"] == ["a=%20b&a=c"]
    assert scope["server"] == ["127.0.0.1", port]
    assert scope["client"][0] == "127.0.0.1"
    assert scope["asgi"]["version"] == "3.0"
    assert scope["body"] == ["\x00\xff"]
    assert scope["state"] == {"seen": [], "more": 1}
    sent = [(name[0], value[0]) for name, value in scope["headers"]]
    assert [item for item in sent if item[0] in ("x-twice", "x-odd", "authorization")] == headers
    assert dict(sent)["x-request-id"] == answer.headers["x-request-id"]
    assert not {"extensions", "app", "livepeer.server.body_is_whole"} & scope.keys()


async def test_the_answer_is_the_applications_own(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served, connected(served) as stream:
        await stream.send(b"GET /app/headers HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        head = (await read_to_end(stream)).partition(b"\r\n\r\n")[0].split(b"\r\n")
        assert head[0] == b"HTTP/1.1 418 I'm a Teapot"
        assert head[1:4] == [b"set-cookie: a=1", b"set-cookie: b=2", b"x-odd: caf\xe9"]
        assert (await served.client.head("/app/large?size=70000")).headers["content-length"] == "70000"
        own = await served.client.get("/app/own-id")
        assert own.headers.get_list("x-request-id") == ["mine"]


async def test_a_request_id_of_the_callers_is_kept(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served:
        answer = await served.client.post("/app/print", headers={"x-request-id": "one-of-mine", "x-tenant": "t"})
        assert answer.json() == {"id": "one-of-mine", "tenant": "t", "authorization": False}
        assert answer.headers["x-request-id"] == "one-of-mine"


async def test_what_an_application_prints_carries_its_requests_id(
    serve_process: ServeMounts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serve_process("Beside") as served:
        await served.client.post("/app/print", headers={"x-request-id": "printing"})
        await eventually(lambda: "[printing] a printed line" in caplog.text)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/app", "application"),
        ("/app/", "application"),
        ("/app/deep", "plain"),
        ("/app/deep/er", "plain"),
        ("/app/deeper", "application"),
        ("/plain/x", "plain"),
        ("/elsewhere", "application"),
        ("/predict/x", "application"),
        ("/healthy", "application"),
        ("/metrics", "application"),
    ],
)
async def test_the_longest_path_takes_the_request(path: str, where: str, serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Everything") as served:
        scope = (await served.client.get(path)).json()
        assert ("path" in scope) is (where == "application")
        if where == "application":
            assert scope["path"] == path


async def test_what_is_no_post_at_an_operations_path_is_the_mounts_that_names_it(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("AtTheOperation") as served:
        assert (await served.client.post("/predict", json={"a": 1})).json() == {"a": 1}
        for method in ("GET", "PUT", "OPTIONS"):
            assert (await served.client.request(method, "/predict")).status_code == 200
        assert (await served.client.put("/run")).status_code == 405


async def test_the_contracts_own_routes_come_first(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Everything", options=ServerOptions(operator_routes=True)) as served:
        client = served.client
        for path in ("/predict", "/predict/", "/run", "/", "/beside"):
            assert (await client.post(path, json={"a": 1})).json() == {"a": 1}
        assert (await client.put("/predict")).json()["code"] == "method_not_allowed"
        assert (await client.get("/predict")).status_code == 405
        assert (await client.delete("/health")).status_code == 405
        assert (await client.get("/health")).json()["status"] == "IDLE"
        assert "livepeer_ready 1" in (await client.get("/metrics")).text
        for path in ("/stream", "/stream/start", "/docs/nothing"):
            assert (await client.post(path)).status_code in (404, 405)
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/")).json()["mounts"] == ["/", "/app/deep", "/plain"]


async def test_a_server_without_mounts_knows_no_path_beside_the_contract(serve: Any) -> None:
    async with serve("SyncReturn") as served:
        assert "mounts" not in (await served.client.get("/")).json()
        assert (await served.client.get("/app")).status_code == 404
        headers = {"connection": "upgrade", "upgrade": "websocket"}
        assert (await served.client.get("/app", headers=headers)).status_code == 404


# Streaming.


async def test_both_ways_stream_at_once(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served, connected(served) as stream:
        await stream.send(b"POST /app/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        await read_until(stream, b"\r\n\r\n")
        for word in (b"one", b"two", b"three"):
            await stream.send(b"%x\r\n%b\r\n" % (len(word), word))
            assert await read_until(stream, b"\r\n" + word + b"\r\n")
        await stream.send(b"0\r\n\r\n")
        assert await read_until(stream, b"0\r\n\r\n")


async def test_a_large_body_comes_back_as_it_went(serve_mounts: ServeMounts) -> None:
    body = bytes(range(256)) * (4 * MIB // 256)
    async with serve_mounts("Beside") as served:
        assert (await served.client.post("/app/echo", content=body)).content == body
        answer = await served.client.get(f"/app/large?size={4 * MIB}")
        assert answer.headers["content-length"] == str(4 * MIB)
        assert answer.content == b"x" * (4 * MIB)


async def test_an_upload_that_is_not_read_waits_and_takes_little_memory(
    serve_process: ServeMounts, marks: Marks
) -> None:
    size = 64 * MIB
    async with serve_process("Beside") as served, anyio.create_task_group() as tasks:
        family = [psutil.Process(), psutil.Process(served.worker.pid)]
        answers: list[httpx2.Response] = []
        sent = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal sent
            piece = b"x" * MIB
            for _ in range(size // MIB):
                yield piece
                sent += len(piece)

        async def upload() -> None:
            answers.append(await served.client.post("/app/slow", content=body()))

        before = [process.memory_info().rss for process in family]
        tasks.start_soon(upload)
        await marks.wait("slow", "entered")
        for _ in range(20):
            assert (await served.client.post("/predict", json={})).status_code == 200
            assert (await served.client.post("/app/print")).status_code == 200
        assert sent < 16 * MIB  # what the two sockets and the windows hold
        marks.go("slow")
        await eventually(lambda: bool(answers))
        assert answers[0].json() == size
        for process, rss in zip(family, before, strict=True):
            assert process.memory_info().rss - rss < 24 * MIB


async def test_events_come_one_by_one(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served, served.client.stream("GET", "/app/events") as response:
        assert response.headers["content-type"] == "text/event-stream"
        chunks = response.aiter_raw()
        with anyio.fail_after(10):
            for number in range(3):
                assert await anext(chunks) == b"data: %d\n\n" % number
                marks.go(f"event-{number}")
            with pytest.raises(StopAsyncIteration):
                await anext(chunks)


async def test_many_at_once_stand_beside_calls(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served:
        wrong: list[str] = []

        async def ask(number: int) -> None:
            for turn in range(10):
                text = f"{number}-{turn}-" + "x" * (number * 1_000)
                if number % 3:
                    answer = (await served.client.post("/app/echo", content=text)).text
                else:
                    answer = (await served.client.post("/predict", json=text)).json()
                if answer != text:
                    wrong.append(text)

        async with anyio.create_task_group() as tasks:
            for number in range(30):
                if number % 3 or number < 12:  # four calls at once, and no more
                    tasks.start_soon(ask, number)
        assert not wrong
        await served.until("IDLE")


async def test_an_application_that_breaks_the_rules_is_told_so(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served:
        answer = await served.client.post("/app/breaks-rules")
        assert answer.content == b"xyy"
        refused = json.loads((marks.folder / "rules.list").read_text())
        assert [bool(words) for words in refused] == [
            True, True, True, True, True, False, True, True, True, False, True, True, False, True,
        ]  # fmt: skip
        assert "shorter" in refused[8]
        assert refused[10].startswith("TypeError")
        assert "longer" in refused[11]


# Callers that leave, applications that fail.


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/app/wait", b"whole"),
        ("/app/wait-streaming", b""),
        ("/app/upload-gone", None),
        ("/app/endless", b""),
        ("/app/stuck-sender", b""),
    ],
)
async def test_a_caller_that_leaves_is_noticed_in_every_phase(
    path: str, body: bytes | None, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts("Beside") as served:
        async with connected(served) as stream:
            length = 100 if body is None else len(body)
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n"
            await stream.send(head.encode() + (b"half" if body is None else body))
            await marks.wait("wait", "entered")
            assert (await served.health())["status"] == "OK"
        await marks.wait("wait", "gone")
        assert (await served.until("IDLE"))["slots"]["in_use"] == 0


@pytest.mark.parametrize("when", ["unread", "read"])
@pytest.mark.parametrize("how", ["raise", "system-exit"])
async def test_an_application_that_fails_before_it_answers_is_a_typed_500(
    when: str, how: str, serve_mounts: ServeMounts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serve_mounts("Beside") as served:
        path = f"/app/fail?when={when}&how={how}"
        answer = await served.client.post(path, content=b"x", headers={"x-request-id": "failing"})
        assert (answer.status_code, answer.json()["code"]) == (500, "model_failed")
        assert "secret" not in answer.text
        assert answer.json()["request_id"] == "failing"
        expected = "WhenError: a secret in the message" if how == "raise" else "SystemExit"
        await eventually(lambda: expected in caplog.text)
        await served.until("IDLE")
        assert (await served.client.post("/app/print")).status_code == 200


@pytest.mark.parametrize("when", ["started", "streaming"])
async def test_an_application_that_fails_after_that_has_its_connection_cut(
    when: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts("Beside") as served, connected(served) as stream:
        await stream.send(f"GET /app/fail?when={when} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        begun = b""
        if when == "streaming":
            begun = await read_until(stream, b"some\r\n")
            marks.go("fail")
        answer = begun + await read_to_end(stream)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert not answer.endswith(b"0\r\n\r\n")
        await served.until("IDLE")


async def test_an_application_that_fails_once_it_has_answered_is_the_logs_alone(
    serve_mounts: ServeMounts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serve_mounts("Beside") as served:
        answer = await served.client.get("/app/fail?when=answered")
        assert (answer.status_code, answer.content) == (200, b"some")
        await eventually(lambda: "WhenError" in caplog.text)
        await served.until("IDLE")


@pytest.mark.parametrize("when", ["unstarted", "started"])
async def test_an_application_that_returns_too_soon_has_failed(when: str, serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served, connected(served) as stream:
        await stream.send(f"GET /app/returns?when={when} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        answer = await read_to_end(stream)
        if when == "unstarted":
            assert answer.startswith(b"HTTP/1.1 500 ")
            assert b"model_failed" in answer
        else:
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert not answer.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("when", ["unread", "read", "started", "streaming", "answered"])
async def test_a_host_that_dies_under_its_application_comes_back(
    when: str, serve_process: ServeMounts, marks: Marks
) -> None:
    async with serve_process("Beside") as served, connected(served) as stream:
        path = f"/app/fail?when={when}&how=exit"
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\n"
        await stream.send(head.encode() + b"x")
        marks.go("fail")
        answer = await read_to_end(stream)
        if when in ("unread", "read"):
            assert answer.startswith(b"HTTP/1.1 500 ")
            problem = json.loads(answer.partition(b"\r\n\r\n")[2])
            assert (problem["code"], problem["retryable"]) == ("host_crashed", True)
            assert "exit code 7" in problem["detail"]
        elif when != "answered":
            assert not answer.endswith(b"0\r\n\r\n")
        await eventually(lambda: life(marks).count("startup") == 2, "a second host")
        await served.until("IDLE")
        assert (await served.client.get("/app/print")).status_code == 200


# Lifespan, background work, the end.


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("Beside", ["setup", "startup", "shutdown", "teardown"]),
        ("BesideAsync", ["setup", "startup", "shutdown", "teardown"]),
        ("Apart", ["startup", "setup", "teardown", "shutdown"]),
    ],
)
async def test_a_lifespan_is_within_the_models_unless_it_is_apart(
    name: str, order: list[str], serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts(name) as served:
        for number in (1, 2):
            found = (await served.client.get("/app/state")).json()
            assert found == {"state": ["/app/state"] * number, "has_more": True}
        assert (await served.client.post("/predict", json={"a": 1})).json() == {"a": 1}
    assert life(marks) == order


async def test_an_application_without_a_lifespan_is_served(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Everything") as served:
        assert (await served.client.get("/plain")).json() == {}


@pytest.mark.parametrize("name", ["CannotStart", "ApartCannotStart"])
async def test_an_application_that_cannot_start_is_an_error(name: str, serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts(name, wait=False) as served:
        health = await served.until("ERROR")
        assert "the application at /broken cannot start: no database" in health["reason"]
        refused = await served.client.get("/app/state")
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        await eventually(lambda: "shutdown" in life(marks), "the one that had started")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Mixed", "some mounts are apart and others are not"),
        ("Twice", "'/a' is in two mounts"),
        ("FinalSlash", "does not end with it, unlike '/a/'"),
    ],
)
async def test_mounts_that_do_not_go_together_are_one_clear_error(
    name: str, words: str, serve_mounts: ServeMounts
) -> None:
    async with serve_mounts(name, wait=False) as served:
        assert words in (await served.until("ERROR"))["reason"]


async def test_what_goes_on_behind_an_answer_is_work_and_is_waited_for(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served:
        assert (await served.client.get("/app/background")).json() == "soon"
        await marks.wait("background", "entered")
        health = await served.health()
        assert (health["status"], health["slots"]["in_use"]) == ("OK", 0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(served.server.stop)
            await eventually(lambda: served.server.lifecycle.draining)
            assert (await served.client.get("/app/print")).status_code == 503
            assert not marks.has("background", "done")
            marks.go("background")
        assert marks.has("background", "done")
        assert life(marks)[-1] == "teardown"


async def test_what_goes_on_behind_an_answer_is_cancelled_at_the_end_of_the_drain(
    serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts("Beside", options=ServerOptions(drain_seconds=0.1, stuck_seconds=10)) as served:
        assert (await served.client.get("/app/background")).json() == "soon"
        await marks.wait("background", "entered")
        await served.server.stop()
        assert not marks.has("background", "done")
        assert life(marks)[-1] == "teardown"


async def test_at_the_end_of_the_drain_applications_hear_of_it(serve_mounts: ServeMounts, marks: Marks) -> None:
    options = ServerOptions(drain_seconds=0.1, stuck_seconds=10)
    async with serve_mounts("Beside", options=options) as served, anyio.create_task_group() as tasks:
        answers: list[httpx2.Response] = []

        async def wait() -> None:
            answers.append(await served.client.get("/app/wait"))

        tasks.start_soon(wait)
        await marks.wait("wait", "entered")
        await served.server.stop()
        assert marks.has("wait", "gone")
        await eventually(lambda: bool(answers))
        assert (answers[0].status_code, answers[0].json()["code"]) == (503, "not_ready")
        assert life(marks) == ["setup", "startup", "shutdown", "teardown"]


# Ready or not.


async def test_an_application_waits_for_its_model(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("SlowSetup", wait=False) as served:
        await eventually(lambda: served.server.lifecycle.description is not None)
        refused = await served.client.get("/app/print")
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert refused.headers["retry-after"] == "1"
        marks.go("setup")
        await served.until("IDLE")
        assert (await served.client.get("/app/print")).status_code == 200


async def test_nobody_is_told_404_before_it_is_known_what_there_is(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Mixed", wait=False) as served:  # which is never described
        await served.until("ERROR")
        for method in ("GET", "POST", "DELETE"):
            refused = await served.client.request(method, "/app/print")
            assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")


async def test_one_that_is_apart_is_served_while_the_model_is_set_up(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("ApartSlowSetup", wait=False) as served:
        await eventually(lambda: "setup" in life(marks))
        assert (await served.client.get("/app/state")).json()["state"] == ["/app/state"]
        assert (await served.health())["status"] == "LOADING"
        assert (await served.client.post("/predict", json={})).status_code == 503
        marks.go("setup")
        await served.until("IDLE")


async def test_one_that_is_apart_is_served_after_a_setup_that_failed(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("ApartBrokenSetup", wait=False) as served:
        await served.until("ERROR")
        assert (await served.client.get("/app/state")).json()["state"] == ["/app/state"]
        assert (await served.client.post("/predict", json={})).status_code == 503
    assert life(marks) == ["startup", "teardown", "shutdown"]


@pytest.mark.parametrize("name", ["Beside", "Apart"])
async def test_an_application_is_served_while_a_call_blocks_its_thread(
    name: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts(name) as served, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: served.client.post("/predict", json={"gate": "call"}))
        await marks.wait("call", "entered")
        assert (await served.client.get("/app/print")).status_code == 200
        marks.go("call")


async def test_a_host_that_is_gone_is_a_typed_503_also_apart(serve_process: ServeMounts, marks: Marks) -> None:
    async with serve_process("Apart") as served:
        psutil.Process(served.worker.pid).kill()
        refused = await served.client.get("/app/print")
        while refused.status_code != 503:
            refused = await served.client.get("/app/print")
        assert refused.json()["code"] == "not_ready"
        await eventually(lambda: life(marks).count("startup") == 2, "a second host")
        await served.until("IDLE")
        assert (await served.client.get("/app/print")).status_code == 200


# Tokens and sessions.


async def test_an_applications_own_401_is_a_403_where_a_401_is_the_servers(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served:
        assert (await served.client.get("/app/unauthorized")).status_code == 401
    async with serve_mounts("Beside", options=ServerOptions(token="t0ken")) as served:
        refused = await served.client.get("/app/unauthorized", headers={"authorization": "Bearer t0ken"})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (403, "Basic")


async def test_every_request_needs_the_token_and_none_passes_it_on(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside", options=ServerOptions(token="t0ken")) as served:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            for method in ("GET", "POST", "DELETE"):
                refused = await served.client.request(method, "/app/print", headers=headers)
                assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
                assert refused.headers["www-authenticate"] == "Bearer"
        scope = (await served.client.get("/app/scope", headers={"authorization": "Bearer t0ken"})).json()
        assert not [name for name, _ in scope["headers"] if name == ["authorization"]]


@pytest.mark.parametrize("path", ["/app/wait", "/app/wait-streaming"])
async def test_a_released_session_takes_its_requests_with_it(
    path: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts("Beside") as served, connected(served) as stream:
        head = f"GET {path} HTTP/1.1\r\nhost: x\r\nlivepeer-session-id: s1\r\nconnection: close\r\n\r\n"
        await stream.send(head.encode())
        await marks.wait("wait", "entered")
        served.server.lifecycle.sessions.end("other")
        served.server.lifecycle.sessions.end("s1")
        await marks.wait("wait", "gone")
        answer = await read_to_end(stream)
        if path == "/app/wait":
            assert answer.startswith(b"HTTP/1.1 410 ")
            assert b"session_ended" in answer
        else:
            assert answer.endswith(b"begun\r\n")
        await served.until("IDLE")


# What the documents say.


async def test_an_applications_openapi_is_taken_in(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Documented", options=ServerOptions(token="t0ken")) as served:
        document = (await served.client.get("/openapi.json")).json()
    openapi_spec_validator.validate(document)
    assert {"/", "/docs"}.isdisjoint(document["paths"])
    assert document["paths"]["/predict"]["post"]["operationId"] == "predict"
    things = document["paths"]["/app/things"]["post"]
    schema = things["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/MountedProblem"}
    schemas = document["components"]["schemas"]
    assert schemas["MountedProblem"]["properties"]["inner"] == {"$ref": "#/components/schemas/Other"}
    assert "code" in schemas["Problem"]["properties"]
    assert things["operationId"] == "Mountedhealth"
    assert things["security"] == [{"Mountedbearer": [], "bearer": []}]
    assert document["components"]["securitySchemes"]["Mountedbearer"]["scheme"] == "basic"
