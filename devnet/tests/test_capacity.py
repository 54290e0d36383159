"""BYOC contract, section 1: how the orchestrator counts jobs, and how it leaks them."""

import anyio
import pytest

from .kit import Network, Worker, until


async def leave(network: Network, worker: Worker, *, direct: bool) -> None:
    """Call a worker that never answers, and go once it has been asked."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: network.call("hang", direct=direct))
        await worker.called.wait()
        tasks.cancel_scope.cancel()
    await worker.left.wait()


@pytest.mark.parametrize("status", [200, 204, 422, 500, 503])
async def test_an_answer_gives_the_slot_back(network: Network, worker: Worker, status: int):
    await network.register(worker)

    await network.call("answer", {"status": status})

    assert network.load == 0


async def test_a_job_that_times_out_keeps_its_slot(network: Network, worker: Worker):
    await network.register(worker)

    await network.call("hang", timeout_seconds=1)

    assert network.load == 1


@pytest.mark.parametrize("direct", [False, True])
async def test_a_caller_that_leaves_keeps_its_slot(network: Network, worker: Worker, direct: bool):
    await network.register(worker)

    await leave(network, worker, direct=direct)

    assert network.load == 1


async def test_a_request_that_does_not_parse_keeps_its_slot(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.call(direct=True, request="not JSON")

    assert answer.status_code == 400
    assert network.load == 1
    assert not worker.calls


async def test_a_leaked_capability_is_refused_until_it_is_registered_again(network: Network, worker: Worker):
    await network.register(worker)
    await network.call("hang", timeout_seconds=1)

    refused = await network.call()
    assert (refused.status_code, refused.text.strip()) == (400, "No orchestrators found for capability model")

    await network.register(worker)
    assert (await network.call()).status_code == 200


async def test_the_gateway_refuses_an_unknown_capability(network: Network):
    answer = await network.call(capability="nobody")

    assert answer.status_code == 400
    assert answer.text.startswith("No orchestrators found")


async def test_the_gateway_refuses_a_full_capability_and_the_orchestrator_does_not(network: Network, worker: Worker):
    await network.register(worker, capacity=1)
    await worker.release.send(b": begun\n")

    async with network.open("gated"):
        assert (await network.call()).status_code == 400
        for _ in range(3):
            assert (await network.call(direct=True)).status_code == 200


async def test_the_orchestrator_lets_more_jobs_through_than_there_are_slots(network: Network, worker: Worker):
    await network.register(worker, capacity=1)

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(lambda: network.call("hang", direct=True))
        await until(lambda: len(worker.calls) == 4)
        assert network.load == 4
        tasks.cancel_scope.cancel()


async def test_the_orchestrator_itself_answers_503_for_an_unknown_capability(network: Network):
    assert (await network.call(direct=True)).status_code == 503


async def test_registering_amid_a_job_makes_the_load_fall_below_zero(network: Network, worker: Worker):
    await network.register(worker, capacity=1)
    await worker.release.send(b": begun\n")

    async with network.open("gated"):
        assert network.load == 1
        await network.register(worker, capacity=1)
        assert network.load == 0

    await until(lambda: network.load == -1)
    assert network.net.capabilities["model"].available == 2


async def test_a_job_of_a_forgotten_capability_is_counted_nowhere(network: Network, worker: Worker):
    await network.register(worker)
    await worker.release.send(b": begun\n")

    async with network.open("gated"):
        network.net.orchestrators[0].forget()
    await worker.left.wait()

    assert not network.net.capabilities
