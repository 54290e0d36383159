"""Section 5: events and status, data and control of a live stream."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from itertools import count

import anyio
import httpx2

from livepeer.conformance import Checks, UnexpectedError, expect, expect_that

from ._network import Part
from ._stream import Stream, started
from ._trial import Trial, eventually

check = Checks[Trial]()

Send = Callable[[bytes], Awaitable[None]]

_STREAMS = (Part.BYOC, Part.STREAMS)
_GREETING = "hello"
_LONGEST = 65_535
_SILENCE_SECONDS = 60
_WIPED_SECONDS = 80


@check("stream.status.event", needs=_STREAMS)
async def a_status_event(trial: Trial) -> None:
    async with started(trial) as stream:
        await stream.tell_until({"type": "status", "state": "one", "more": 1}, {"state": "one", "more": 1})
        status = await stream.tell_until({"type": "status", "state": "two"}, {"state": "two"})
    expect_that("more" not in status, "the old status to be gone", status)


@check("stream.status.kept", needs=_STREAMS)
async def what_a_status_keeps(trial: Trial) -> None:
    kept = {"last_params": {"prompt": "a cat"}, "last_restart_logs": ["it broke"]}
    async with started(trial) as stream:
        await stream.tell_until({"type": "status", "inference_status": kept}, {"inference_status": kept})
        status = await stream.tell_until({"type": "status", "state": "two", "inference_status": {}}, {"state": "two"})
    expect("inference_status", status.get("inference_status"), kept)


@check("stream.status.wiped", needs=_STREAMS, seconds=120)
async def a_status_in_time(trial: Trial) -> None:
    async with started(trial) as stream:
        await stream.tell_until({"type": "status", "state": "one"}, {"state": "one"})
        with anyio.move_on_after(_WIPED_SECONDS):
            while await stream.status() is not None:
                await anyio.sleep(1)
                await stream.tell({"type": "event"})
        expect("the status", await stream.status(), None)
        await stream.tell_until({"type": "status", "state": "two"}, {"state": "two"})


@check("stream.events.wrapper", needs=_STREAMS)
async def an_event_in_a_wrapper(trial: Trial) -> None:
    async with started(trial) as stream:
        event = {"queue_event_type": "ai_stream_events", "event": {"type": "status", "state": "wrapped"}}
        await stream.tell_until(event, {"state": "wrapped"})


@check("stream.events.silence", needs=_STREAMS, seconds=90)
async def a_stream_without_events(trial: Trial) -> None:
    async with started(trial) as stream:
        await stream.asked("stop", seconds=_SILENCE_SECONDS)
        await eventually(stream.is_forgotten, "the gateway to forget the stream")
        expect("the status of a stop by the caller", (await stream.stop()).status_code, 404)
        expect("the requests", [asked.path for asked in trial.worker.asked], ["/stream/start", "/stream/stop"])


@check("stream.control.alive", needs=_STREAMS)
async def the_control_channel(trial: Trial) -> None:
    async with started(trial) as stream:
        url = (await stream.told())["control_url"]
        found = await trial.http.get(f"{url}/0")
    expect("the message", json.loads(found.content), {"keep": "alive"})


@check("stream.data.lines", needs=_STREAMS)
async def data_as_events(trial: Trial) -> None:
    async with started(trial) as stream, _listening(trial, stream) as (lines, send):
        await send(b'{"n": 1}\n{"n": 2}\n')
        found = [await anext(lines), await anext(lines)]
    expect("the events", found, ['{"n": 1}', '{"n": 2}'])


@check("stream.data.longest", needs=_STREAMS)
async def the_longest_line(trial: Trial) -> None:
    async with started(trial) as stream, _listening(trial, stream) as (lines, send):
        await send(b"x" * _LONGEST + b"\n")
        found = await anext(lines)
    expect("its length", len(found), _LONGEST)


@check("stream.data.too-long", needs=_STREAMS)
async def a_line_that_is_too_long(trial: Trial) -> None:
    async with started(trial) as stream, _listening(trial, stream) as (lines, send):
        await send(b"x" * (_LONGEST + 1) + b"\n")
        await send(b"later\n")
        with anyio.move_on_after(2):
            async for line in lines:
                raise UnexpectedError(f"expected no more events, not {line[:80]!r}")


@asynccontextmanager
async def _listening(trial: Trial, stream: Stream) -> AsyncGenerator[tuple[AsyncGenerator[str], Send]]:
    """Give the events that the gateway makes of the data channel, and what writes to that channel.

    A gateway answers with the first event, and begins to read the channel at the next segment: greetings go ahead.
    """
    url, numbers, is_heard = (await stream.told())["data_url"], count(), anyio.Event()

    async def send(content: bytes) -> None:
        await stream.write(url, next(numbers), content)

    async def greet() -> None:
        while not is_heard.is_set():
            await send(_GREETING.encode() + b"\n")
            await anyio.sleep(0.1)

    async with (
        trial.meanwhile(greet),
        trial.http.stream("GET", stream.url("data")) as response,
        aclosing(_events(response)) as events,
    ):
        is_heard.set()
        yield events, send


async def _events(response: httpx2.Response) -> AsyncGenerator[str]:
    async for line in response.aiter_lines():
        event = line.removeprefix("data: ")
        if event not in (line, _GREETING):
            yield event
