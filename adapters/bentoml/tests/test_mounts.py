"""What a service has beside its apis: mounted applications, WebSockets, probes, middlewares, CORS."""

import json
import re
from typing import Any

import httpx2
import pytest
from bento_serving import serving
from edge_harness import Served
from websockets.asyncio.client import connect

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio

ORIGIN = {"origin": "https://app.example"}


async def asked(served: Served, path: str, method: str = "GET", **extra: Any) -> tuple[int, str]:
    answer = await served.client.request(method, path, **extra)
    return answer.status_code, answer.text


async def test_mounted_applications_answer() -> None:
    async with serving("bento_mounts.py:Mounted") as served:
        assert await asked(served, "/fast/greet/world") == (200, '{"message":"hello world"}')
        assert await asked(served, "/fast/length", "POST", content=b"x" * 3_000_000) == (200, "3000000")
        assert await asked(served, "/fast/service") == (200, '{"shouted":"HELLO"}')
        assert (await asked(served, "/fast/nothing"))[0] == 404
        assert await asked(served, "/wsgi/some/where", "POST", content=b"body") == (200, "/some/where body")
        answer = await served.client.get("/acme/plain/x")
        assert (answer.status_code, answer.headers["x-path"]) == (418, "/acme/plain/x")


async def test_a_mounted_application_has_its_lifespan_once() -> None:
    async with serving("bento_mounts.py:Mounted") as served:
        assert (await asked(served, "/star/life"))[1].endswith('"begins"]')
        before = (await served.client.get("/star/life")).json()
        assert before.count("begins") == before.count("ends") + 1


async def test_websockets_are_carried() -> None:
    async with serving("bento_mounts.py:Mounted") as served:
        url = f"ws{served.url.removeprefix('http')}/fast/socket"
        async with connect(url, proxy=None, open_timeout=10) as websocket:
            for word in ("one", "two"):
                await websocket.send(word)
                assert await websocket.recv() == word.upper()


async def test_the_probes_and_the_schema_are_bentomls() -> None:
    async with serving("bento_mounts.py:Mounted") as served:
        assert await asked(served, "/livez") == (200, "\n")
        assert await asked(served, "/readyz") == (200, "\n")
        schema = (await served.client.get("/schema.json")).json()
        assert schema["name"] == "Mounted"
        assert [route["name"] for route in schema["routes"]] == ["shout"]
        assert (await served.client.get("/healthz")).json()["status"] == "IDLE"  # the contract's own


async def test_a_prefix_goes_before_everything_but_the_schema() -> None:
    async with serving("bento_mounts.py:Prefixed") as served:
        assert await asked(served, "/v1/shout", "POST", json={"text": "a"}) == (200, "A")
        assert await asked(served, "/v1/livez") == (200, "\n")
        assert await asked(served, "/v1/healthz") == (200, "\n")
        assert await asked(served, "/v1/readyz") == (200, "\n")
        assert (await asked(served, "/v1/later/submit", "POST"))[0] == 200
        assert (await asked(served, "/v1/plain/x"))[0] == 418
        assert (await asked(served, "/schema.json"))[0] == 200
        for path in ("/readyz", "/shout", "/later/submit", "/v1/schema.json", "/v1", "/v1/"):
            assert (await asked(served, path))[0] == 404, path


@pytest.mark.parametrize("name", ["Mounted", "Prefixed", "Rooted", "Guarded"])
async def test_no_index_page_no_metrics_and_no_documents_of_bentomls(name: str) -> None:
    async with serving(f"bento_mounts.py:{name}") as served:
        for prefix in ("", "/v1"):
            for path in ("", "/", "/metrics", "/docs.json", "/static_content/swagger-ui.css", "/assets/index.js"):
                text = (await served.client.get(prefix + path)).text
                assert "googletagmanager" not in text
                assert "bentoml_service" not in text
                assert '"openapi":"3.0.2"' not in text.replace(" ", "")
                assert "SwaggerUIBundle" not in text
        assert (await served.client.get("/metrics")).status_code == 404


async def test_an_application_at_the_root_has_what_is_nobody_elses() -> None:
    async with serving("bento_mounts.py:Rooted") as served:
        assert await asked(served, "/anything") == (200, '"anything"')
        assert (await served.client.get("/health")).json()["status"] == "IDLE"
        assert "operations" in (await served.client.get("/")).json()
        assert await asked(served, "/shout", "POST", json={"text": "a"}) == (200, "A")
        assert await asked(served, "/metrics") == (404, "Not Found")


async def test_a_service_without_an_api_is_reached_by_a_document() -> None:
    async with serving("bento_mounts.py:MountedAlone") as served:
        assert await asked(served, "/only/x") == (200, '"x"')
        answer = await served.client.post("/predict", json={"path": "/only/a%20b?c=d", "method": "GET"})
        assert (answer.status_code, answer.json()) == (200, "a b")
        answer = await served.client.post("/predict", json={"path": "/only/x", "body": 1})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
        assert (await served.client.post("/predict", json={"path": "/metrics", "method": "GET"})).status_code == 404
        for wrong in ({}, {"path": "only"}, {"path": "/a b"}, {"path": "/", "method": "TRACE"}, {"path": "/", "x": 1}):
            assert (await served.client.post("/predict", json=wrong)).status_code == 422, wrong


async def test_an_api_at_the_root_is_what_the_root_does() -> None:
    async with serving("bento_mounts.py:AtTheRoot") as served:
        assert await asked(served, "/", "POST", json={"text": "aB"}) == (200, "AB")
        assert await asked(served, "/beside", "POST", json={"text": "aB"}) == (200, "ab")
        assert "operations" in (await served.client.get("/")).json()


async def test_every_reference_of_the_document_leads_somewhere() -> None:
    async with serving("bento_mounts.py:Prefixed") as served:
        document = (await served.client.get("/openapi.json")).json()
    assert {"/v1/later/submit", "/v1/later/cancel", "/v1/readyz", "/schema.json"} <= set(document["paths"])
    known = {f"#/components/{kind}/{name}" for kind, held in document["components"].items() for name in held}
    assert set(re.findall(r'"(#/components/[^"]*)"', json.dumps(document))) <= known


async def test_an_apis_path_takes_nothing_but_post() -> None:
    async with serving("bento_mounts.py:Mounted") as served:
        answer = await served.client.get("/shout")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


# Middlewares.


async def test_middlewares_of_the_services_own_see_every_request() -> None:
    async with serving("bento_mounts.py:Guarded") as served:
        for path in ("/readyz", "/plain", "/schema.json"):
            assert (await served.client.get(path)).headers["x-stamp"] == "seen"
        answer = await served.client.post("/shout", json={"text": "a"})
        assert (answer.text, answer.headers["x-stamp"]) == ("A", "seen")
        for method, path in (("POST", "/shout"), ("GET", "/plain"), ("POST", "/later/submit")):
            closed = await served.client.request(method, path, json={"text": "a"}, headers={"x-closed": "1"})
            assert (closed.status_code, closed.json()) == (423, {"error": "closed"})


async def test_tasks_run_behind_a_middleware() -> None:
    async with serving("bento_mounts.py:Guarded") as served:
        task_id = (await served.client.post("/later/submit")).json()["task_id"]
        await served.until("IDLE")
        assert (await served.client.get("/later/get", params={"task_id": task_id})).text == "done"


async def test_tasks_are_cancelled_behind_a_middleware() -> None:
    async with serving("bento_mounts.py:Guarded") as served:
        task_id = (await served.client.post("/never/submit")).json()["task_id"]
        answer = await served.client.put("/never/cancel", params={"task_id": task_id})
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
        await served.until("IDLE")


# CORS.


def preflight(method: str) -> dict[str, str]:
    return {**ORIGIN, "access-control-request-method": method, "access-control-request-headers": "x-own"}


@pytest.mark.parametrize("path", ["/shout", "/later/submit", "/plain"])
async def test_a_preflight_is_answered_as_the_service_says(path: str) -> None:
    async with serving("bento_mounts.py:Guarded") as served:
        answer = await served.client.options(path, headers=preflight("POST"))
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]
        refused = await served.client.options(path, headers={**preflight("POST"), "origin": "https://else.example"})
        assert "access-control-allow-origin" not in refused.headers


async def test_an_answer_names_the_origin_that_may_read_it() -> None:
    async with serving("bento_mounts.py:Guarded") as served:
        answers = [
            await served.client.post("/shout", json={"text": "a"}, headers=ORIGIN),
            await served.client.get("/plain", headers=ORIGIN),
        ]
        for answer in answers:
            assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]


async def test_the_servers_token_guards_what_is_mounted() -> None:
    async with serving("bento_mounts.py:Mounted", options=ServerOptions(token="secret")) as served:
        assert (await asked(served, "/fast/greet/x"))[0] == 401
        headers = {"authorization": "Bearer secret"}
        answer: httpx2.Response = await served.client.get("/fast/greet/x", headers=headers)
        assert answer.status_code == 200
