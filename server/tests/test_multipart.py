"""Forms: files for bytes fields, text for all others, typed by the schema."""

import pytest
from edge_harness import Serve

pytestmark = pytest.mark.anyio


async def test_a_form_with_a_file_reaches_the_model_typed(serve: Serve) -> None:
    async with serve("Forms") as served:
        answer = await served.client.post(
            "/predict",
            data={"count": "3", "ratio": "0.5", "label": "42", "tags": ["a", "b"], "on": "true"},
            files={"image": ("cat.png", b"\x00\xff" * 1000, "image/png")},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "size": 2000, "last": 255, "count": 3, "ratio": 0.5,
            "label": "42", "tags": ["a", "b"], "note": "-", "on": True,
        }  # fmt: skip


async def test_one_value_for_a_list_is_a_list(serve: Serve) -> None:
    async with serve("Forms") as served:
        answer = await served.client.post(
            "/predict",
            data={"count": "3", "ratio": "1", "label": "x", "tags": "only"},
            files={"image": b"1"},
        )
        assert answer.json()["tags"] == ["only"]


async def test_a_large_file_crosses_whole(serve: Serve) -> None:
    async with serve("Big") as served:
        content = bytes(range(256)) * 4096 * 20
        answer = await served.client.post("/predict", files={"data": content})
        assert answer.content == content


async def test_a_file_for_an_address_becomes_a_data_uri(serve: Serve) -> None:
    async with serve("Addressed") as served:
        sent = [("sources", ("a.csv", b"a,1", "text/csv")), ("sources", ("b", b"b", 'x/"y\\'))]
        answer = await served.client.post("/predict", data={"main": "https://example.com/c"}, files=sent)
        assert answer.json() == ["https://example.com/c", "data:text/csv;base64,YSwx", "data:x/y;base64,Yg=="]


async def test_a_form_that_does_not_fit_names_the_field(serve: Serve) -> None:
    async with serve("Forms") as served:
        answer = await served.client.post(
            "/predict", data={"count": "three", "ratio": "1", "label": "x", "tags": "t"}, files={"image": b"1"}
        )
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["count"]


async def test_a_broken_form_is_400(serve: Serve) -> None:
    async with serve("Forms") as served:
        for content_type, body in (
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=b", b"--b\r\nnonsense"),
            ("multipart/form-data; boundary=b", b"no boundary at all"),
        ):
            answer = await served.client.post("/predict", content=body, headers={"content-type": content_type})
            assert answer.status_code in (400, 422), body


async def test_a_form_with_what_json_cannot_hold_is_refused(serve: Serve) -> None:
    deep, surrogate = b"[" * 100_000, rb'["\ud800"]'
    async with serve("Forms") as served:
        for charset, value in (("utf-8", deep), ("unicode_escape", surrogate), ("utf-8", b"9" * 5_000)):
            part = b'--b\r\nContent-Disposition: form-data; name="tags"\r\n\r\n%b\r\n--b--\r\n' % value
            headers = {"content-type": f"multipart/form-data; boundary=b; charset={charset}"}
            answer = await served.client.post("/predict", content=part, headers=headers)
            assert answer.status_code in (400, 422), (charset, answer.text)


async def test_openapi_says_that_a_form_cannot_hold_an_empty_list(serve: Serve) -> None:
    async with serve("Forms") as served:
        document = (await served.client.get("/openapi.json")).json()
        content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
        assert content["multipart/form-data"]["schema"]["properties"]["tags"]["minItems"] == 1
        assert "minItems" not in document["components"]["schemas"]["PredictInput"]["properties"]["tags"]
