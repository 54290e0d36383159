"""What a network offers: found at orchestrators, in a document, at a signer."""

import hashlib
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from livepeer.client import (
    Capability,
    Card,
    Gateway,
    LivepeerError,
    NoOrchestratorError,
    Price,
    ProtocolError,
    SettingsError,
    UnreachableError,
)

from .live_runner import SECONDS

CARD = {
    "name": "captioner",
    "kind": "stream",
    "description": "Says what is to be seen.",
    "image": "registry/captioner@sha256:00",
    "schema_url": "http://127.0.0.1:1/schema",
    "schema_sha256": "00",
    "transport": "sse",
    "deadline_seconds": 30,
}


async def answer(request: Request) -> Response:
    return JSONResponse(await request.json())


async def test_a_runner_is_found_with_all_that_discovery_says_of_it(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(
        answer,
        app="acme/vision",
        mode="persistent",
        version="1.2",
        metadata=json.dumps(CARD),
        capacity=4,
        capacity_available=3,
        price_info=SECONDS,
    )
    assert await caller.discover(caller.gateway(orch_url=orchestrator.url)) == [
        Capability(
            name="captioner",
            network="live-runner",
            app="acme/vision",
            url=f"{orchestrator.url}/apps/runner-0/session",
            orchestrator_url=orchestrator.url,
            mode="persistent",
            version="1.2",
            card=Card(**CARD),  # pyright: ignore[reportArgumentType]
            capacity=4,
            capacity_available=3,
            price=Price(price=7, currency="wei", unit="seconds"),
        )
    ]


@pytest.mark.parametrize(
    "metadata",
    [None, "", "plain text", "[1]", "{", '{"name": 5, "kind": null, "deadline_seconds": "soon"}', '{"a": ' * 20_000, 7],
)
async def test_broken_metadata_is_an_empty_card(server: Any, caller: Any, metadata: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answer, app="acme/vision", metadata=metadata)
    (found,) = await caller.discover(caller.gateway(orch_url=orchestrator.url))
    assert (found.name, found.card) == ("vision", Card())


@pytest.mark.parametrize(
    "entry",
    [
        {"url": "ftp://nowhere/app"},
        {"url": None},
        {"app": ""},
        {"mode": "sometimes"},
        {"mode": None},
    ],
)
async def test_an_entry_that_nobody_could_call_is_left_out(server: Any, caller: Any, entry: dict[str, Any]) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answer).entry |= entry
    orchestrator.add(answer, app="me/other", capacity="many", price_info={"price": "1"}, version=None)
    assert [found.app for found in await caller.discover(caller.gateway(orch_url=orchestrator.url))] == ["me/other"]


@pytest.mark.parametrize(
    ("wanted", "apps"),
    [
        (({"name": "captioner"}), ["acme/vision"]),
        (({"name": "vision"}), ["acme/vision", "acme2/vision"]),
        (({"name": "acme/vision"}), ["acme/vision"]),
        (({"app": "acme2/vision"}), ["acme2/vision"]),
        (({"app": "vision"}), []),
        (({"kind": "stream"}), ["acme/vision"]),
        (({"name": "vision", "kind": "batch"}), []),
        (({"deadline_seconds": 30}), ["acme/vision"]),
        (({}), ["acme/vision", "acme2/vision", "acme/other"]),
    ],
)
async def test_what_is_looked_for_is_found(server: Any, caller: Any, wanted: dict[str, Any], apps: list[str]) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answer, app="acme/vision", metadata=json.dumps(CARD))
    orchestrator.add(answer, app="acme2/vision")
    orchestrator.add(answer, app="acme/other")
    found = await caller.discover(caller.gateway(orch_url=orchestrator.url), **wanted)
    assert [capability.app for capability in found] == apps


async def test_an_orchestrator_that_is_down_does_not_spoil_the_others(server: Any, caller: Any, dead_url: str) -> None:
    first, second = server.live_orchestrator(), server.live_orchestrator()
    first.add(answer, app="me/first")
    second.add(answer, app="me/second")
    broken = server.add(JSONResponse({"not": "a list"}), speaks_live_runner=True)
    without, _ = server.orchestrator(answer)
    gateway = caller.gateway(orch_url=[dead_url, first.url, broken, without, second.url])
    assert [found.app for found in await caller.discover(gateway)] == ["me/first", "me/second"]


async def test_discovery_fails_where_nobody_answers(server: Any, caller: Any, dead_url: str) -> None:
    broken = server.add(PlainTextResponse("out of order", 500), speaks_live_runner=True)
    with pytest.raises(LivepeerError, match="out of order") as caught:
        await caller.discover(caller.gateway(orch_url=[dead_url, broken]))
    assert [note for note in caught.value.__notes__ if "cannot connect" in note]
    with pytest.raises(UnreachableError):
        await caller.discover(caller.gateway(orch_url=dead_url))


async def test_an_orchestrator_without_runners_offers_nothing(server: Any, caller: Any) -> None:
    without, _ = server.orchestrator(answer)
    empty = server.add(JSONResponse([{"address": "http://127.0.0.1:1"}]), speaks_live_runner=True)
    assert await caller.discover(caller.gateway(orch_url=[without, empty])) == []


@pytest.mark.parametrize("available", [2, 0])
async def test_a_capability_on_byoc_is_found_by_its_name_while_it_has_a_free_slot(
    server: Any, caller: Any, available: int
) -> None:
    asked: list[Request] = []

    async def token(scope: Any, receive: Any, send: Any) -> None:
        asked.append(Request(scope, receive))
        await JSONResponse({"available_capacity": available, "price": {"pixelsPerUnit": 1}})(scope, receive, send)

    url = server.add(token)
    gateway = caller.gateway(orch_url=url)
    assert await caller.discover(gateway) == []
    assert asked == []
    found = await caller.discover(gateway, "captioner")
    assert [(each.name, each.network, each.orchestrator_url, each.capacity_available) for each in found] == (
        [("captioner", "byoc", url, 2)] if available else []
    )
    assert await caller.discover(gateway, "legende-für\nbilder") == []
    (request,) = asked
    assert (request.method, request.scope["path"]) == ("GET", "/process/token")
    assert request.headers["livepeer-capability"] == "captioner"


async def test_a_discovery_document_is_read_with_its_own_headers(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answer)
    seen: list[Request] = []

    async def document(scope: Any, receive: Any, send: Any) -> None:
        seen.append(Request(scope, receive))
        runners = [runner.entry for runner in orchestrator.runners.values()]
        entries = [{"address": orchestrator.url, "score": 1, "runners": runners}, "nonsense", {"runners": 5}]
        await JSONResponse(entries)(scope, receive, send)

    url = server.add(document) + "/list?region=eu"
    gateway = caller.gateway(
        discovery_url=url, discovery_headers={"Authorization": "for the list"}, headers={"Authorization": "for workers"}
    )
    (found,) = await caller.discover(gateway)
    assert found.orchestrator_url == orchestrator.url
    assert await caller.run(gateway, found, {"n": 1}) == {"n": 1}
    assert seen[0].headers["authorization"] == "for the list"
    assert seen[0].scope["query_string"] == b"region=eu"
    assert orchestrator.seen[-1].headers["authorization"] == "for workers"


async def test_a_signer_lists_orchestrators_where_nobody_else_does(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(answer)
    signer.orchestrators = [
        {
            "address": orchestrator.url,
            "score": 1.0,
            "capabilities": [],
            "runners": [orchestrator.runners["runner-0"].entry],
        }
    ]
    gateway = caller.gateway(signer_url=signer.url, signer_headers={"Authorization": "for the signer"})
    (found,) = await caller.discover(gateway, "model")
    assert found.app == "me/model"
    assert signer.headers[0]["authorization"] == "for the signer"


def test_a_gateway_alone_cannot_say_what_there_is() -> None:
    with Gateway(gateway_url="http://127.0.0.1:1") as gateway, pytest.raises(SettingsError, match="orch_url"):
        gateway.discover("captioner")


def test_a_field_that_cards_do_not_have_is_named() -> None:
    with Gateway(orch_url="http://127.0.0.1:1") as gateway, pytest.raises(SettingsError, match=r"colour.*kind"):
        gateway.discover(colour="green")


async def test_the_schema_is_fetched_and_is_the_one_that_the_card_vouches_for(server: Any, caller: Any) -> None:
    body = b'{"input": {"type": "object"}}'
    url = server.add(Response(body, media_type="application/json"))
    gateway = caller.gateway(orch_url=server.live_orchestrator().url, headers={"Authorization": "private"})

    def capability(**card: Any) -> Capability:
        base = {"name": "m", "network": "live-runner", "app": "me/m", "url": url, "orchestrator_url": url}
        return Capability(**base, card=Card(**card))  # pyright: ignore[reportArgumentType]

    digest = hashlib.sha256(body).hexdigest()
    for promised in (digest, digest.upper(), None):
        document = await caller.schema(gateway, capability(schema_url=f"{url}/schema", schema_sha256=promised))
        assert document == {"input": {"type": "object"}}
    with pytest.raises(ProtocolError, match=digest) as caught:
        await caller.schema(gateway, capability(schema_url=f"{url}/schema", schema_sha256="0" * 64))
    assert caught.value.code == "schema_mismatch"
    for nothing in ({}, {"schema_url": "/schema"}, {"schema_url": "file:///etc/passwd"}):
        with pytest.raises(SettingsError, match="schema_url"):
            await caller.schema(gateway, capability(**nothing))


async def test_a_missing_schema_is_an_error(server: Any, caller: Any, dead_url: str) -> None:
    orchestrator = server.live_orchestrator()
    card = {"schema_url": server.add(PlainTextResponse("gone", 404)) + "/schema"}
    orchestrator.add(answer, metadata=json.dumps(card))
    gateway = caller.gateway(orch_url=orchestrator.url)
    (found,) = await caller.discover(gateway)
    with pytest.raises(LivepeerError, match="gone"):
        await caller.schema(gateway, found)


async def test_a_name_that_nobody_answers_to_says_who_did_not_answer(server: Any, caller: Any, dead_url: str) -> None:
    gateway = caller.gateway(discovery_url=server.add(JSONResponse([])) + "/list")
    with pytest.raises(NoOrchestratorError, match="nobody"):
        await caller.run(gateway, "nobody")
    with pytest.raises(UnreachableError):
        await caller.run(caller.gateway(discovery_url=dead_url), "nobody")
