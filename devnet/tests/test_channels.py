"""The trickle channels of live runners: who gets what, and when a channel has ended."""

from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from livepeer.devnet._channels import Channel, Channels
from livepeer.devnet._inbound import RefusedError
from livepeer.devnet._orchestrator import _refuse
from livepeer.devnet._serving import AppServer

from .kit import serving, until


class Trickle:
    """A served set of channels with one channel in it, and a client."""

    def __init__(self, channels: Channels, server: AppServer, http: httpx2.AsyncClient) -> None:
        self.channels = channels
        self.channel: Channel = channels.create("ch", "application/json")
        self.http = http
        self.url = server.url + "/ai/trickle/ch"

    async def get(self, seq: int | str) -> httpx2.Response:
        return await self.http.get(f"{self.url}/{seq}")

    async def post(self, seq: int | str, content: bytes = b"data", **headers: str) -> httpx2.Response:
        return await self.http.post(f"{self.url}/{seq}", content=content, headers=headers)


@pytest.fixture
async def trickle() -> AsyncIterator[Trickle]:
    channels = Channels()
    app = Starlette(routes=channels.routes, exception_handlers={RefusedError: _refuse})
    async with serving(app) as server, httpx2.AsyncClient(trust_env=False, timeout=None) as http:
        yield Trickle(channels, server, http)


async def test_a_fresh_channel_begins_at_0(trickle: Trickle):
    answer = await trickle.get("next")

    assert (answer.status_code, answer.text, answer.headers["Lp-Trickle-Latest"]) == (200, "0", "0")


async def test_a_posted_segment_is_read_by_its_number(trickle: Trickle):
    posted = await trickle.post(0, b"first")
    await trickle.post(-1, b"second")

    assert (posted.status_code, posted.headers["Lp-Trickle-Seq"], posted.content) == (200, "0", b"")
    for seq, content, at in ((0, b"first", "0"), (1, b"second", "1"), (-2, b"second", "1")):
        answer = await trickle.get(seq)
        assert (answer.status_code, answer.content, answer.headers["Lp-Trickle-Seq"]) == (200, content, at)
        assert answer.headers["Lp-Trickle-Latest"] == "2"
        assert answer.headers["Content-Type"] == "application/json"


async def test_readers_that_wait_all_get_the_next_segment(trickle: Trickle):
    answers: list[httpx2.Response] = []

    async def read(seq: int) -> None:
        answers.append(await trickle.get(seq))

    async with anyio.create_task_group() as tasks:
        for seq in (0, -1, 0):
            tasks.start_soon(read, seq)
        await until(lambda: trickle.channel.held(0) is not None)
        trickle.channel.publish(b"now")

    assert [answer.content for answer in answers] == [b"now"] * 3
    assert all("Lp-Trickle-Latest" not in answer.headers for answer in answers)


async def test_a_segment_is_read_while_it_is_written(trickle: Trickle):
    parts, more = anyio.create_memory_object_stream[bytes](10)

    async def body() -> AsyncIterator[bytes]:
        async for part in more:
            yield part

    async def write() -> None:
        await trickle.http.post(trickle.url + "/0", content=body())

    with parts, more:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            await parts.send(b"one")
            async with trickle.http.stream("GET", trickle.url + "/0") as answer:
                received = answer.aiter_raw()
                assert await anext(received) == b"one"
                await parts.send(b"two")
                assert await anext(received) == b"two"
                parts.close()
                assert [part async for part in received] == []


async def test_what_is_gone_or_too_far_ahead_is_470(trickle: Trickle):
    for seq in range(6):
        await trickle.post(seq)

    for seq in (0, 7, 100):
        answer = await trickle.get(seq)
        assert (answer.status_code, answer.text) == (470, "Entry not found")
        assert (answer.headers["Lp-Trickle-Latest"], answer.headers["Lp-Trickle-Seq"]) == ("6", str(seq))
    assert (await trickle.get(1)).status_code == 200


async def test_a_channel_keeps_five_segments_and_ends_the_sixths_predecessor(trickle: Trickle):
    async def read() -> None:
        answer = await trickle.get(0)
        assert (answer.status_code, answer.content, answer.headers["Lp-Trickle-Latest"]) == (200, b"", "6")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await until(lambda: trickle.channel.held(0) is not None)
        trickle.channel.next_seq = 5
        trickle.channel.publish(b"later")


async def test_an_empty_post_moves_on(trickle: Trickle):
    answer = await trickle.post(0, b"")

    assert (answer.status_code, answer.headers["Lp-Trickle-Seq"]) == (200, "0")
    assert answer.headers["Connection"] == "close"
    assert trickle.channel.next_seq == 1
    assert (await trickle.get(0)).content == b""


async def test_a_segment_that_is_finished_takes_no_more(trickle: Trickle):
    await trickle.post(0, b"whole")
    again = await trickle.post(0, b"more")

    assert (again.status_code, again.headers["Connection"]) == (200, "close")
    assert (await trickle.get(0)).content == b"whole"


async def test_a_publisher_that_starts_anew_ends_what_it_left_open(trickle: Trickle):
    trickle.channel.for_writing(0).write(b"half")
    trickle.channel.next_seq = 1

    await trickle.post(1, **{"Lp-Trickle-Reset": "1"})

    assert (await trickle.get(0)).content == b"half"


async def test_a_segment_that_is_too_large_is_refused_and_memory_stays_bounded(trickle: Trickle):
    answer = await trickle.post(0, b"x" * (17 * 1024 * 1024))

    assert (answer.status_code, answer.text) == (500, "Server error\n")
    segment = trickle.channel.held(0)
    assert segment is not None
    assert segment.bytes <= 16 * 1024 * 1024


async def test_a_deleted_segment_ends_for_its_readers(trickle: Trickle):
    trickle.channel.for_writing(0).write(b"half")

    assert (await trickle.http.delete(trickle.url + "/0")).status_code == 200
    assert (await trickle.get(0)).content == b"half"
    missing = await trickle.http.delete(trickle.url + "/3")
    assert (missing.status_code, missing.text) == (400, "Nonexistent segment\n")


async def test_a_channel_that_is_closed_says_so_to_who_waits_and_is_404_from_then_on(trickle: Trickle):
    answers: list[httpx2.Response] = []

    async def read() -> None:
        answers.append(await trickle.get(0))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await until(lambda: trickle.channel.held(0) is not None)
        assert (await trickle.http.delete(trickle.url)).status_code == 200

    [answer] = answers
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Lp-Trickle-Closed"] == "terminated"
    for gone in (
        await trickle.get(0),
        await trickle.get("next"),
        await trickle.post(0),
        await trickle.http.post(trickle.url),
    ):
        assert (gone.status_code, gone.text) == (404, "Stream not found\n")
    assert (await trickle.post(0)).headers["Connection"] == "close"
    again = await trickle.http.delete(trickle.url)
    assert (again.status_code, again.text) == (400, "Invalid stream\n")


async def test_a_publisher_that_has_connected_ahead_is_told_of_the_end(trickle: Trickle):
    host, _, path = trickle.url.removeprefix("http://").partition("/")
    name, port = host.split(":")

    async with await anyio.connect_tcp(name, int(port)) as stream:
        await stream.send(f"POST /{path}/0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        await until(lambda: trickle.channel.held(0) is not None)
        trickle.channels.close("ch")
        answer = (await stream.receive()).lower()

    assert answer.startswith(b"http/1.1 200")
    assert b"lp-trickle-closed: terminated" in answer
    assert b"connection: close" in answer


async def test_a_publisher_that_breaks_off_leaves_its_segment_open(trickle: Trickle):
    host, _, path = trickle.url.removeprefix("http://").partition("/")
    name, port = host.split(":")

    async with await anyio.connect_tcp(name, int(port)) as stream:
        await stream.send(f"POST /{path}/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf".encode())
        await until(lambda: trickle.channel.next_seq == 1)

    async with trickle.http.stream("GET", trickle.url + "/0") as answer:
        received = answer.aiter_raw()
        assert await anext(received) == b"half"
        trickle.channel.publish(b"next")
        segment = trickle.channel.held(0)
        assert segment is not None
        assert not segment.closed.is_set()


async def test_readers_that_leave_are_forgotten(trickle: Trickle):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(trickle.get, 0)
        await until(lambda: trickle.channel.held(0) is not None)
        tasks.cancel_scope.cancel()

    trickle.channel.publish(b"data")
    assert (await trickle.get(0)).content == b"data"


@pytest.mark.parametrize("seq", ["abc", "-3", "1.5", "", "٣"])
async def test_a_segment_that_is_no_number_is_400(trickle: Trickle, seq: str):
    if not seq:
        assert (await trickle.http.get(trickle.url)).status_code == 405
        return
    for answer in (await trickle.get(seq), await trickle.post(seq), await trickle.http.delete(f"{trickle.url}/{seq}")):
        assert (answer.status_code, answer.text) == (400, "Invalid idx\n")


async def test_posting_to_a_channel_that_exists_is_200_and_to_another_404(trickle: Trickle):
    assert (await trickle.http.post(trickle.url)).status_code == 200
    assert (await trickle.http.post(trickle.url + "-other")).status_code == 404


async def test_a_channel_that_is_made_twice_is_one(trickle: Trickle):
    assert trickle.channels.create("ch", "text/plain") is trickle.channel
