"""Streams, as they survive the network."""

import json
from collections.abc import Mapping
from typing import Any

import anyio
import httpx2

from livepeer.conformance._checks import Checks, expect, expect_that
from livepeer.conformance._json_schema import misfit
from livepeer.core import MAX_LINE_BYTES, PROBLEM_MEDIA_TYPE, SSE_DONE

from ._trial import WorkerTrial
from ._worker import Part

check = Checks[WorkerTrial]()

_STREAM = (Part.READY, Part.INPUT, Part.STREAMS)
_SECONDS = 120.0
_LONG_TEXT = 100_000
_BEGINNING_SECONDS = 3.0
_DATA = b"data:"


@check("sse.media-type", needs=_STREAM, seconds=_SECONDS)
async def media_type(trial: WorkerTrial) -> None:
    found = (await _streamed(trial)).headers["content-type"]
    expect("the media type", found.partition(";")[0], "text/event-stream")


@check("sse.done", needs=_STREAM, seconds=_SECONDS)
async def done(trial: WorkerTrial) -> None:
    expect_one_end((await _streamed(trial)).content)


@check("sse.ends", needs=_STREAM, seconds=_SECONDS)
async def ends(trial: WorkerTrial) -> None:
    body = json.dumps(trial.input).encode()
    async with trial.wire() as wire:
        lines = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        await wire.send(trial.head("POST", trial.path, wire.host, *lines) + body)
        answer = await wire.answer()
        expect_that(answer.body.endswith(SSE_DONE), "`data: [DONE]` at the end", answer.body[-100:])
        await wire.send(trial.head("GET", "/health", wire.host))
        expect("the status of what is asked next", (await wire.answer()).status, 200)


@check("sse.json", needs=_STREAM, seconds=_SECONDS)
async def items(trial: WorkerTrial) -> None:
    for item in stream_items((await _streamed(trial)).content):
        expect(f"what is wrong with {item!r:.100}", misfit(item, trial.output_schema, trial.output_schema), None)


@check("sse.lines", needs=_STREAM, seconds=_SECONDS)
async def lines(trial: WorkerTrial) -> None:
    texts = ["x" * _LONG_TEXT, "\N{SNOWMAN}" * _LONG_TEXT] if trial.has_text else []
    for input in [trial.input, *map(trial.texts, texts)]:
        content = await _beginning(trial, input)
        longest = max(map(len, content.split(b"\n")))
        expect_that(longest <= MAX_LINE_BYTES, f"no line over {MAX_LINE_BYTES} bytes", longest)


@check("sse.done-inside", needs=(*_STREAM, Part.TEXT), seconds=_SECONDS)
async def done_inside(trial: WorkerTrial) -> None:
    for text in ("before [DONE] after", "[DONE]", "data: [DONE]\n\n"):
        answer = await _streamed(trial, trial.texts(text))
        expect_one_end(answer.content)


@check("sse.leave", needs=_STREAM, seconds=_SECONDS)
async def leave(trial: WorkerTrial) -> None:
    for _ in range(3):
        async with trial.stream() as answer:
            expect("the status", answer.status_code, 200)
            await anext(answer.aiter_bytes())
        await trial.until_idle(60)
    await _streamed(trial)


@check("sse.refusal", needs=(Part.READY, Part.STREAMS))
async def refusal(trial: WorkerTrial) -> None:
    answer = await trial.post(b"nonsense")
    expect("the status", answer.status_code, 400)
    expect("the media type", answer.headers.get("content-type"), PROBLEM_MEDIA_TYPE)


def expect_one_end(content: bytes) -> None:
    """Make sure that `[DONE]` is a stream's last event, and stands nowhere else.

    Raises:
        UnexpectedError: It is not.
    """
    expect_that(content.endswith(SSE_DONE), "`data: [DONE]` and a blank line at the end", content[-100:])
    expect("how many lines hold [DONE]", sum(b"[DONE]" in line for line in content.split(b"\n")), 1)


def stream_items(content: bytes) -> list[Any]:
    """The data of each plain event, up to the end.

    Raises:
        ValueError: An event's data is no JSON.
    """
    found: list[Any] = []
    for event in content.removesuffix(SSE_DONE).split(b"\n\n"):
        lines = event.split(b"\n")
        if any(line.startswith(b"event:") for line in lines):
            continue
        data = [line.removeprefix(_DATA).removeprefix(b" ") for line in lines if line.startswith(_DATA)]
        if data:
            found.append(json.loads(b"".join(data)))
    return found


async def _beginning(trial: WorkerTrial, input: Mapping[str, Any]) -> bytes:
    """What comes of a stream in some seconds: a model may work on a long text for hours."""
    seen = bytearray()
    with anyio.move_on_after(_BEGINNING_SECONDS):
        async with trial.stream(input) as answer:
            if input == trial.input:
                expect("the status", answer.status_code, 200)
            async for chunk in answer.aiter_bytes():
                seen += chunk
    return bytes(seen)


async def _streamed(trial: WorkerTrial, input: Mapping[str, Any] | None = None) -> httpx2.Response:
    answer = await trial.call(input)
    expect("the status", answer.status_code, 200)
    return answer
