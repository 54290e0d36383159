"""The rules of the dashboard's own JavaScript, asked in the browser that runs it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page

from livepeer.devnet import DevNet

from .browsing import launched, needs_browser, opened

pytestmark = [pytest.mark.anyio, needs_browser]


@pytest.fixture(scope="module")
async def page() -> AsyncIterator[Page]:
    async with DevNet(dashboard_port=0) as net, launched() as browser, opened(browser, net.dashboard_url) as found:
        yield found


async def ask(page: Page, module: str, expression: str, argument: Any = None) -> Any:
    """What an expression over a module's names, and `argument`, comes to."""
    script = f"async (argument) => {{ const module = await import('/{module}.js'); return {expression}; }}"
    return await page.evaluate(script, argument)


async def kind_of(page: Page, schema: dict[str, Any], name: str = "value", **rest: Any) -> str:
    document = {"type": "object", "properties": {name: schema}, **rest}
    return await ask(page, "fields", "module.fieldsOf(argument)[0].kind", document)


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 200}, "text"),
        ({"type": "string", "maxLength": 201}, "textarea"),
        ({"type": "string", "contentEncoding": "base64"}, "file"),
        ({"type": "string", "contentMediaType": "image/png"}, "file"),
        ({"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]}, "address"),
        ({"type": "string", "enum": ["a", "b"]}, "select"),
        ({"const": 1}, "select"),
        ({"oneOf": [{"const": "a"}, {"const": 2}, {"type": "null"}]}, "select"),
        ({"type": "integer"}, "number"),
        ({"type": "number", "minimum": 0}, "number"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "range"),
        ({"type": "boolean"}, "boolean"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "number"),
        ({"type": ["string", "null"]}, "text"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "json"),
        ({"type": ["integer", "string"]}, "json"),
        ({"type": "object"}, "json"),
        ({"type": "array", "items": {"type": "string"}}, "json"),
        ({"$ref": "#/$defs/colour"}, "select"),
        ({"allOf": [{"$ref": "#/$defs/colour"}], "default": "red"}, "select"),
        ({"anyOf": [{"$ref": "#/$defs/colour"}, {"type": "null"}]}, "select"),
        ({"$ref": "#/$defs/circle"}, "json"),
        ({"$ref": "#/$defs/nowhere"}, "json"),
        ({"$ref": "#/constructor"}, "json"),
        ({}, "json"),
        (True, "json"),
    ],
    ids=json.dumps,
)
async def test_a_schema_gets_the_control_of_its_kind(page: Page, schema: dict[str, Any], kind: str) -> None:
    definitions = {"colour": {"enum": ["red", "blue"]}, "circle": {"$ref": "#/$defs/circle"}}
    assert await kind_of(page, schema, **{"$defs": definitions}) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("prompt", "textarea"),
        ("negative_prompt", "textarea"),
        ("Lyrics", "textarea"),
        ("texture", "text"),
        ("x", "text"),
    ],
)
async def test_a_string_whose_name_says_prose_gets_a_large_box(page: Page, name: str, kind: str) -> None:
    assert await kind_of(page, {"type": "string"}, name) == kind
    assert await kind_of(page, {"type": "string", "maxLength": 20}, name) == "text"


@pytest.mark.parametrize(
    ("schema", "bounds"),
    [
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9}, [1, 8, 1]),
        ({"type": "integer", "minimum": 0, "maximum": 9, "multipleOf": 3}, [0, 9, 3]),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 2}, [0, 2, 0.01]),
        ({"type": "number", "minimum": 1, "maximum": 1}, [1, 1, "any"]),
    ],
)
async def test_a_slider_stays_within_the_bounds(page: Page, schema: dict[str, Any], bounds: list[Any]) -> None:
    document = {"properties": {"value": schema}}
    expression = "module.fieldsOf(argument).map(({low, high, step}) => [low, high, step])[0]"
    assert await ask(page, "fields", expression, document) == bounds


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"type": "array"}, {"properties": []}, {"$ref": "#"}])
async def test_an_input_that_is_no_object_has_no_fields(page: Page, schema: dict[str, Any]) -> None:
    assert await ask(page, "fields", "module.fieldsOf(argument)", schema) is None


EVENTS = """async (parts) => {
  const { eventsOf } = await import('/sse.js');
  async function* chunks() { for (const part of parts) yield new Uint8Array(part); }
  const found = [];
  const events = eventsOf(chunks());
  for (;;) {
    const { done, value } = await events.next();
    if (done) return [found, value];
    found.push([value.event, value.data]);
  }
}"""


async def events_of(page: Page, *parts: bytes) -> list[Any]:
    return await page.evaluate(EVENTS, [list(part) for part in parts])


async def test_a_stream_is_the_same_wherever_its_bytes_are_cut(page: Page) -> None:
    stream = (
        "data: one\r\n\r\n: ping\n\nevent: note\ndata:t\u00fc\ndata: \U0001f600\n\nid: 3\n\ndata: [DONE]\n".encode()
    )
    expected = [[["message", "one"], ["note", "t\u00fc\n\U0001f600"]], True]

    assert await events_of(page, *(bytes([byte]) for byte in stream)) == expected
    for cut in range(len(stream)):
        assert await events_of(page, stream[:cut], stream[cut:]) == expected


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (b"", [[], False]),
        (b"data: 1", [[], False]),
        (b"data: 1\n\n", [[["message", "1"]], False]),
        (b"data: 1\ndata: [DONE]", [[["message", "1"]], True]),
        (b"data: [DONE]\n\n\n\ndata: 2\n\n", [[], True]),
        (b'data: "[DONE]"\n\ndata: [DONE]\n', [[["message", '"[DONE]"']], True]),
        (b'data: 1\n\ndata: {"balance": 0.000}\n\n\ndata: [DONE]\n', [[["message", "1"]], True]),
        (b'data: {"balance": 0}\n\ndata: 1\n\n', [[["message", '{"balance": 0}'], ["message", "1"]], False]),
        (b'data: {"balance": 0}\n\n', [[["message", '{"balance": 0}']], False]),
    ],
)
async def test_a_stream_ends_at_its_last_line_and_without_the_balance(
    page: Page, stream: bytes, found: list[Any]
) -> None:
    assert await events_of(page, stream) == found


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x18ftypavif", "image/avif"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"ID3\x04", "audio/mpeg"),
        (b"fLaC", "audio/flac"),
        (b"OggS", "audio/ogg"),
        (b"RIFF", None),
        (b"", None),
    ],
)
async def test_bytes_tell_what_they_are(page: Page, head: bytes, media_type: str | None) -> None:
    assert await ask(page, "media", "module.sniff(new Uint8Array(argument))", list(head)) == media_type


@pytest.mark.parametrize("text", ["+/+/", "-_-_"])
async def test_base64_is_read_in_either_alphabet(page: Page, text: str) -> None:
    assert await ask(page, "media", "[...module.fromBase64(argument)]", text) == [251, 255, 191]


async def test_what_is_no_base64_is_no_bytes(page: Page) -> None:
    assert await ask(page, "media", "module.fromBase64(argument)", "not base64!") is None


async def test_a_problem_is_read_whatever_it_is_written_in(page: Page) -> None:
    problem = {"title": "No", "detail": "never", "code": "no", "errors": [{"field": "a.b", "reason": "bad"}, 3, None]}
    texts = [
        json.dumps(problem),
        json.dumps([1]),
        json.dumps({"errors": 3, "title": [], "error": {"message": "m"}}),
        "",
        "x",
    ]
    expression = (
        "argument.map((text) => module.problemOf(422, text)).map(({title, detail, fields}) => [title, detail, fields])"
    )

    assert await ask(page, "problems", expression, texts) == [
        ["No", "never", [{"field": "a.b", "reason": "bad"}]],
        ["It was refused with status 422", "[1]", []],
        ["It was refused with status 422", "m", []],
        ["It was refused with status 422", "", []],
        ["It was refused with status 422", "x", []],
    ]


VIEW = """async ([before, after]) => {
  const { CapabilityView } = await import('/capability.js');
  const network = { gateway_url: 'http://gateway', orchestrator_urls: ['http://orchestrator'] };
  const registrations = [{ network: 'byoc', orchestrator: 0, worker_url: 'http://worker', in_use: 0, capacity: 1 }];
  const show = (schema) => {
    const worker = { url: 'http://worker', state: 'IDLE', in_use: null, capacity: null, waiting: null, schema };
    view.update({ card: { deadline_seconds: null }, registrations, workers: [worker] }, network);
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  const view = new CapabilityView('shown');
  show(before);
  const typed = view.element.querySelector('[name="text"]');
  if (typed) typed.value = 'typed';
  show(after);
  await settle();
  const held = (field) => [field.dataset.field, field.querySelector('input, textarea').value];
  const fields = [...view.element.querySelectorAll('[data-field]')].map(held);
  return { fields: Object.fromEntries(fields), path: view.element.querySelector('#path-shown')?.value ?? null };
}"""


def schema(path: str, *names: str) -> str:
    return json.dumps({"path": path, "input": {"properties": {name: {"type": "string"} for name in names}}})


def live_schema(*names: str) -> str:
    return json.dumps({"live": {"params_schema": {"properties": {name: {"type": "string"} for name in names}}}})


@pytest.mark.parametrize(
    ("before", "after", "fields", "path"),
    [
        ("", live_schema("text"), {"text": ""}, None),
        (live_schema("text"), "", {"text": "typed"}, None),
        (live_schema("text"), live_schema("text", "seed"), {"text": "typed", "seed": ""}, None),
        ("", schema("/predict", "text"), {"text": ""}, "/predict"),
        (schema("/predict", "text"), "", {"text": "typed"}, "/predict"),
        (schema("/predict", "text"), schema("/draw", "text", "seed"), {"text": "typed", "seed": ""}, "/draw"),
        (schema("/predict", "text"), schema("/predict", "seed"), {"seed": ""}, "/predict"),
        ("no json", "[]", {"": ""}, "/"),
    ],
    ids=["live comes", "live goes", "live grows", "comes", "goes", "grows", "changes", "nonsense"],
)
async def test_what_is_typed_outlasts_a_change_of_the_schema(
    page: Page, before: str, after: str, fields: dict[str, str], path: str | None
) -> None:
    assert await page.evaluate(VIEW, [before, after]) == {"fields": fields, "path": path}
