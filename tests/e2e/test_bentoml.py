"""A BentoML service on every network: as a capability, and by BentoML's own routes."""

from pathlib import Path

import httpx2
import pytest

from livepeer.client import Gateway, RefusedError
from livepeer.devnet import BlockingDevNet

from .network import ROOT, serving

pytestmark = pytest.mark.anyio

SEARCH = ROOT / "examples" / "bento_search"
TELLER = Path(__file__).with_name("bento_teller") / "service.py"
SERVES: dict[str, dict[str, str]] = {str(SEARCH): {}, f"{TELLER}:Teller.tell": {}}

ASKED = {"question": "which harbour?", "texts": ["A kettle of tea", "The harbour at night"], "most": 1}


async def test_a_service_takes_its_inputs_and_answers_with_its_output(caller: Gateway) -> None:
    (match,) = (await caller.run_async("bento-search", ASKED))["matches"]
    assert (match["text"], match["score"] > 0.3) == ("The harbour at night", True)


async def test_an_input_that_the_annotations_refuse_is_refused_by_name(caller: Gateway) -> None:
    with pytest.raises(RefusedError) as caught:
        await caller.run_async("bento-search", {"texts": [], "most": 0})
    assert {error.field for error in caught.value.fields} == {"question", "texts", "most"}


async def test_the_api_that_was_chosen_is_streamed(caller: Gateway) -> None:
    told = [event.json() async for event in caller.stream_async("teller", {"count": 4})]
    assert told == [{"number": number} for number in range(4)]


async def test_another_api_is_reached_by_its_own_route(caller: Gateway) -> None:
    assert await caller.run_async("bento-search", ASKED, route="rank") == await caller.run_async("bento-search", ASKED)


async def test_bentomls_own_routes_come_through_a_live_runner(net: BlockingDevNet) -> None:
    async with (
        serving(net, f"{TELLER}:Teller.tell", LIVEPEER_NETWORK="live-runner") as edge,
        httpx2.AsyncClient(base_url=edge.url, trust_env=False) as http,
    ):
        shouted = await http.post("/shout", json={"text": "ahoy"})
        assert (shouted.text, shouted.headers["x-shouted"]) == ("AHOY", "4")
        assert shouted.headers["content-type"].startswith("text/plain")
        refused = await http.post("/shout", json={"text": "tea"})
        assert (refused.status_code, refused.json()) == (418, {"error": "short and stout"})
        assert (await http.post("/size", files={"file": ("a.txt", b"four", "text/plain")})).json() == 4
        assert (await http.get("/pages/about?what=tea")).text == "about tea"
