"""BYOC contract, section 4: how an SSE answer is relayed, and how it ends."""

import json

import anyio
import pytest

from .kit import FAST, Network, Worker, running_network, running_worker, until

both_ways = pytest.mark.parametrize("direct", [False, True], ids=["gateway", "orchestrator"])

BALANCE = b'data: {"balance": 0.000}\n\n\n'
LONGEST = 65_535


def line_of(length: int) -> bytes:
    return b"data: " + b"x" * (length - len(b"data: ")) + b"\n"


@both_ways
async def test_each_line_passes_at_once(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    await worker.release.send(b"data: 0\n\n")

    async with network.open("gated", direct=direct) as response:
        parts = response.aiter_bytes()
        for number in range(1, 20):
            assert await anext(parts) == b"data: %d\n\n" % (number - 1)
            await worker.release.send(b"data: %d\n\n" % number)
        await parts.aclose()


async def test_comment_lines_and_carriage_returns_pass_as_lines(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.call("sse", b": ping\r\n\r\nevent: a\rb\ndata: [DONE]\n\n")

    assert answer.content == b": ping\n\nevent: a\rb\n" + BALANCE + b"data: [DONE]\n"


async def test_the_gateway_ends_at_done_with_one_newline_and_no_blank_line(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.call("sse", b"data: 1\n\ndata: [DONE]\n\n")

    assert answer.content == b"data: 1\n\n" + BALANCE + b"data: [DONE]\n"


async def test_any_line_that_contains_done_ends_the_stream(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.call("sse", b'data: "the text [DONE] in JSON"\n\ndata: lost\n\ndata: [DONE]\n\n')

    assert answer.content == BALANCE + b'data: "the text [DONE] in JSON"\n'


async def test_a_last_line_without_newline_passes(network: Network, worker: Worker):
    await network.register(worker)

    assert (await network.call("sse", b"data: [DONE]")).content == BALANCE + b"data: [DONE]\n"


async def test_the_orchestrator_floods_blank_lines_after_done_until_the_deadline(network: Network, worker: Worker):
    await network.register(worker)
    begin = anyio.current_time()

    answer = await network.call("sse", b"data: 1\n\ndata: [DONE]\n\n", direct=True, timeout_seconds=5)

    head = b"data: 1\n\n" + BALANCE + b"data: [DONE]\n\n"
    assert answer.content.startswith(head)
    flood = answer.content[len(head) :]
    assert len(flood) > 10_000
    assert flood.strip(b"\n") == b""
    assert FAST.job_seconds(5) <= anyio.current_time() - begin < 3


async def test_the_flood_is_as_fast_as_was_measured():
    async with running_network(timings=None) as network, running_worker() as worker:
        await network.register(worker)

        answer = await network.call("sse", b"data: [DONE]\n\n", direct=True, timeout_seconds=1)

    assert answer.content.count(b"\n") > 50_000


async def test_the_orchestrator_goes_on_relaying_after_done(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.call("sse", b"data: [DONE]\ndata: more\n", direct=True, timeout_seconds=1)

    assert answer.content.startswith(BALANCE + b"data: [DONE]\ndata: more\n\n")


async def test_the_flood_ends_when_the_caller_leaves(network: Network, worker: Worker):
    await network.register(worker)

    async with network.open("sse", b"data: [DONE]\n\n", direct=True) as response:
        async for chunk in response.aiter_bytes():
            if chunk.endswith(b"\n" * 100):
                break
        assert network.load == 1

    await until(lambda: network.load == 0)


async def test_without_done_the_gateway_goes_on_beyond_the_deadline(network: Network, worker: Worker):
    await network.register(worker)
    begin = anyio.current_time()

    answer = await network.call("sse", b"data: 1\n\n", timeout_seconds=1)

    assert anyio.current_time() - begin >= FAST.job_seconds(1) + FAST.gateway_stream_grace_seconds
    assert answer.content.startswith(b"data: 1\n\n\n\n\n")
    assert answer.content.strip() == b"data: 1"


@both_ways
async def test_the_longest_line_passes(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    line = line_of(LONGEST)

    answer = await network.call("sse", line + b"data: [DONE]\n", direct=direct, timeout_seconds=1)

    assert answer.content.startswith(line + BALANCE + b"data: [DONE]\n")


@both_ways
async def test_a_longer_line_ends_the_relay_and_the_caller_hangs_until_the_deadline(
    network: Network, worker: Worker, direct: bool
):
    await network.register(worker)
    body = b"data: 1\n\n" + line_of(LONGEST + 1) + b"data: 2\n\ndata: [DONE]\n\n"
    begin = anyio.current_time()

    answer = await network.call("sse", body, direct=direct, timeout_seconds=2)

    assert answer.content.strip(b"\n") == b"data: 1"
    assert anyio.current_time() - begin >= FAST.job_seconds(2)


async def test_a_line_that_never_ends_is_cut_off_from_its_worker(network: Network, worker: Worker):
    await network.register(worker)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: network.call("gated", direct=True))
        for _ in range(8):
            await worker.release.send(b"x" * 10_000)
        await worker.left.wait()
        tasks.cancel_scope.cancel()


@both_ways
async def test_at_the_deadline_the_worker_sees_a_disconnect(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    await worker.release.send(b"data: 1\n\n")

    answer = await network.call("gated", direct=direct, timeout_seconds=1)

    assert answer.content.strip() == b"data: 1"
    assert network.load == 0
    await worker.left.wait()


@both_ways
async def test_when_the_caller_leaves_the_worker_sees_a_disconnect(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    await worker.release.send(b"data: 1\n\n")

    async with network.open("gated", direct=direct):
        pass

    await worker.left.wait()
    await until(lambda: network.load == 0)


@both_ways
async def test_a_worker_that_breaks_off_amid_a_stream_is_kept(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    await worker.release.send(b"data: 1\n\ndata: unfinished")

    async with network.open("gated", direct=direct, timeout_seconds=1) as response:
        await worker.server.stop()
        content = await response.aread()

    assert content.strip() == b"data: 1\n\ndata: unfinished"
    assert list(network.net.capabilities) == ["model"]


async def test_a_caller_that_closes_at_done_may_call_again_at_once(network: Network, worker: Worker):
    await network.register(worker, capacity=1)

    for _ in range(20):
        async with network.open("sse", b"data: 1\n\ndata: [DONE]\n\n") as response:
            assert response.status_code == 200
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    break


async def test_the_headers_of_a_stream_through_the_gateway(network: Network, worker: Worker):
    await network.register(worker)

    headers = (await network.call("sse", b"data: [DONE]\n\n")).headers

    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Livepeer-Balance"] == ""
    assert headers["X-Orchestrator-Url"] == network.net.orchestrator_url
    assert "Livepeer-Payment-Balance" not in headers


async def test_the_headers_of_a_stream_from_the_orchestrator(network: Network, worker: Worker):
    await network.register(worker)
    await worker.release.send(b"data: 1\n\n")

    async with network.open("gated", direct=True) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Livepeer-Payment-Balance"] == "0"
        assert "Livepeer-Balance" not in response.headers


async def test_a_finished_stream_is_brought_to_the_next_orchestrator_as_well(worker: Worker):
    async with running_network(orchestrators=2) as network, running_worker() as other:
        await network.register(worker, at=0)
        await network.register(other, at=1)

        answer = await network.call("sse", b"data: 1\n\ndata: [DONE]\n\n")

    assert answer.content == 2 * (b"data: 1\n\n" + BALANCE + b"data: [DONE]\n")


async def test_a_stream_that_fails_before_it_begins_is_tried_elsewhere(worker: Worker):
    async with running_network(orchestrators=2) as network, running_worker() as other:
        await network.register(worker, at=0)
        await network.register(other, at=1)
        await other.server.stop()

        assert b"data: [DONE]\n" in (await network.call("sse", b"data: [DONE]\n\n")).content


@both_ways
async def test_many_small_events_arrive_complete_and_in_order(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    events = [b"data: %d\n\n" % number for number in range(5_000)]
    expected, received = b"".join(events), bytearray()

    async def produce() -> None:
        for event in events:
            await worker.release.send(event)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(produce)
        async with network.open("gated", direct=direct) as response:
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) >= len(expected):
                    break
        tasks.cancel_scope.cancel()

    assert received == expected


@both_ways
async def test_a_slow_reader_holds_the_worker_back(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    line = line_of(60_000)
    total = 3_000 * len(line)  # well above what the sockets on the way hold

    async def produce() -> None:
        for _ in range(3_000):
            await worker.release.send(line)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(produce)
        async with network.open("gated", direct=direct) as response:
            with anyio.move_on_after(1):
                await until(lambda: worker.sent_bytes == total)
            assert worker.sent_bytes < total / 2
            received = 0
            async for chunk in response.aiter_bytes():
                received += len(chunk)
                if received == total:
                    break
        tasks.cancel_scope.cancel()


async def test_a_worker_may_say_more_than_event_stream_in_its_content_type(network: Network, worker: Worker):
    await network.register(worker)
    order = {"headers": {"Content-Type": "text/event-stream; charset=utf-8"}, "body": "data: [DONE]\n", "status": 404}

    answer = await network.call("answer", json.dumps(order).encode())

    assert (answer.status_code, answer.content) == (200, BALANCE + b"data: [DONE]\n")
