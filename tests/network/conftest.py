import json
import logging
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

import anyio
import pytest

from livepeer.cli.conformance import FACTS, Network, Result, check_network
from livepeer.devnet import DevNet, Timings

# The durations are go-livepeer's own, for they are facts. A busy machine alone may answer a gateway's search late.
PATIENT = Timings(search_seconds=10, search_answer_seconds=10)

EVERYTHING: tuple[tuple[dict[str, Any], Collection[str]], ...] = (
    ({"orchestrators": 2}, [fact.id for fact in FACTS]),
    ({"paid": True}, [fact.id for fact in FACTS if fact.id.startswith(("apps.payment.", "runner.price."))]),
    ({"networks": ("byoc",)}, ["runner.absent"]),
    ({"networks": ("live-runner",)}, ["byoc.register.absent"]),
)
"""Networks that have between them what there is, and the facts to check on each."""


async def judge(only: Collection[str], *, with_signer: bool = True, **options: Any) -> list[Result]:
    """Check a development network against some facts."""
    async with DevNet(timings=PATIENT, **options) as net:

        async def add_static(document: Mapping[str, Any]) -> None:
            await net.register_static_runners(json.dumps(document))

        network = Network(
            gateway_url=net.gateway_url,
            orch_urls=net.orchestrator_urls,
            secret=net.secret,
            signer_url=net.signer_url if options.get("paid") and with_signer else None,
            restart=net.restart_orchestrator,
            add_static=add_static,
        )
        return await check_network(network, only=only)


async def judge_everything() -> dict[str, Result]:
    """The results by fact: a fact that one network skipped may be another's."""
    found: dict[str, Result] = {}

    async def add(only: Collection[str], options: dict[str, Any]) -> None:
        for result in await judge(only, **options):
            if found.setdefault(result.fact.id, result).outcome == "skipped":
                found[result.fact.id] = result

    async with anyio.create_task_group() as tasks:
        for options, only in EVERYTHING:
            tasks.start_soon(add, only, options)
    return found


@pytest.fixture(scope="session", autouse=True)
def _silence() -> Iterator[None]:
    """Models fail on purpose here, and what they log would fill the report of every test."""
    logger = logging.getLogger("livepeer")
    nobody = logging.NullHandler()
    logger.addHandler(nobody)
    logger.propagate = False
    yield
    logger.propagate = True
    logger.removeHandler(nobody)


@pytest.fixture(scope="session")
def results() -> dict[str, Result]:
    """What came of every fact, gathered once: most of the time goes by in waits, so they all run at once."""
    return anyio.run(judge_everything, backend_options={"use_uvloop": True})


@pytest.fixture
def judged() -> Any:
    """Checks a network of its own."""

    def run(*only: str, **options: Any) -> dict[str, Result]:
        found = anyio.run(partial(judge, only, **options), backend_options={"use_uvloop": True})
        return {result.fact.id: result for result in found}

    return run
