"""Media at devnet's gateway, MPEG-TS in and out, and the input's way to the worker (BYOC contract, section 5)."""

import anyio
import httpx2

from .kit import until
from .stream_kit import (
    PICTURES_PER_SEGMENT,
    Input,
    StreamNetwork,
    clip,
    picture,
    pictures,
    publisher,
    sending,
    stream_network,
    subscriber,
)


async def post(streams: StreamNetwork, body: Input, answers: list[httpx2.Response] | None = None) -> None:
    answer = await streams.http.post(streams.url("ts"), content=body.body())
    if answers is not None:
        answers.append(answer)


async def test_the_input_reaches_the_worker_cut_at_keyframes_with_tables_in_front(streams: StreamNetwork):
    told = await streams.started()
    answers, data = list[httpx2.Response](), b"".join(clip(3))
    segments: list[bytes] = []
    async with sending() as body, anyio.create_task_group() as tasks, subscriber(told["subscribe_url"]) as incoming:
        tasks.start_soon(post, streams, body, answers)
        for begin in range(0, len(data), 1_000):  # never a whole number of packets
            await body.send(data[begin : begin + 1_000])
        body.end()
        async for segment in incoming:
            segments.append(await segment.read())

    assert [answer.status_code for answer in answers] == [200]
    assert [pictures(segment) for segment in segments] == [
        [picture(number) for number in range(first, first + PICTURES_PER_SEGMENT)]
        for first in range(0, 3 * PICTURES_PER_SEGMENT, PICTURES_PER_SEGMENT)
    ]


async def test_a_part_of_a_segment_reaches_the_worker_at_once(streams: StreamNetwork):
    told = await streams.started()
    async with sending() as body, anyio.create_task_group() as tasks, subscriber(told["subscribe_url"]) as incoming:
        tasks.start_soon(post, streams, body)
        await body.send(*clip(1)[:5])
        parts, received = await anext(incoming), b""
        while picture(4)[:20] not in received:
            received += await anext(parts)
        assert streams.net.streams["s-1"].ended is None
        body.end()


async def test_the_end_of_the_input_deletes_its_channel_and_ends_the_stream(streams: StreamNetwork):
    told = await streams.started({"enable_video_ingress": True})
    async with sending() as body, anyio.create_task_group() as tasks:
        tasks.start_soon(post, streams, body)
        await body.send(*clip(1))
        body.end()

    assert await streams.until_ended() == "input ended"
    assert [asked.body for asked in streams.worker.of("stop")] == [b"stream ended"]
    assert (await streams.http.get(told["subscribe_url"] + "/next")).status_code == 404
    assert streams.load == 0


async def test_output_that_comes_after_the_inputs_end_is_not_lost():
    async with stream_network(stream_drain_seconds=0.3) as streams:
        told = await streams.started()
        output = list[httpx2.Response]()

        async def read() -> None:
            output.append(await streams.http.get(streams.url("ts")))

        async with sending() as body, anyio.create_task_group() as tasks, publisher(told["publish_url"]) as outgoing:
            tasks.start_soon(read)
            tasks.start_soon(post, streams, body)
            await body.send(*clip(1))
            body.end()
            async with subscriber(told["subscribe_url"]) as incoming:
                async for segment in incoming:
                    await outgoing.publish(await segment.read())
            await outgoing.publish(b"the rest")
            await streams.until_ended()

    assert output[0].content.endswith(b"the rest")
    assert len(pictures(output[0].content[: -len(b"the rest")])) == PICTURES_PER_SEGMENT


async def test_a_caller_that_leaves_ends_the_stream(streams: StreamNetwork):
    told = await streams.started({"enable_video_ingress": True})
    async with sending() as body, anyio.create_task_group() as tasks, subscriber(told["subscribe_url"]) as incoming:
        tasks.start_soon(post, streams, body)
        await body.send(*clip(1))
        await anext(incoming)
        tasks.cancel_scope.cancel()

    assert await streams.until_ended() == "input ended"


async def test_a_second_input_is_409(streams: StreamNetwork):
    told = await streams.started()
    async with sending() as body, anyio.create_task_group() as tasks, subscriber(told["subscribe_url"]) as incoming:
        tasks.start_soon(post, streams, body)
        await body.send(*clip(1))
        await anext(incoming)

        answer = await streams.http.post(streams.url("ts"), content=b"")

        assert (answer.status_code, streams.net.streams["s-1"].ended) == (409, None)
        body.end()


async def test_an_input_whose_stream_ends_is_cut_off(streams: StreamNetwork):
    told = await streams.started()
    async with sending() as body, anyio.create_task_group() as tasks, subscriber(told["subscribe_url"]) as incoming:

        async def stop() -> None:
            await anext(incoming)
            await streams.stop()

        tasks.start_soon(body.flow)
        tasks.start_soon(stop)
        try:
            answer = await streams.http.post(streams.url("ts"), content=body.body())
        except httpx2.TransportError:
            pass  # What it still sent has overtaken the answer.
        else:
            assert (answer.status_code, answer.text) == (410, "the stream has ended\n")
        tasks.cancel_scope.cancel()

    assert streams.net.streams["s-1"].ended == "stopped"


async def test_a_stream_without_the_channel_is_400(streams: StreamNetwork):
    await streams.start({})

    assert (await streams.http.post(streams.url("ts"), content=b"x")).status_code == 400
    assert (await streams.http.get(streams.url("ts"))).status_code == 400


async def test_an_input_of_an_unknown_stream_is_404(streams: StreamNetwork):
    assert (await streams.http.post(streams.url("ts"), content=b"x")).status_code == 404


async def test_what_is_no_transport_stream_reaches_nobody(streams: StreamNetwork):
    told = await streams.started({"enable_video_ingress": True})

    answer = await streams.http.post(streams.url("ts"), content=b"no stream at all" * 1_000)

    assert answer.status_code == 200
    assert await streams.until_ended() == "input ended"
    assert told["subscribe_url"] == streams.net.streams["s-1"].channels["input"]


async def test_an_input_that_comes_before_the_worker_has_answered_waits(streams: StreamNetwork):
    streams.worker.gate = anyio.Event()
    await streams.start()
    told = await streams.worker.until_started()
    async with sending() as body, anyio.create_task_group() as tasks, subscriber(told["subscribe_url"]) as incoming:
        tasks.start_soon(post, streams, body)
        await body.send(*clip(1))
        body.end()
        streams.worker.gate.set()

        assert len(pictures(await (await anext(incoming)).read())) == PICTURES_PER_SEGMENT


async def test_the_output_reaches_every_reader_until_the_stream_ends(streams: StreamNetwork):
    told = await streams.started()
    contents: list[bytes] = []

    async def read() -> None:
        contents.append((await streams.http.get(streams.url("ts"))).content)

    async with anyio.create_task_group() as tasks, publisher(told["publish_url"]) as outgoing:
        output = streams.net._gateway._streams._streams["s-1"].ends.output
        for _ in range(3):
            tasks.start_soon(read)
        await until(lambda: len(output._readers) == 3)
        for number in range(4):
            async with await outgoing.segment() as segment:
                await segment.write(b"segment %d " % number)
                await segment.write(b"end ")
        await until(lambda: b"segment 3 end " in b"".join(output._segment))

        await streams.stop()

    assert contents == [b"".join(b"segment %d end " % number for number in range(4))] * 3


async def test_a_late_reader_begins_with_the_newest_segment(streams: StreamNetwork):
    told = await streams.started()
    async with publisher(told["publish_url"]) as outgoing:
        await outgoing.publish(b"first")
        async with await outgoing.segment() as segment:
            await segment.write(b"second ")
            output = streams.net._gateway._streams._streams["s-1"].ends.output
            await until(lambda: output._segment == [b"second "])

            async with streams.http.stream("GET", streams.url("ts")) as response:
                assert response.headers["Content-Type"] == "video/MP2T"
                parts = response.aiter_raw()
                assert await anext(parts) == b"second "
                await segment.write(b"more")
                assert await anext(parts) == b"more"
                await parts.aclose()


async def test_a_reader_that_is_5_mb_behind_is_cut_off(streams: StreamNetwork):
    told = await streams.started()
    piece = b"x" * 500_000
    async with publisher(told["publish_url"]) as outgoing:
        await outgoing.publish(b"first")
        async with streams.http.stream("GET", streams.url("ts")) as slow, streams.http.stream("GET", slow.url) as quick:
            parts = quick.aiter_raw()
            async with await outgoing.segment() as segment:
                for _ in range(50):  # More than sockets hold.
                    await segment.write(piece)
                    seen = 0
                    while seen < len(piece) - 10:
                        seen += len(await anext(parts))
            await parts.aclose()
            content = await slow.aread()

    assert len(piece) < len(content) < 50 * len(piece)


async def test_an_output_channel_that_ends_ends_the_stream(streams: StreamNetwork):
    told = await streams.started()

    await streams.http.delete(told["publish_url"])

    assert await streams.until_ended() == "trickle subscribe stopping, stream not found, err=End of stream"
    assert len(streams.worker.of("stop")) == 1


async def test_an_input_channel_that_is_gone_ends_the_stream(streams: StreamNetwork):
    told = await streams.started()
    await streams.http.delete(told["subscribe_url"])
    async with sending() as body, anyio.create_task_group() as tasks:
        tasks.start_soon(post, streams, body)
        await body.send(*clip(1))

        assert await streams.until_ended() == "stream no longer exists on orchestrator; terminating"
        body.end()
