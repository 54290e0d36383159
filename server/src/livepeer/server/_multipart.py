"""`multipart/form-data` as the JSON document that the operation reads."""

import base64
import json
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any, cast

import anyio.to_thread
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from livepeer.core import BINARY_MEDIA_TYPE, JsonSchema, MalformedBodyError

from ._body import Body
from ._shared_files import SharedFile, SharedFiles, pieces

_CHUNK_BYTES = 192 * 1024
"""A multiple of three, so that pieces of base64 join without padding."""

_MAX_PARTS = 1_000

_ADDRESS = "uri"
"""The format of a string that is an address: a file for it becomes a data URI."""


async def multipart_to_json(content_type: bytes, body: Body, schema: JsonSchema, files: SharedFiles) -> Body:
    """Translate a form: files become base64 or data URIs, other fields what their schema says. Takes `body` over.

    Raises:
        MalformedBodyError: If the body is no form.
    """
    headers = Headers(raw=[(b"content-type", content_type)])
    size = len(body.inline) if body.shared is None else body.shared.size
    try:
        parser = MultiPartParser(
            headers, _pieces(body), max_files=_MAX_PARTS, max_fields=_MAX_PARTS, max_part_size=size + 1
        )
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise MalformedBodyError(f"the form cannot be read: {getattr(error, 'message', error)}") from None
    finally:
        if body.shared is not None:
            body.shared.release()
    try:
        return await anyio.to_thread.run_sync(_write_document, form, schema, files.new())
    finally:
        await form.close()


async def _pieces(body: Body) -> AsyncGenerator[bytes, None]:
    if body.shared is None:
        yield body.inline
        return
    for piece in pieces(body.shared.descriptor, body.shared.size):
        yield piece


def _write_document(form: FormData, schema: JsonSchema, shared: SharedFile) -> Body:
    try:
        for piece in _document(form, schema):
            shared.append(piece)
    except BaseException:
        shared.release()
        raise
    return Body(b"", shared)


def _document(form: FormData, schema: JsonSchema) -> Iterator[bytes]:
    properties: dict[str, JsonSchema] = schema.get("properties", {})
    names = list(dict.fromkeys(form.keys()))
    for index, name in enumerate(names):
        yield (b"," if index else b"{") + json.dumps(name).encode() + b":"
        values = form.getlist(name)
        types = _types(properties.get(name, {}), schema)
        as_list = len(values) > 1 or ("array" in types and "string" not in types and not _is_json_list(values[0]))
        if as_list:
            items = _types(properties.get(name, {}).get("items", {}), schema)
            for position, value in enumerate(values):
                yield b"," if position else b"["
                yield from _value(value, items)
            yield b"]"
        else:
            yield from _value(values[0], types)
    yield b"}" if names else b"{}"


def _value(value: UploadFile | str, types: set[str]) -> Iterator[bytes]:
    if isinstance(value, UploadFile):
        yield b'"'
        if _ADDRESS in types:
            # A media type comes from the caller: what of it is no part of a JSON string stays away.
            media_type = re.sub(r"[^\w.+/-]", "", value.content_type or "", flags=re.ASCII) or BINARY_MEDIA_TYPE
            yield f"data:{media_type};base64,".encode()
        while chunk := value.file.read(_CHUNK_BYTES):
            yield base64.b64encode(chunk)
        yield b'"'
    else:
        # A form's charset may smuggle in lone surrogates: no UTF-8, which the operation refuses.
        yield _text(value, types).encode(errors="surrogatepass")


def _text(value: str, types: set[str]) -> str:
    """A form says everything in text: what the schema wants as a number, say, is read as JSON."""
    if "string" not in types and types:
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            pass  # stays text, and the schema's own error names the field
        else:
            return value
    return json.dumps(value)


def _is_json_list(value: UploadFile | str) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("[")


def _types(node: JsonSchema, root: JsonSchema) -> set[str]:
    """The JSON types that a schema allows, and `_ADDRESS` if it wants one; empty if it does not say."""
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        return _types(cast("dict[str, Any]", root.get("$defs", {})).get(name, {}), root)
    found: set[str] = set()
    for branch in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
        found |= _types(branch, root)
    kind = node.get("type")
    if isinstance(kind, str):
        found.add(kind)
    if node.get("format") == _ADDRESS:
        found.add(_ADDRESS)
    return found
