import anyio

from livepeer.trickle import AsyncJSONLReader, AsyncJSONLWriter, AsyncPublisher, AsyncSubscriber, Publisher

from .fault_cancel import cancel_at_every_await
from .fault_server import ServerProcess

PART = bytes(1000)


async def test_a_publisher_cancelled_at_any_await_leaves_no_task_and_no_file(server: ServerProcess):
    async def work() -> None:
        async with AsyncPublisher(f"{server.url}/cancelled") as publisher:
            for _ in range(3):
                async with await publisher.segment() as segment:
                    await segment.write(PART)
                    await segment.write(PART)
            await publisher.publish(PART)
            await segment.outcome()

    assert await cancel_at_every_await(work) >= 8


async def test_a_subscriber_cancelled_at_any_await_leaves_no_task_and_no_file(server: ServerProcess):
    with Publisher(f"{server.url}/read") as publisher:
        for _ in range(4):
            publisher.publish(PART).outcome()

        async def work() -> None:
            async with AsyncSubscriber(f"{server.url}/read", start=0) as subscriber:
                async for segment in subscriber:
                    assert await segment.read() == PART
                    if segment.seq == 2:
                        break

        assert await cancel_at_every_await(work) >= 3


async def test_a_waiting_subscriber_that_is_cancelled_leaves_no_task_and_no_file(server: ServerProcess):
    with Publisher(f"{server.url}/silent") as publisher:
        publisher.segment()

        async def work() -> None:
            with anyio.move_on_after(0.05):
                async with AsyncSubscriber(f"{server.url}/silent", refresh_seconds=0.02) as subscriber:
                    async for _ in subscriber:
                        raise AssertionError("nothing was written")

        assert await cancel_at_every_await(work) >= 2


async def test_jsonl_cancelled_at_any_await_leaves_no_task_and_no_file(server: ServerProcess):
    async def work() -> None:
        url = f"{server.url}/lines"
        async with AsyncJSONLWriter(url) as writer, AsyncJSONLReader(url, start="current") as reader:
            await writer.write({"number": 1})
            await writer.flush()
            async for message in reader:
                assert message == {"number": 1}
                break

    assert await cancel_at_every_await(work) >= 3
