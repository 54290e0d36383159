"""The examples, served by the program and by themselves, and called."""

import sys

import pytest

from livepeer.client import Gateway
from livepeer.devnet import BlockingDevNet

from .network import ROOT, SERVE, serving

pytestmark = pytest.mark.anyio

EXAMPLES = ROOT / "examples"
ways = pytest.mark.parametrize("way", ["by-the-program", "by-itself"])


def arguments(example: str, way: str) -> dict[str, object]:
    if way == "by-itself":
        return {"target": EXAMPLES / example / "main.py", "command": (sys.executable,)}
    return {"target": EXAMPLES / example, "command": SERVE}


@ways
async def test_hello_world_reverses_text(net: BlockingDevNet, way: str) -> None:
    async with serving(net, **arguments("hello_world", way)) as edge:
        assert edge.name == "hello-world"
        for caller in callers(net):
            async with caller:
                assert await caller.run_async("hello-world", {"text": "abc é"}) == {"text": "é cba"}


@ways
async def test_llm_chat_streams_the_same_text_for_the_same_seed(net: BlockingDevNet, way: str) -> None:
    input = {"prompt": "The sea", "max_tokens": 12, "seed": 7}
    told: list[list[str]] = []
    async with serving(net, **arguments("llm_chat", way)) as edge:
        assert edge.name == "llm-chat"
        assert net.capabilities["llm-chat"].capacity == 4
        for caller in callers(net):
            async with caller:
                told.append([event.json() async for event in caller.stream_async("llm-chat", input)])
    assert told[0] == told[1]
    assert len(told[0]) == 12
    assert all(isinstance(token, str) and token.strip() for token in told[0])


def callers(net: BlockingDevNet) -> list[Gateway]:
    return [Gateway(gateway_url=net.gateway_url), Gateway(orch_url=net.orchestrator_url)]
