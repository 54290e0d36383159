"""The routes that callers in the field ask for, as they arrive through the network (contract, section 8)."""

import pytest

from livepeer.client import Gateway, RefusedError

pytestmark = pytest.mark.anyio


SERVES: dict[str, dict[str, str]] = {"Echo": {"CAPABILITY_NAME": "echo-v2"}}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("route", ["predict", "run", "echo", "echo-v2", "", "/predict"])
async def test_the_default_operation_answers(caller: Gateway, route: str, slash: str) -> None:
    assert await caller.run_async("echo-v2", {"text": "hello"}, route=route + slash) == "hello"


@pytest.mark.parametrize("route", ["health", "schema", "stream/start", "metrics", "nowhere"])
async def test_no_other_route_runs_the_model(caller: Gateway, route: str) -> None:
    with pytest.raises(RefusedError) as raised:
        await caller.run_async("echo-v2", {"text": "x"}, route=route)
    assert raised.value.status in (404, 405)
    assert raised.value.problem
