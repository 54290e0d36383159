"""What a server says about itself."""

import hashlib
import json

import pytest
from edge_harness import Marks, Serve
from openapi_spec_validator import OpenAPIV31SpecValidator

from livepeer.server import ServerOptions
from livepeer.server._hardware import parse_gpus

pytestmark = pytest.mark.anyio


async def test_health_is_loading_while_setup_runs_and_jobs_get_503(serve: Serve, marks: Marks) -> None:
    async with serve("SlowSetup", wait=False) as served:
        first = await served.client.get("/health")
        assert first.status_code == 200
        assert first.text.startswith('{"status":"LOADING"')
        assert (await served.client.get("/healthz")).status_code == 503
        refused = await served.predict()
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert "retry-after" in refused.headers
        marks.go("setup")
        await served.until("IDLE")
        assert (await served.client.get("/healthz")).status_code == 200
        assert (await served.predict()).json() == "ready"


async def test_the_schema_is_served_while_the_model_loads(serve: Serve, marks: Marks) -> None:
    async with serve("SlowSetup", wait=False) as served:
        while (answer := await served.client.get("/schema")).status_code == 503:
            pass
        assert answer.json()["name"] == "slow-setup"
        assert (await served.health())["status"] == "LOADING"
        marks.go("setup")
        await served.until("IDLE")


async def test_a_failed_setup_is_error_with_its_reason_and_is_torn_down(serve: Serve, marks: Marks) -> None:
    async with serve("BrokenSetup", wait=False) as served:
        health = await served.until("ERROR")
        assert "the weights are missing" in health["reason"]
        refused = await served.predict()
        assert refused.status_code == 503
        assert "the weights are missing" in refused.json()["detail"]
        await marks.wait("broken", "torn-down")


@pytest.mark.parametrize(("name", "words"), [("NoSuchThing", "NoSuchThing"), ("BrokenInit", "no such weights")])
async def test_a_target_that_cannot_be_loaded_is_error_with_its_reason(serve: Serve, name: str, words: str) -> None:
    async with serve(name, wait=False) as served:
        health = await served.until("ERROR")
        assert words in health["reason"]


@pytest.mark.parametrize("name", ["Rich", "Forms", "Png", "File", "SyncYield", "AsyncItems"])
async def test_openapi_is_valid(serve: Serve, name: str) -> None:
    async with serve(name, options=ServerOptions(token="t")) as served:
        document = (await served.client.get("/openapi.json")).json()
        OpenAPIV31SpecValidator(document).validate()


async def test_openapi_says_all_that_the_signature_says(serve: Serve) -> None:
    async with serve("Rich") as served:
        document = (await served.client.get("/openapi.json")).json()
        assert document["info"]["title"] == "rich-model"
        assert document["info"]["version"] == "1.2.3"
        schemas = document["components"]["schemas"]
        fields = schemas["PredictInput"]["properties"]
        assert fields["prompt"]["minLength"] == 2
        assert fields["prompt"]["description"] == "What to draw"
        assert fields["mode"]["enum"] == ["fast", "slow"]
        assert fields["image"]["contentEncoding"] == "base64"
        assert schemas["PredictInput"]["required"] == ["prompt", "size"]
        size = schemas[fields["size"]["$ref"].rpartition("/")[2]]
        assert size["properties"]["width"]["examples"] == [640]
        assert size["properties"]["height"]["default"] == 480
        post = document["paths"]["/predict"]["post"]
        assert "multipart/form-data" in post["requestBody"]["content"]
        problem = post["responses"]["422"]["content"]["application/problem+json"]["schema"]["$ref"]
        assert {"status", "code", "detail", "errors"} <= set(schemas[problem.rpartition("/")[2]]["properties"])


async def test_openapi_has_the_schema_of_a_streams_events(serve: Serve) -> None:
    async with serve("SyncYield") as served:
        document = (await served.client.get("/openapi.json")).json()
        content = document["paths"]["/predict"]["post"]["responses"]["200"]["content"]["text/event-stream"]
        name = content["schema"]["x-event-schema"]["$ref"].rpartition("/")[2]
        assert document["components"]["schemas"][name] == {"type": "string"}


async def test_docs_are_swagger_ui_without_any_other_host(serve: Serve) -> None:
    async with serve("Rich") as served:
        page = await served.client.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        assert "http:" not in page.text
        assert "https:" not in page.text
        assert "//" not in page.text.replace("<!doctype html>", "")
        script = await served.client.get("/docs/swagger-ui-bundle.js")
        assert script.headers["content-type"].startswith("text/javascript")
        assert "SwaggerUIBundle" in script.text
        style = await served.client.get("/docs/swagger-ui.css")
        assert style.headers["content-type"].startswith("text/css")
        assert (await served.client.get("/docs/../secrets")).status_code == 404


async def test_discovery_lists_the_operations_and_where_the_rest_is(serve: Serve) -> None:
    async with serve("Rich") as served:
        found = (await served.client.get("/")).json()
        assert found["name"] == "rich-model"
        assert found["operations"][0]["path"] == "/predict"
        for path in found["links"].values():
            assert (await served.client.get(path)).status_code == 200


async def test_schema_hashes_the_same_every_time(serve: Serve) -> None:
    async with serve("Rich") as served:
        bodies = {(await served.client.get("/schema")).content for _ in range(3)}
        assert len(bodies) == 1
        assert hashlib.sha256(bodies.pop()).hexdigest() == served.server.documents.schema_sha256()


async def test_capabilities_and_version_have_the_fields_that_callers_read(serve: Serve) -> None:
    async with serve("Rich") as served:
        (capability,) = (await served.client.get("/capabilities/")).json()["capabilities"]
        assert set(capability) == {"name", "model_id", "capacity", "price_per_unit", "price_scaling"}
        version = (await served.client.get("/version")).json()
        assert {"pipeline", "model_id", "version"} <= set(version)


async def test_operator_routes_are_off_unless_switched_on(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        for path in ("/metrics", "/hardware/info"):
            assert (await served.client.get(path)).status_code == 404
    async with serve("SyncReturn", options=ServerOptions(operator_routes=True)) as served:
        assert "livepeer_slots_capacity 1" in (await served.client.get("/metrics")).text
        assert (await served.client.get("/hardware/info")).status_code == 200


async def test_an_answer_that_is_no_object_is_told_in_schema_and_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve("SyncReturn") as served:
        (note,) = (await served.client.get("/schema")).json()["notes"]
        assert "a JSON string" in note
        assert note in caplog.text
    for name in ("Rich", "Png", "File", "SyncYield"):
        async with serve(name) as served:
            assert "notes" not in (await served.client.get("/schema")).json()


def test_gpus_are_read_as_the_drivers_tool_prints_them() -> None:
    listing = "0, GPU-1a, NVIDIA H100 80GB HBM3, 81559, 81008, 9.0\n1, GPU-2b, Tesla T4, 15360, 100, 7.5\n"
    found = parse_gpus(listing)
    assert found["1"] == {
        "id": "GPU-2b", "name": "Tesla T4", "memory_total": 15360 * 2**20, "memory_free": 100 * 2**20,
        "major": 7, "minor": 5,
    }  # fmt: skip
    assert found["0"]["name"] == "NVIDIA H100 80GB HBM3"
    assert parse_gpus("") == {}


async def test_a_head_request_gets_the_head_alone(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        answer = await served.client.head("/health")
        assert (answer.status_code, answer.content) == (200, b"")


async def test_health_puts_the_status_first(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        body = (await served.client.get("/health")).text
        assert next(iter(json.loads(body))) == "status"
        assert body.startswith('{"status":"IDLE"')
