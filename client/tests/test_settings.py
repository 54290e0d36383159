"""What a gateway object is told, and what does not fit together."""

import base64
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from livepeer.client import Bill, Exchange, Gateway, Payment, SettingsError, Signature

URL = "http://127.0.0.1:1"


class Payer:
    def address(self) -> Exchange[str]:
        raise NotImplementedError

    def pay(self, bill: Bill) -> Exchange[Payment]:
        raise NotImplementedError


class Signer:
    def sign(self, request: str, parameters: str) -> Signature:
        raise NotImplementedError


def token(**members: Any) -> str:
    return base64.b64encode(json.dumps(members).encode()).decode()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "where to look"),
        ({"token": token()}, "where to look"),
        ({"signer": Payer()}, "where to look"),
        ({"orch_url": []}, "empty"),
        ({"orch_url": "ftp://x"}, "base URL"),
        ({"orch_url": "http://x?a=1"}, "base URL"),
        ({"gateway_url": URL, "orch_url": URL}, "gateway_url goes alone"),
        ({"gateway_url": URL, "token": token(signer=URL)}, "gateway_url goes alone"),
        ({"gateway_url": URL, "signer_url": URL}, "gateway_url goes alone"),
        ({"gateway_url": URL, "discovery_url": URL}, "gateway_url goes alone"),
        ({"gateway_url": URL, "signer": Signer()}, "signer"),
        ({"orch_url": URL, "discovery_url": URL}, "either orch_url or discovery_url"),
        ({"orch_url": URL, "discovery_headers": {}}, "discovery_headers go with"),
        ({"orch_url": URL, "signer_headers": {}}, "signer_headers go with"),
        ({"orch_url": URL, "signer_url": URL, "signer": Payer()}, "either signer_url or"),
        ({"orch_url": URL, "signer_url": "nowhere"}, "base URL"),
        ({"discovery_url": "nowhere"}, "base URL"),
        ({"token": "%%%"}, "base64 of a JSON object"),
        ({"token": base64.b64encode(b"[1]").decode()}, "base64 of a JSON object"),
        ({"token": token(signer=5)}, "signer is no URL"),
        ({"token": token(discovery=URL, discovery_headers=[1])}, "discovery_headers"),
        ({"token": token(orchestrators="x")}, "orchestrators"),
        ({"token": token(orchestrators=[1])}, "orchestrators"),
    ],
)
def test_what_does_not_fit_together_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Gateway(**settings)


@pytest.mark.parametrize("value", ["very-secret\n", "very-secret-ä", 5])
@pytest.mark.parametrize("setting", ["signer_headers", "discovery_headers", "headers"])
def test_a_header_that_cannot_be_sent_is_named_without_its_value(setting: str, value: Any) -> None:
    settings: dict[str, Any] = {"signer_url": URL, "discovery_url": URL, setting: {"Authorization": value}}
    with pytest.raises(SettingsError, match=f"{setting}.*Authorization") as caught:
        Gateway(**settings)
    assert "very-secret" not in str(caught.value)


async def answer(request: Request) -> Response:
    return JSONResponse(await request.json())


def listing(server: Any, orchestrator: Any) -> str:
    runners = [runner.entry for runner in orchestrator.runners.values()]
    return server.add(JSONResponse([{"address": orchestrator.url, "runners": runners}])) + "/list"


async def test_a_token_says_where_to_look_and_who_pays(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(answer, price_info={"price": 1, "currency": "wei", "unit": "fixed"})
    held = token(orchestrators=[orchestrator.url], signer=signer.url, signer_headers={"X-Key": "held"})
    assert await caller.run(caller.gateway(token=held), "model", 1) == 1
    assert signer.headers[0]["x-key"] == "held"
    assert (
        await caller.run(
            caller.gateway(token=token(discovery=listing(server, orchestrator), signer=signer.url)), "model", 2
        )
        == 2
    )


async def test_arguments_win_over_the_token(server: Any, caller: Any, dead_url: str) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(answer, price_info={"price": 1, "currency": "wei", "unit": "fixed"})
    held = token(orchestrators=[dead_url], discovery=dead_url, signer=dead_url, signer_headers={"X-Key": "held"})
    for where in ({"orch_url": orchestrator.url}, {"discovery_url": listing(server, orchestrator)}):
        gateway = caller.gateway(token=held, signer_url=signer.url, **where)
        assert await caller.run(gateway, "model", 1) == 1
    # What a token holds for its own signer is not for another one.
    assert not [headers for headers in signer.headers if "x-key" in headers]
    assert await caller.discover(caller.gateway(token=held, signer=Payer(), orch_url=orchestrator.url))
    again = token(orchestrators=[orchestrator.url], signer=signer.url, signer_headers={"X-Key": "held"})
    assert await caller.run(caller.gateway(token=again, signer_headers={"X-Key": "given"}), "model", 1) == 1
    assert signer.headers[-1]["x-key"] == "given"
