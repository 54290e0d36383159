"""Calls that wait for their answer, through a gateway and straight at an orchestrator."""

import json
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from livepeer.client import (
    AllOrchestratorsFailedError,
    BusyError,
    FieldError,
    Gateway,
    InputError,
    InsufficientBalanceError,
    LivepeerError,
    ModelFailedError,
    NoOrchestratorError,
    ProtocolError,
    RefusedError,
    SettingsError,
    Signature,
    TimedOutError,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


async def echo(seen: Any) -> Response:
    return JSONResponse({"echo": seen.input, "path": seen.path})


def answers(response: Response) -> Any:
    async def answer(seen: Any) -> Response:
        return response

    return answer


def problem(status: int, **members: Any) -> Any:
    document = {"type": "about:blank", "title": "A title", "status": status, "detail": "some detail", **members}
    return answers(JSONResponse(document, status, media_type="application/problem+json"))


async def silent(seen: Any) -> Response:
    await anyio.sleep_forever()
    raise AssertionError


async def each(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def failure(caller: Any, gateway: Any, **kwargs: Any) -> LivepeerError:
    with pytest.raises(LivepeerError) as caught:
        await caller.run(gateway, "model", {}, **kwargs)
    return caught.value


async def test_a_gateway_returns_the_value_that_the_worker_gave(server: Any, caller: Any) -> None:
    url, _ = server.gateway(echo)
    result = await caller.run(caller.gateway(gateway_url=url), "model", {"text": "hä"})
    assert result == {"echo": {"text": "hä"}, "path": "/predict"}


async def test_an_orchestrator_returns_the_value_that_the_worker_gave(server: Any, caller: Any) -> None:
    url, _ = server.orchestrator(echo)
    result = await caller.run(caller.gateway(orch_url=url + "/"), "model", {"n": 1}, route="/a b/c")
    assert result == {"echo": {"n": 1}, "path": "/a b/c"}


async def test_the_job_header_is_what_a_gateway_asks_for(server: Any, caller: Any) -> None:
    url, (worker,) = server.gateway(echo)
    gateway = caller.gateway(gateway_url=url, headers={"Authorization": "Bearer hosted"})
    parameters = {"orchestrators": {"exclude": ["https://slow:8935"]}}
    await caller.run(gateway, "model", timeout_seconds=2.5, parameters=parameters)
    (seen,) = worker.seen
    assert seen.job == {
        "request": "{}",
        "parameters": json.dumps(parameters, separators=(",", ":")),
        "capability": "model",
        "timeout_seconds": 3,
    }
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == "Bearer hosted"
    assert seen.body == b"{}"


async def test_an_orchestrator_gets_an_id_a_sender_and_a_signature(server: Any, caller: Any) -> None:
    class Signer:
        def sign(self, request: str, parameters: str) -> Signature:
            return Signature(sender="0xabc", sig=f"signed {request} {parameters}")

    url, worker = server.orchestrator(echo)
    await caller.run(caller.gateway(orch_url=url, signer=Signer()), "model")
    await caller.run(caller.gateway(orch_url=url), "model")
    signed, unsigned = (seen.job for seen in worker.seen)
    assert (signed["sender"], signed["sig"]) == ("0xabc", "signed {} {}")
    assert len(unsigned["sig"]) == 132
    assert signed["id"] != unsigned["id"]


async def test_bytes_as_the_whole_input_are_the_body(server: Any, caller: Any, tmp_path: pathlib.Path) -> None:
    url, (worker,) = server.gateway(answers(JSONResponse(1)))
    gateway = caller.gateway(gateway_url=url)
    path = tmp_path / "image.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        for value in (PNG, bytearray(PNG), memoryview(PNG), path, file):
            await caller.run(gateway, "model", value)
    assert {seen.body for seen in worker.seen} == {PNG}
    assert {seen.headers["content-type"] for seen in worker.seen} == {"application/octet-stream"}


@pytest.mark.parametrize(
    ("response", "straight", "through_a_gateway"),
    [
        (JSONResponse("text"), "text", "text"),
        (JSONResponse(None), None, None),
        (Response(PNG, media_type="image/png"), PNG, PNG),
        (Response(b"\x00\x01", media_type="application/octet-stream"), b"\x00\x01", b"\x00\x01"),
        (PlainTextResponse("not JSON"), "not JSON", "not JSON"),
        (PlainTextResponse("12"), "12", 12),
        (Response(b"12", media_type="application/octet-stream"), b"12", 12),
        (Response(b"", media_type="application/octet-stream"), b"", b""),
        (Response(b'{"a": 1}', media_type="application/vnd.model+json"), {"a": 1}, {"a": 1}),
    ],
)
async def test_an_answer_is_decoded_by_its_media_type_or_by_trying(
    server: Any, caller: Any, response: Response, straight: Any, through_a_gateway: Any
) -> None:
    orch_url, _ = server.orchestrator(answers(response))
    gateway_url, _ = server.gateway(answers(response))
    assert await caller.run(caller.gateway(orch_url=orch_url), "model") == straight
    result = await caller.run(caller.gateway(gateway_url=gateway_url), "model")
    assert (result or None) == (through_a_gateway or None)


async def test_a_model_that_streams_gives_a_list(server: Any, caller: Any) -> None:
    async def stream(seen: Any) -> Response:
        lines = [b'data: {"i": 0}\n\n', b": ping\n", b"data: [1,\ndata: 2]\n\n", b"data: [DONE]\n\n"]
        return StreamingResponse(each(lines), media_type="text/event-stream")

    gateway_url, _ = server.gateway(stream)
    orch_url, _ = server.orchestrator(stream)
    assert await caller.run(caller.gateway(gateway_url=gateway_url), "model") == [{"i": 0}, [1, 2]]
    assert await caller.run(caller.gateway(orch_url=orch_url), "model") == [{"i": 0}, [1, 2]]


async def test_an_empty_200_without_an_orchestrator_is_a_failure(server: Any, caller: Any) -> None:
    url, workers = server.gateway(problem(500), problem(503))
    error = await failure(caller, caller.gateway(gateway_url=url))
    assert isinstance(error, AllOrchestratorsFailedError)
    assert isinstance(error, ProtocolError)
    assert (error.status, error.code, error.retryable) == (200, "all_orchestrators_failed", True)
    assert [len(worker.seen) for worker in workers] == [1, 1]


async def test_an_unknown_capability_has_no_orchestrator(server: Any, caller: Any) -> None:
    url, _ = server.gateway(echo, capability="another")
    error = await failure(caller, caller.gateway(gateway_url=url))
    assert isinstance(error, NoOrchestratorError)
    assert (error.status, error.retryable) == (400, True)
    assert "model" in str(error)


@pytest.mark.parametrize("hop", ["gateway_url", "orch_url"])
async def test_a_refusal_names_the_fields_at_fault(server: Any, caller: Any, hop: str) -> None:
    answer = problem(422, code="invalid_input", errors=[{"field": "steps", "reason": "must be under 50"}])
    url, _ = server.gateway(answer) if hop == "gateway_url" else server.orchestrator(answer)
    error = await failure(caller, caller.gateway(**{hop: url}))
    assert isinstance(error, RefusedError)
    assert error.fields == (FieldError(field="steps", reason="must be under 50"),)
    assert (error.status, error.code, error.retryable) == (422, "invalid_input", False)
    assert error.problem is not None
    assert error.problem["detail"] == "some detail"
    assert str(error) == "A title: some detail: steps: must be under 50"
    assert error.orchestrator_url == (url if hop == "orch_url" else None)


@pytest.mark.parametrize(
    ("answer", "kind", "code", "retryable"),
    [
        (problem(503, code="not_ready"), BusyError, "not_ready", True),
        (problem(500, code="model_failed"), ModelFailedError, "model_failed", False),
        (problem(500, code="host_crashed", retryable=True), ModelFailedError, "host_crashed", True),
        (problem(504, code="deadline_exceeded"), TimedOutError, "deadline_exceeded", True),
        (problem(402, code=None), InsufficientBalanceError, "insufficient_balance", False),
        (problem(400, detail="No orchestrators found"), RefusedError, "refused", False),
        (answers(PlainTextResponse("", 404)), RefusedError, "refused", False),
        (answers(PlainTextResponse("<html>", 502)), ModelFailedError, "model_failed", True),
        (answers(PlainTextResponse("[1]", 418)), RefusedError, "refused", False),
        (answers(PlainTextResponse('{"errors": 3, "code": 4, "detail": []}', 422)), RefusedError, "refused", False),
        (answers(PlainTextResponse("", 401)), ModelFailedError, "model_failed", False),
        (answers(PlainTextResponse("", 302)), ProtocolError, "protocol", False),
        (answers(Response("{", media_type="application/json")), ProtocolError, "not_json", False),
        (answers(Response("", media_type="application/json")), ProtocolError, "not_json", False),
        (answers(Response("[" * 100_000, media_type="application/json")), ProtocolError, "not_json", False),
        (answers(Response(b"x" * 300_000)), ProtocolError, "too_large", False),
    ],
)
async def test_an_answer_that_is_no_value_is_a_typed_error(
    server: Any, caller: Any, answer: Any, kind: type, code: str, retryable: bool
) -> None:
    url, _ = server.orchestrator(answer)
    error = await failure(caller, caller.gateway(orch_url=url, max_answer_bytes=200_000))
    assert type(error) is kind
    assert (error.code, error.retryable) == (code, retryable)


@pytest.mark.parametrize(
    ("members", "headers", "seconds"),
    [
        ({"retry_after_seconds": 2.5}, {"Retry-After": "9"}, 2.5),
        ({}, {"Retry-After": "9"}, 9.0),
        ({}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, {}, None),
    ],
)
async def test_a_busy_worker_says_when_to_come_back(
    server: Any, caller: Any, members: dict[str, Any], headers: dict[str, str], seconds: float | None
) -> None:
    url = server.add(JSONResponse({"title": "Busy", "status": 503, **members}, 503, headers))
    error = await failure(caller, caller.gateway(orch_url=url))
    assert isinstance(error, BusyError)
    assert error.retry_after_seconds == seconds


async def test_a_silent_network_is_given_up_after_the_grace(server: Any, caller: Any) -> None:
    url, _ = server.gateway(silent)
    error = await failure(caller, caller.gateway(gateway_url=url, grace_seconds=0), timeout_seconds=1)
    assert isinstance(error, TimedOutError)
    assert error.retryable


async def test_everyone_failing_at_the_deadline_is_a_timeout(server: Any, caller: Any) -> None:
    async def late(seen: Any) -> Response:
        await anyio.sleep(1)
        return PlainTextResponse("context deadline exceeded", 500)

    gateway_url, _ = server.gateway(late)
    orch_url, _ = server.orchestrator(late)
    for gateway in (caller.gateway(gateway_url=gateway_url), caller.gateway(orch_url=[orch_url, orch_url])):
        assert isinstance(await failure(caller, gateway, timeout_seconds=1), TimedOutError)


async def test_an_answer_that_drips_is_cut_at_the_deadline(server: Any, caller: Any) -> None:
    async def drip() -> Any:
        while True:
            yield b" "
            await anyio.sleep(0.02)

    url = server.add(StreamingResponse(drip(), media_type="application/json"))
    error = await failure(caller, caller.gateway(orch_url=url, grace_seconds=0), timeout_seconds=1)
    assert isinstance(error, TimedOutError)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gateway_url": "http://a", "orch_url": "http://b"},
        {"orch_url": []},
        {"gateway_url": "127.0.0.1:8935"},
        {"gateway_url": "ftp://a"},
        {"gateway_url": "http://a", "signer": object()},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        Gateway(**settings)


@pytest.mark.parametrize(("name", "seconds"), [("", 1), ("model", 0), ("model", -1), ("model", float("inf"))])
async def test_a_call_that_cannot_work_is_refused(caller: Any, name: str, seconds: float) -> None:
    with pytest.raises(SettingsError):
        await caller.run(caller.gateway(gateway_url="http://127.0.0.1:1"), name, timeout_seconds=seconds)


async def test_an_input_without_json_form_is_refused_before_anything_is_sent(server: Any, caller: Any) -> None:
    url, (worker,) = server.gateway(echo)
    with pytest.raises(InputError, match=r"input\.images\[1\]\.mask is a object"):
        await caller.run(caller.gateway(gateway_url=url), "model", {"images": [{}, {"mask": object()}]})
    assert worker.seen == []


async def test_a_closed_gateway_refuses_calls(server: Any, caller: Any) -> None:
    url, _ = server.gateway(echo)
    gateway = caller.gateway(gateway_url=url)
    await caller.run(gateway, "model")
    await gateway.aclose()
    with pytest.raises(SettingsError, match="closed"):
        await caller.run(gateway, "model")
