import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from face_harness import Faced, serving_face

JSON = {"content-type": "application/json"}
HEAD = b"POST /predictions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
UNREAD = "Failed to parse the request body as JSON: "
MISSHAPEN = "Failed to deserialize the JSON body into the target type: "
MISSING = {"detail": [{"loc": ["body", "input", "text"], "msg": "Field required", "type": "value_error.missing"}]}


@pytest.fixture
async def told() -> AsyncIterator[Faced]:
    async with serving_face("Told") as faced:
        yield faced


async def test_an_answer_is_compact_and_sorted_at_every_depth(told: Faced) -> None:
    response = await told.client.post(
        "/predictions", json={"id": "é", "input": {"text": "x"}, "context": {"z": "1", "b": "ü"}}
    )
    assert response.headers["content-type"] == "application/json"
    before, after = '{"id":"é","logs":"","metrics":{"predict_time":', '},"output":{"a":{"b":"ü","z":"1"},"b":"x"},'
    assert response.text.startswith(before)
    assert response.text.endswith(after + '"status":"succeeded"}')
    assert 0 < response.json()["metrics"]["predict_time"] < 10


async def test_an_id_is_made_for_who_gives_none(told: Faced) -> None:
    first, second = (await told.predict(text="x")).json(), (await told.predict(text="x")).json()
    assert first["id"].startswith("pred_")
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"]
)
async def test_a_body_of_any_json_media_type_is_read(told: Faced, media_type: str) -> None:
    response = await told.client.post(
        "/predictions", content=b'{"input":{"text":"x"}}', headers={"content-type": media_type}
    )
    assert response.json()["status"] == "succeeded"


async def test_a_body_without_a_media_type_is_not_looked_at(told: Faced) -> None:
    response = await told.client.post("/predictions", content=b'{"input":{"text":"x"}}')
    assert (response.status_code, response.json()) == (422, MISSING)


async def test_a_body_of_another_media_type_is_refused(told: Faced) -> None:
    response = await told.client.post("/predictions", content=b"{}", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    assert response.text == "Expected request with `Content-Type: application/json`"


@pytest.mark.parametrize("body", [b"{}", b'{"input":null}', b'{"input":{}}', b'{"input":{},"more":1}'])
async def test_a_missing_input_is_named(told: Faced, body: bytes) -> None:
    response = await told.client.post("/predictions", content=body, headers=JSON)
    assert (response.status_code, response.json()) == (422, MISSING)


async def test_every_wrong_input_is_named_and_what_is_missing_comes_last(told: Faced) -> None:
    response = await told.predict(count=9, mode="never")
    assert response.status_code == 422
    assert [(wrong["loc"], wrong["type"]) for wrong in response.json()["detail"]] == [
        (["body", "input", "count"], "value_error"),
        (["body", "input", "mode"], "value_error"),
        (["body", "input", "text"], "value_error.missing"),
    ]
    assert response.json()["detail"][0]["msg"] == "9 is greater than the maximum of 5"


@pytest.mark.parametrize("given", [[1], "x", 3, True])
async def test_an_input_that_is_no_object_is_named(told: Faced, given: Any) -> None:
    response = await told.client.post("/predictions", json={"input": given})
    message = f'{json.dumps(given)} is not of type "object"'
    assert response.status_code == 422
    assert response.json()["detail"] == [{"loc": ["body", "input", "__root__"], "msg": message, "type": "value_error"}]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", UNREAD + "EOF while parsing a value at line 1 column 0"),
        (b'{"input":{"text":"w"},}', UNREAD + "trailing comma at line 1 column 23"),
        (b"{} x", UNREAD + "trailing characters at line 1 column 4"),
        (b'{"input":{"text":NaN}}', UNREAD + "expected value at line 1 column 18"),
        (b'{"input":{"text":"\xff"}}', UNREAD + "invalid unicode code point at line 1 column 19"),
    ],
)
async def test_a_body_that_is_no_json_is_told_why(told: Faced, body: bytes, text: str) -> None:
    response = await told.client.post("/predictions", content=body, headers=JSON)
    assert (response.status_code, response.text) == (400, text)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "invalid type: sequence, expected struct PredictionRequest"),
        (None, "invalid type: null, expected struct PredictionRequest"),
        ("x", 'invalid type: string "x", expected struct PredictionRequest'),
        ({"id": 3}, "id: invalid type: integer `3`, expected a string"),
        ({"id": {}}, "id: invalid type: map, expected a string"),
        ({"webhook": True}, "webhook: invalid type: boolean `true`, expected a string"),
        ({"webhook": 1.5}, "webhook: invalid type: floating point `1.5`, expected a string"),
        ({"context": None}, "context: invalid type: null, expected a map"),
        ({"context": {"a": 1}}, "context.a: invalid type: integer `1`, expected a string"),
        ({"webhook_events_filter": None}, "webhook_events_filter: invalid type: null, expected a sequence"),
        (
            {"webhook_events_filter": ["start", "x"]},
            "webhook_events_filter[1]: unknown variant `x`, expected one of `start`, `output`, `logs`, `completed`",
        ),
        (
            {"webhook_events_filter": [{}]},
            "webhook_events_filter[0]: invalid type: map, expected variant identifier",
        ),
    ],
)
async def test_a_body_of_another_shape_is_told_where(told: Faced, document: Any, text: str) -> None:
    response = await told.client.post("/predictions", content=json.dumps(document), headers=JSON)
    assert (response.status_code, response.text) == (422, MISSHAPEN + text)


async def test_a_body_over_the_limit_is_refused_before_it_is_sent(told: Faced) -> None:
    head = (
        b"POST /predictions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 104857601\r\n\r\n"
    )
    async with await told.connect(head) as stream:
        assert (await stream.receive()).startswith(b"HTTP/1.1 413 ")


async def test_a_body_over_the_limit_is_refused_while_it_is_sent(told: Faced) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(101):
            yield b" " * 1024 * 1024

    response = await told.client.post("/predictions", content=body(), headers=JSON)
    assert response.status_code == 413
    assert response.text == "Failed to buffer the request body: length limit exceeded"


async def test_half_a_body_starts_no_prediction(told: Faced, tmp_path: Path) -> None:
    document = {"input": {"text": "x", "mode": "wait", "gate": str(tmp_path / "gate")}}
    body = json.dumps(document).encode()
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body)
    async with await told.connect(HEAD + chunked):
        pass
    # Its end is seen before another request is, which then has the slot.
    assert (await told.predict(text="x")).status_code == 200
    assert not (tmp_path / "gate.reached").exists()


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/predictions", 405, "POST"),
        ("OPTIONS", "/predictions", 405, "POST"),
        ("GET", "/predictions/p", 405, "PUT"),
        ("POST", "/predictions/p", 405, "PUT"),
        ("GET", "/predictions/p/cancel", 405, "POST"),
        ("POST", "/health-check", 405, "GET,HEAD"),
        ("POST", "/predictions/", 404, None),
        ("PUT", "/predictions/a/b", 404, None),
        ("POST", "/predictions/a/cancel/", 404, None),
        ("GET", "/health-check/", 404, None),
        ("POST", "/shutdown", 404, None),
        ("POST", "/trainings", 404, None),
    ],
)
async def test_what_is_not_there_has_an_empty_answer(
    told: Faced, method: str, path: str, status: int, allow: str | None
) -> None:
    response = await told.client.request(method, path)
    assert (response.status_code, response.headers.get("allow"), response.content) == (status, allow, b"")


async def test_a_head_of_the_health_check_has_no_body(told: Faced) -> None:
    response = await told.client.head("/health-check")
    assert (response.status_code, response.content) == (200, b"")
