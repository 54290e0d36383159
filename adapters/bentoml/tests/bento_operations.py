"""Operations of services of `models/`, run as a host would, in the test's own loop."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from livepeer.adapters.bentoml import _sdk
from livepeer.adapters.bentoml._native_operation import NativeOperation
from livepeer.adapters.bentoml._predict_operation import PredictOperation
from livepeer.adapters.bentoml._runtime import Runtime
from livepeer.core import Call, Encoded, InvalidInputError, Streaming

MODELS = Path(__file__).parent / "models"
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAC0lEQVR4nGNgwAQAABQAAX3+Hu4AAAAASUVORK5CYII="
)
"""A picture of 3 by 2."""


def data_uri(text: str, media_type: str = "text/plain") -> str:
    return f"data:{media_type};base64,{in_base64(text)}"


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Faces:
    """One living service."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def native(self, name: str) -> NativeOperation:
        return NativeOperation(self.runtime, name)

    def predict(self, name: str) -> PredictOperation:
        return PredictOperation(self.runtime, name)

    async def document(self, name: str, document: Any = None, *, call: Call | None = None) -> Encoded:
        """The answer of the contract's own face to a document."""
        return await answer(self.predict(name), b"" if document is None else json.dumps(document).encode(), call=call)

    async def value(self, name: str, document: Any = None) -> Any:
        return json.loads((await self.document(name, document)).body)

    async def refusal(self, name: str, document: Any) -> dict[str, str]:
        """What is wrong with the fields of a document."""
        try:
            found = await self.document(name, document)
        except InvalidInputError as error:
            return {each.field: each.reason for each in error.errors}
        raise AssertionError(f"it was taken: {found}")

    async def request(
        self,
        name: str,
        body: bytes,
        content_type: str = "application/json",
        *,
        headers: Mapping[str, str] = {},
        url: str = "",
    ) -> Encoded:
        """The answer on the api's own route."""
        operation = self.native(name)
        lines = {"content-type": content_type, **headers}
        return await answer(operation, body, call=call_with(lines, url or operation.description.path))


def call_with(headers: Mapping[str, str], url: str) -> Call:
    lines = [f":path:{url}", *(f"{name}:{value}" for name, value in headers.items())]
    return Call(headers="\n".join(lines).encode())


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, str]:
    """A form of names, file names and contents, and its content type."""
    body = b""
    for name, filename, content in parts:
        kind = "" if filename is None else f'; filename="{filename}"'
        body += f'--limit\r\ncontent-disposition: form-data; name="{name}"{kind}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--limit--\r\n", "multipart/form-data; boundary=limit"


def files_in(folder: str) -> list[Path]:
    """What is left in a temporary directory of a request."""
    return list(Path(folder).iterdir())


async def answer(operation: Any, body: bytes, *, call: Call | None = None) -> Encoded:
    value = operation.decode(body, "application/json")
    return operation.encode(await operation.invoke(value, call or Call()))


async def items(operation: Any, body: bytes = b"{}", *, call: Call | None = None) -> tuple[Streaming, list[Encoded]]:
    """The head of a stream, and its items."""
    streaming = await operation.invoke(operation.decode(body, "application/json"), call or Call())
    assert isinstance(streaming, Streaming), streaming
    return streaming, [operation.encode(item) async for item in streaming.items]


@asynccontextmanager
async def living(reference: str) -> AsyncIterator[Faces]:
    """A service of `models/`, as ``bento_unit_inputs.py:Inputs``, alive within the block."""
    runtime = Runtime(_sdk.load(reference, str(MODELS)))
    try:
        await runtime.start()
        yield Faces(runtime)
    finally:
        await runtime.stop()
