"""Section 4: how an event stream is relayed, and how it ends."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial

import anyio
import httpx2

from livepeer.client import Gateway, LivepeerError
from livepeer.conformance import Checks, UnexpectedError, expect, expect_that

from ._network import Part
from ._trial import Trial

check = Checks[Trial]()

_DIRECTLY = (Part.BYOC, Part.OFFCHAIN)
_DONE = b"data: [DONE]\n\n"
_LONGEST = 65_535

Opener = Callable[..., AbstractAsyncContextManager[httpx2.Response]]


@check("sse.lines", needs=Part.BYOC)
async def each_line_at_once(trial: Trial) -> None:
    await trial.byoc.register(capacity=100)
    trial.worker.streams(b"data: 1\n\n", b"data: 2\n\n" + _DONE)
    async with trial.byoc.open() as response:
        stream = _Reader(response)
        await stream.until(b"data: 1\n")
        trial.worker.release()
        await stream.until(b"data: 2\n")


@check("sse.comments", needs=Part.BYOC)
async def comments(trial: Trial) -> None:
    trial.worker.streams(b": ping\n\ndata: 1\n\n" + _DONE)
    await trial.byoc.register()
    content = (await trial.byoc.call()).content
    expect_that(content.startswith(b": ping\n\ndata: 1\n\n"), "the comment, and what follows it", content)


@check("sse.line-limit.passes", needs=Part.BYOC)
async def the_longest_line(trial: Trial) -> None:
    line = _line(_LONGEST)
    trial.worker.streams(line + _DONE)
    await trial.byoc.register(capacity=100)
    for open_stream in _hops(trial):
        async with open_stream() as response:
            seen = await _Reader(response).until(b"data: [DONE]\n")
        expect_that(seen.startswith(line), f"a line of {_LONGEST} bytes", seen[:50])


@check("sse.line-limit.ends", needs=Part.BYOC)
async def a_line_too_long(trial: Trial) -> None:
    trial.worker.streams(b"data: 1\n\n" + _line(_LONGEST + 1) + b"data: 2\n\n" + _DONE)
    await trial.byoc.register(capacity=100)
    for open_stream in _hops(trial):
        async with open_stream(timeout_seconds=3) as response:
            seen, seconds = await _Reader(response).rest()
        expect("what is more than newlines", seen.strip(b"\n"), b"data: 1")
        expect_that(seconds >= 2.9, "the caller to hang for 3 s", seconds)


@check("sse.done", needs=Part.BYOC)
async def the_end(trial: Trial) -> None:
    trial.worker.streams(b"data: 1\n\n" + _DONE, then_hold=True)
    await trial.byoc.register()
    async with trial.byoc.open() as response:
        seen, seconds = await _Reader(response).rest()
    expect_that(seen.rstrip(b"\n").endswith(b"data: [DONE]"), "`data: [DONE]` at the end", seen)
    expect_that(seconds < 10, "the end at once, before the deadline", seconds)


@check("sse.done.newline", needs=Part.BYOC)
async def the_last_newline(trial: Trial) -> None:
    trial.worker.streams(b"data: 1\n\n" + _DONE)
    await trial.byoc.register()
    content = (await trial.byoc.call()).content
    expect("the last bytes", content[content.rindex(b"data:") :], b"data: [DONE]\n")


@check("sse.done.inside", needs=Part.BYOC)
async def done_in_a_text(trial: Trial) -> None:
    trial.worker.streams(b'data: "a text with [DONE] in it"\n\ndata: lost\n\n' + _DONE)
    await trial.byoc.register()
    content = (await trial.byoc.call()).content
    expect_that(b"lost" not in content, "nothing after the line with [DONE]", content)
    expect_that(b"a text with [DONE] in it" in content, "that line itself", content)


@check("sse.done.missing", needs=Part.BYOC, seconds=60)
async def no_done(trial: Trial) -> None:
    trial.worker.streams(b"data: 1\n\n")
    await trial.byoc.register()
    async with trial.byoc.open(timeout_seconds=1) as response:
        seen, seconds = await _Reader(response).rest()
    expect_that(10.5 <= seconds < 20, "an end after 11 s", seconds)
    expect("what is more than newlines", seen.strip(b"\n"), b"data: 1")
    expect_that(len(seen) > 500_000, "more than half a megabyte of newlines", len(seen))


@check("sse.done.flood", needs=_DIRECTLY)
async def the_flood(trial: Trial) -> None:
    trial.worker.streams(_DONE)
    await trial.byoc.register()
    async with trial.byoc.open(straight=True, timeout_seconds=3) as response:
        seen, seconds = await _Reader(response).rest()
    expect_that(seconds >= 2.9, "an end after 3 s", seconds)
    after = seen[seen.index(b"[DONE]") + len(b"[DONE]") :]
    expect("what is more than newlines", after.strip(b"\n"), b"")
    expect_that(len(after) > 10_000, "more than 10,000 blank lines", len(after))


@check("sse.balance", needs=Part.BYOC)
async def the_balance(trial: Trial) -> None:
    trial.worker.streams(b"data: 1\n\n" + _DONE)
    await trial.byoc.register()
    lines = [line for line in (await trial.byoc.call()).content.split(b"\n") if line]
    expect("the lines around it", (lines[0], lines[-1]), (b"data: 1", b"data: [DONE]"))
    balance = json.loads(lines[-2].removeprefix(b"data: "))
    expect("the fields before `data: [DONE]`", list(balance), ["balance"])


@check("sse.balance.empty", needs=Part.BYOC)
async def the_gateways_balance(trial: Trial) -> None:
    trial.worker.streams(_DONE)
    await trial.byoc.register()
    expect("Livepeer-Balance", (await trial.byoc.call()).headers.get("Livepeer-Balance"), "")


@check("sse.balance.header", needs=_DIRECTLY)
async def the_orchestrators_balance(trial: Trial) -> None:
    trial.worker.streams(_DONE, then_hold=True)
    await trial.byoc.register()
    async with trial.byoc.open(straight=True) as response:
        expect_that("Livepeer-Payment-Balance" in response.headers, "Livepeer-Payment-Balance", dict(response.headers))


@check("worker.sse.lines")
async def long_items(trial: Trial) -> None:
    items = ["x" * 200_000, "é" * 100_000, "short"]
    for content in await _told(trial, items):
        longest = max(map(len, content.split(b"\n")))
        expect_that(longest <= _LONGEST, f"no line over {_LONGEST} bytes", longest)
        expect("the items", _items(content), items)


@check("worker.sse.done")
async def the_workers_end(trial: Trial) -> None:
    for content in await _told(trial, ["a"]):
        last = content.rstrip(b"\n").rpartition(b"\n")[2]
        expect("the last line", last, b"data: [DONE]")


@check("worker.sse.escapes")
async def done_in_an_item(trial: Trial) -> None:
    items = ["before [DONE] after", "[DONE]", "the last"]
    for content in await _told(trial, items):
        expect("the items", _items(content), items)


@check("worker.sse.pings")
async def silence(trial: Trial) -> None:
    for content in await _told(trial, ["a", "b"], pause_seconds=0.6, ping_seconds=0.2):
        expect_that(b"\n: " in content or content.startswith(b": "), "a comment between the items", content)
        expect("the items", _items(content), ["a", "b"])


@check("caller.sse.balance", needs=Part.BYOC)
async def the_client_and_the_balance(trial: Trial) -> None:
    trial.worker.streams(b"data: 1\n\ndata: 2\n\n" + _DONE)
    await trial.byoc.register()
    async with Gateway(gateway_url=trial.network.gateway_url, verify=False) as gateway:
        expect("the output", await _output(gateway, trial.name), ["1", "2"])


@check("caller.sse.insufficient")
async def the_client_without_funds(trial: Trial) -> None:
    trial.worker.streams(b'data: 1\n\nevent: insufficient balance\ndata: {"balance": 0}\n\n' + _DONE)
    async with Gateway(orch_url=trial.worker.url) as gateway:
        expect("the output", await _output(gateway, trial.name), ["1"])


@check("caller.sse.end", needs=_DIRECTLY)
async def the_client_at_the_end(trial: Trial) -> None:
    trial.worker.streams(b"data: 1\n\n" + _DONE)
    await trial.byoc.register()
    begin = anyio.current_time()
    async with Gateway(orch_url=trial.network.orch_url, verify=False) as gateway:
        expect("the output", await _output(gateway, trial.name), ["1"])
    expect_that(anyio.current_time() - begin < 10, "an end before the deadline", anyio.current_time() - begin)


class _Reader:
    """Reads a stream once."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._chunks = response.aiter_bytes()
        self._begin = anyio.current_time()
        self._seen = bytearray()

    async def until(self, mark: bytes) -> bytes:
        """Read until something has come, and return all that has.

        Raises:
            UnexpectedError: The stream ended without it.
        """
        while mark not in self._seen:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                raise UnexpectedError(f"expected {mark!r} in the stream, saw {bytes(self._seen[:200])!r} and the end")
            self._seen += chunk
        return bytes(self._seen)

    async def rest(self) -> tuple[bytes, float]:
        """Read to the end; all that has come, and how many seconds it took."""
        async with aclosing(self._chunks):
            async for chunk in self._chunks:
                self._seen += chunk
        return bytes(self._seen), anyio.current_time() - self._begin


def _line(length: int) -> bytes:
    return b"data: " + b"x" * (length - len(b"data: ")) + b"\n"


def _hops(trial: Trial) -> Sequence[Opener]:
    """The gateway, which is both hops, and the orchestrator alone where it takes unsigned jobs."""
    return [trial.byoc.open, partial(trial.byoc.open, straight=True)][: 2 if trial.has(Part.OFFCHAIN) else 1]


async def _told(trial: Trial, items: list[str], *, pause_seconds: float = 0, ping_seconds: float = 15) -> list[bytes]:
    """Have a served capability stream the items through the network, each way that there is."""
    served = await trial.serve(options={"ping_seconds": ping_seconds})
    body = json.dumps({"items": items, "pause_seconds": pause_seconds}).encode()
    return [(await call("tell", body)).content for call in await trial.callers(served)]


def _items(content: bytes) -> list[object]:
    """The items in a stream of a capability's: JSON texts, each on one or more `data:` lines."""
    items: list[object] = []
    for event in content.split(b"\n\n"):
        data = b"".join(line.removeprefix(b"data: ") for line in event.split(b"\n") if line.startswith(b"data: "))
        if data and data != b"[DONE]" and not data.startswith(b'{"balance"'):
            items.append(json.loads(data))
    return items


async def _output(gateway: Gateway, name: str) -> list[str]:
    """What a caller takes for output, to the stream's end, be it good or bad."""
    output: list[str] = []
    try:
        async with gateway.stream_async(name, {}) as events:
            async for event in events:
                output.append(event.data)
    except LivepeerError:
        pass
    return output
