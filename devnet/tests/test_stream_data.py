"""BYOC contract, section 5: the data of a stream as server-sent events, and its control channel."""

import json

import anyio
import pytest
from anyio.abc import TaskGroup

from livepeer.trickle import AsyncPublisher

from .stream_kit import StreamNetwork, publisher, stream_network, subscriber

END = b'data: \n\nevent: end\\ndata: {"type":"stream_ended"}\\n\\n'
HELLO = b"data: hello\n\n"
LONGEST = 65_535


class Events:
    """A caller that reads the data of a stream."""

    def __init__(self, streams: StreamNetwork) -> None:
        self._streams = streams
        self.content = b""
        self.ended = anyio.Event()
        self._grown = anyio.Event()

    async def read(self) -> None:
        async with self._streams.http.stream("GET", self._streams.url("data")) as response:
            assert response.headers["Content-Type"] == "text/event-stream"
            async for part in response.aiter_raw():
                self.content += part
                self._grown.set()
                self._grown = anyio.Event()
        self.ended.set()

    async def until_reading(self, tasks: TaskGroup, data: AsyncPublisher) -> None:
        """Begin to read: there is no head before there is a line."""
        await data.publish(b"hello\n")
        tasks.start_soon(self.read)
        await self.until(HELLO)

    async def until(self, content: bytes) -> None:
        while content not in self.content:
            await self._grown.wait()


async def test_each_line_of_the_data_channel_is_one_event(streams: StreamNetwork):
    told = await streams.started()
    async with anyio.create_task_group() as tasks, publisher(told["data_url"]) as data:
        events = Events(streams)
        await events.until_reading(tasks, data)

        await data.publish(b'{"n": 1}\n{"n": 2}\n')
        await events.until(b'data: {"n": 1}\n\ndata: {"n": 2}\n\n')
        async with await data.segment() as segment:
            await segment.write(b'{"n": 3}\n{"n": ')
            await events.until(b'data: {"n": 3}\n\n')
            await segment.write(b"4}")
        await events.until(b'data: {"n": 4}\n\n')

        await streams.stop()
        await events.ended.wait()

    assert events.content == HELLO + b"".join(b'data: {"n": %d}\n\n' % number for number in range(1, 5)) + END


async def test_a_caller_begins_with_the_newest_line(streams: StreamNetwork):
    told = await streams.started()
    async with anyio.create_task_group() as tasks, publisher(told["data_url"]) as data:
        first, second = Events(streams), Events(streams)
        await first.until_reading(tasks, data)
        await data.publish(b"1\n2\n3\n")
        await first.until(b"data: 3\n\n")

        tasks.start_soon(second.read)
        await second.until(b"data: 3\n\n")

        await streams.stop()
        await second.ended.wait()
    assert second.content == b"data: 3\n\n" + END


async def test_after_a_line_that_is_too_long_nothing_is_delivered_any_more(streams: StreamNetwork):
    told = await streams.started()
    longest, too_long = b"x" * LONGEST, b"y" * (LONGEST + 1)
    async with anyio.create_task_group() as tasks, publisher(told["data_url"]) as data:
        events = Events(streams)
        await events.until_reading(tasks, data)
        await data.publish(longest + b"\n")
        await events.until(b"data: " + longest + b"\n\n")

        await data.publish(b"before\n" + too_long + b"\nafter\n")
        await data.publish(b"later\n")
        await events.until(b"data: before\n\n" * 3)

        await streams.stop()
        await events.ended.wait()
    assert b"yy" not in events.content
    assert b"after" not in events.content
    assert b"later" not in events.content


async def test_a_caller_that_falls_behind_is_cut_off_without_an_end(streams: StreamNetwork):
    told = await streams.started()
    line = b"z" * 60_000
    async with publisher(told["data_url"]) as data:
        await data.publish(b"hello\n")
        async with (
            streams.http.stream("GET", streams.url("data")) as slow,
            streams.http.stream("GET", slow.url) as quick,
        ):
            parts = quick.aiter_raw()
            async with await data.segment() as segment:
                for _ in range(300):  # More than sockets hold.
                    await segment.write(line + b"\n")
                    seen = 0
                    while seen < len(line):
                        seen += len(await anext(parts))
            await parts.aclose()
            content = await slow.aread()

    assert content.endswith(line + b"\n\n")
    assert 1 < content.count(b"data: ") < 300


async def test_data_is_read_while_nobody_listens(streams: StreamNetwork):
    told = await streams.started()
    async with publisher(told["data_url"]) as data:
        for number in range(20):
            await data.publish(b"%d\n" % number)
        async with anyio.create_task_group() as tasks:
            events = Events(streams)
            tasks.start_soon(events.read)
            await data.publish(b"last\n")
            await events.until(b"data: last\n\n")
            await streams.stop()


async def test_a_stream_without_data_is_503(streams: StreamNetwork):
    await streams.start({"enable_video_egress": True})

    answer = await streams.http.get(streams.url("data"))

    assert (answer.status_code, answer.text) == (503, "Stream data not available\n")


async def test_a_data_channel_that_ends_ends_the_stream(streams: StreamNetwork):
    told = await streams.started()

    await streams.http.delete(told["data_url"])

    assert await streams.until_ended() == "data subscribe stopping, stream not found, err=End of stream"


async def test_the_control_channel_is_kept_alive():
    async with stream_network(stream_keepalive_seconds=0.05) as streams:
        told = await streams.started()
        async with subscriber(told["control_url"]) as control:
            messages = [await (await anext(control)).read() for _ in range(3)]

    assert messages == [b'{"keep":"alive"}'] * 3


async def test_a_control_channel_that_is_gone_ends_the_stream_at_the_next_keepalive():
    async with stream_network(stream_keepalive_seconds=0.1) as streams:
        told = await streams.started()

        await streams.http.delete(told["control_url"])

        assert await streams.until_ended() == "control channel does not exist"


async def test_after_a_swap_the_last_update_comes_on_the_control_channel():
    async with stream_network(workers=2) as streams:
        told = await streams.started(params='{"a": 1}')
        await streams.http.post(streams.url("update"), content=b'{"a": 2}', headers=streams.header())

        await streams.http.delete(told["publish_url"])

        again = (await streams.worker.until("start", 2)).json
        assert again["params"] == {"a": 1}
        assert again["control_url"] != told["control_url"]
        async with subscriber(again["control_url"]) as control:
            assert json.loads(await (await anext(control)).read()) == {"a": 2}


@pytest.mark.parametrize("what", ["data", "ts", "status"])
async def test_an_unknown_stream_is_404(streams: StreamNetwork, what: str):
    answer = await streams.http.get(streams.url(what))

    assert (answer.status_code, answer.text) == (404, "Stream not found\n")
