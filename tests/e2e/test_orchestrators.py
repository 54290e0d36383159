"""Two orchestrators behind one gateway, or in one caller's list: a worker that fails costs the caller nothing."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict

import httpx2
import pytest
from edge_harness import Marks

from livepeer.client import AllOrchestratorsFailedError, Gateway, NoOrchestratorError, RefusedError
from livepeer.devnet import BlockingDevNet

from .conftest import PATIENT
from .network import Edge, Transport, calling, serving, target

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def net() -> Iterator[BlockingDevNet]:
    with BlockingDevNet(orchestrators=2, timings=PATIENT) as running:
        yield running


@pytest.fixture(scope="module")
async def good(net: BlockingDevNet, marks: Marks) -> AsyncIterator[Edge]:
    """A good worker at the second orchestrator."""
    async with serving(net, target("Unlucky"), at=1, LIVEPEER_TEST_LUCK="good") as edge:
        yield edge


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("luck", ["busy", "error"])
async def test_after_a_worker_that_answers_5xx_or_is_gone_the_next_one_answers(
    net: BlockingDevNet, marks: Marks, gate: str, luck: str
) -> None:
    async with serving(net, target("Unlucky"), LIVEPEER_TEST_LUCK=luck) as edge:
        for transport in ("gateway", "orchestrator"):
            async with calling(net, transport) as caller:
                await until_tried(caller, marks, f"{gate}-{transport}", luck)
        only = {"orchestrators": {"include": [net.orchestrator_urls[0]]}}
        async with calling(net, "gateway") as gateway:
            with pytest.raises(AllOrchestratorsFailedError):
                await gateway.run_async("unlucky", {"gate": gate}, parameters=only)
            lost = net.capabilities["unlucky"].url
            await edge.kill()
            while net.capabilities["unlucky"].url == lost:
                assert await gateway.run_async("unlucky", {"gate": gate}) == "good"


async def until_tried(caller: Gateway, marks: Marks, gate: str, luck: str) -> None:
    """Call until the failing worker was asked first, which a gateway leaves to chance; every answer is the good one."""
    while not marks.has(gate, luck):
        assert await caller.run_async("unlucky", {"gate": gate}) == "good"


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("way", ["gateway", "orchestrator"])
async def test_a_call_at_fault_is_not_tried_again(net: BlockingDevNet, way: Transport, gate: str) -> None:
    async with calling(net, way) as caller:
        with pytest.raises(RefusedError) as raised:
            await caller.run_async("unlucky", {"gate": gate, "extra": 1})
        assert [field.field for field in raised.value.fields] == ["extra"]


async def test_a_stream_that_two_orchestrators_could_give_comes_once(net: BlockingDevNet) -> None:
    given = list(range(10))
    async with serving(net, target("Items")), httpx2.AsyncClient(trust_env=False) as http:
        also = asdict(net.capabilities["items"])
        headers = {"Authorization": net.secret}
        answer = await http.post(f"{net.orchestrator_urls[1]}/capability/register", json=also, headers=headers)
        assert answer.is_success
        for transport in ("gateway", "orchestrator"):
            async with calling(net, transport) as caller:
                for _ in range(5):
                    events = caller.stream_async("items", {"items": given})
                    assert [event.json() async for event in events] == given


@pytest.mark.usefixtures("good")
async def test_orchestrators_are_chosen_by_the_callers_parameters(net: BlockingDevNet, gate: str) -> None:
    first, second = net.orchestrator_urls
    async with calling(net, "gateway") as caller:
        for parameters in ({"include": [second]}, {"exclude": [first]}):
            answer = await caller.run_async("unlucky", {"gate": gate}, parameters={"orchestrators": parameters})
            assert answer == "good"
        with pytest.raises(NoOrchestratorError):
            await caller.run_async("unlucky", {"gate": gate}, parameters={"orchestrators": {"exclude": [second]}})
