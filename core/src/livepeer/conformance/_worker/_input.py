"""What a worker does with the bodies that it gets."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from livepeer.conformance._checks import Checks, SkippedError, expect, expect_that
from livepeer.conformance._json_schema import misfit, properties, required, wrong_fields

from ._trial import WorkerTrial
from ._worker import Part

check = Checks[WorkerTrial]()

_NO_JSON = (b'{"half": ', b"nonsense", b"[", b'{"a": 1,}', b"{]", b"{'a': 1}", b"\xff\xfe", b'"\xff"')
_LEVELS = 100_000
_LARGE_BYTES = 2 * 1024 * 1024
_UNKNOWN = "no_such_field_of_any_model"
_ODD: tuple[bytes, ...] = (
    b"1" * 5_000,
    b"1e999",
    b"-0.0",
    b"NaN",
    b"Infinity",
    b'"\\ud800"',
    b'"\\u0000"',
    b'"' + "\N{PILE OF POO}".encode() + b'"',
    b"null",
    b'{"a": 1, "a": 2}',
    b'{"": {"__proto__": null, "\\u0000": []}}',
)


@check("input.malformed", needs=Part.READY)
async def malformed(trial: WorkerTrial) -> None:
    for body in _NO_JSON:
        expect(f"the status for {body!r}", (await trial.post(body)).status_code, 400)


@check("input.media-type", needs=Part.READY)
async def another_media_type(trial: WorkerTrial) -> None:
    for media_type in ("text/csv", "application/x-www-form-urlencoded", "image/png", "nonsense"):
        answer = await trial.post(b"a=b", content_type=media_type)
        expect(f"the status for {media_type}", answer.status_code, 415)
        expect_that("application/json" in answer.json()["detail"], "what is taken", answer.text)


@check("input.charset", needs=(Part.READY, Part.INPUT), seconds=120)
async def charset(trial: WorkerTrial) -> None:
    for media_type in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"):
        answer = await trial.call(content_type=media_type)
        expect(f"the status for {media_type}", answer.status_code, 200)


@check("input.empty", needs=(Part.READY, Part.REQUIRED))
async def empty(trial: WorkerTrial) -> None:
    nothing, document = await trial.post(b""), await trial.post(b"{}")
    expect("the status", (nothing.status_code, document.status_code), (422, 422))
    expect("the fields", _named(nothing), _named(document))


@check("input.no-object", needs=Part.READY)
async def no_object(trial: WorkerTrial) -> None:
    values: tuple[object, ...] = ([], "text", 1, None, True)
    for value in values:
        if misfit(value, trial.input_schema, trial.input_schema) is None:
            raise SkippedError("the schema takes more than objects")
        answer = await trial.post(json.dumps(value).encode())
        expect(f"the status for {value!r}", answer.status_code, 422)


@check("input.wrong-fields", needs=(Part.READY, Part.FIELDS))
async def wrong(trial: WorkerTrial) -> None:
    fields = wrong_fields(trial.input_schema)
    answer = await trial.post(json.dumps(fields).encode())
    expect("the status", answer.status_code, 422)
    expect_that(_named(answer) >= set(fields), f"each of {sorted(fields)} to be named", sorted(_named(answer)))
    expect_that(all(error["reason"] for error in answer.json()["errors"]), "a reason for each", answer.text)


@check("input.missing-fields", needs=(Part.READY, Part.REQUIRED))
async def missing(trial: WorkerTrial) -> None:
    answer = await trial.post(b"{}")
    expect("the status", answer.status_code, 422)
    expect_that(_named(answer) >= set(required(trial.input_schema)), "each required field", sorted(_named(answer)))


@check("input.unknown-field", needs=(Part.READY, Part.CLOSED))
async def unknown(trial: WorkerTrial) -> None:
    answer = await trial.call({**trial.input, _UNKNOWN: 1})
    expect("the status", answer.status_code, 422)
    expect_that(_UNKNOWN in _named(answer), "the field to be named", sorted(_named(answer)))


@check("input.deep", needs=Part.READY)
async def deep(trial: WorkerTrial) -> None:
    for begin, end in ((b"[", b"]"), (b'{"a":', b"}")):
        for body in (begin * _LEVELS, begin * _LEVELS + b"1" + end * _LEVELS):
            await _expect_a_refusal(trial, body)


@check("input.hostile", needs=Part.READY, seconds=120)
async def hostile(trial: WorkerTrial) -> None:
    names = [*properties(trial.input_schema), _UNKNOWN]
    for odd in _ODD:
        for name in names[:20]:
            fields = [(key, json.dumps(value).encode()) for key, value in trial.input.items() if key != name]
            body = b",".join(b"%b:%b" % (json.dumps(key).encode(), value) for key, value in [*fields, (name, odd)])
            answer = await trial.post(b"{%b}" % body)
            expect_that(answer.status_code < 500, f"no server's error for {name} of {odd[:20]!r}", answer.text)
    await _expect_a_refusal(trial, b"nonsense")


@check("input.large", needs=(Part.READY, Part.INPUT), seconds=60)
async def large(trial: WorkerTrial) -> None:
    answer = await trial.post(json.dumps(trial.input).encode().ljust(_LARGE_BYTES))
    expect_that(answer.status_code in (200, 413), "200 or 413", answer.status_code)


@check("input.too-large", needs=Part.READY)
async def too_large(trial: WorkerTrial) -> None:
    async with trial.wire() as wire:
        lines = ("Content-Type: application/json", f"Content-Length: {2**60}")
        await wire.send(trial.head("POST", trial.path, wire.host, *lines))
        expect("the status", (await wire.answer()).status, 413)


@check("input.chunked", needs=Part.READY)
async def chunked(trial: WorkerTrial) -> None:
    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 3):
            yield body[start : start + 3]

    broken = await trial.http.post(trial.path, content=pieces(b'{"half": '), headers=_JSON)
    expect("the status for half a document", broken.status_code, 400)
    if trial.input_is_known:
        answer = await trial.http.post(trial.path, content=pieces(json.dumps(trial.input).encode()), headers=_JSON)
        expect("the status", answer.status_code, 200)


@check("input.half-sent", needs=Part.READY)
async def half_sent(trial: WorkerTrial) -> None:
    for _ in range(20):
        async with trial.wire() as wire:
            lines = ("Content-Type: application/json", "Content-Length: 100")
            await wire.send(trial.head("POST", trial.path, wire.host, *lines) + b'{"half": ')
            expect("the state while half a body is there", await trial.status(), "IDLE")
    await trial.until_idle()
    await _expect_a_refusal(trial, b"nonsense")


_JSON = {"content-type": "application/json"}


async def _expect_a_refusal(trial: WorkerTrial, body: bytes) -> None:
    answer = await trial.post(body)
    expect_that(400 <= answer.status_code < 500, f"a refusal of {body[:20]!r}", answer.status_code)


def _named(answer: httpx2.Response) -> set[str]:
    """The fields that a problem names, each by its first part."""
    errors: list[dict[str, Any]] = answer.json().get("errors", [])
    return {str(error["field"]).split(".")[0] for error in errors}
