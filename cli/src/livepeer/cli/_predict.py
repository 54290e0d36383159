"""`livepeer predict`: one call of a model on this machine, exactly as its server would answer it."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import anyio

from livepeer.core import JSON_MEDIA_TYPE, Description, OperationDescription

from ._asgi import Head, post, problem_line
from ._errors import CommandError, UsageError
from ._inputs import Inputs
from ._loading import load
from ._output import Output
from ._terminal import ModelOutput


def predict(
    target: str,
    items: Sequence[str],
    *,
    output_path: Path | None,
    route: str,
    python: str | None,
    adapter: str | None,
) -> None:
    """Load a target, run one of its operations once, and print the answer.

    Args:
        target: What to run.
        items: What `-i` said.
        output_path: Where the answer goes; None for standard output.
        route: The operation's path.
        python: Interpreter of the model's own virtual environment.
        adapter: Entry-point name of the adapter.

    Raises:
        UsageError: If the inputs cannot be read, or there is no such operation.
        CommandError: If the model does not load, or the call fails.
    """
    inputs = Inputs(items)
    with ModelOutput() as model_output, Output(output_path) as output:
        anyio.run(partial(_predict, target, inputs, model_output, output, route, python=python, adapter=adapter))


async def _predict(
    target: str,
    inputs: Inputs,
    model_output: ModelOutput,
    output: Output,
    route: str,
    *,
    python: str | None,
    adapter: str | None,
) -> None:
    async with load(target, model_output, python=python, adapter=adapter) as model:
        with model_output.loading():
            operation = _find(await model.described(), route)
            output.check(operation.output_media_type)
            body = json.dumps(inputs.document(operation.input_schema)).encode()
            await model.ready()
        answer = _Answer(output, model_output)
        await post(model.server, operation.path, body, on_chunk=answer.take)
        answer.finish()


def _find(description: Description, route: str) -> OperationDescription:
    """The operation at a route; `predict` always names the first, as it does at a server."""
    path = "/" + route.strip("/")
    for operation in description.operations:
        if operation.path == path:
            return operation
    if not description.operations:
        raise UsageError(f"{description.info.name} is live and has no operations: try `livepeer live`")
    if path == "/predict":
        return description.operations[0]
    known = ", ".join(operation.path.lstrip("/") for operation in description.operations)
    raise UsageError(f"there is no operation at {route}; there is {known}")


class _Answer:
    """Prints an answer: events as they come, anything else when it is whole."""

    def __init__(self, output: Output, model_output: ModelOutput) -> None:
        self._output = output
        self._model_output = model_output
        self._head = Head(status=500, media_type="")
        self._body = bytearray()
        self._event: str | None = None
        self._data = b""
        self._error: str | None = None

    def take(self, head: Head, chunk: bytes) -> None:
        self._head = head
        self._body += chunk
        if head.streams:
            for line in self._lines():
                self._take_line(line)

    def finish(self) -> None:
        """Print what is left.

        Raises:
            CommandError: If the call failed.
        """
        if self._error is not None:
            raise CommandError(self._error)
        if self._head.status >= 400:
            raise CommandError(problem_line(bytes(self._body)))
        if not self._head.streams:
            self._output.value(_decoded(bytes(self._body), self._head.media_type))

    def _lines(self) -> Iterator[bytes]:
        *lines, rest = bytes(self._body).split(b"\n")
        self._body = bytearray(rest)
        yield from lines

    def _take_line(self, line: bytes) -> None:
        if line.startswith(b"event: "):
            self._event = line[7:].decode()
        elif line.startswith(b"data: "):
            self._data += line[6:]  # long JSON goes over several lines, and joins without a newline
        elif not line:
            self._dispatch()

    def _dispatch(self) -> None:
        event, data = self._event, self._data
        self._event, self._data = None, b""
        if not data or data == b"[DONE]":
            return
        content = json.loads(data)
        if event is None:
            self._output.item(content)
        elif event == "error":
            self._error = problem_line(json.dumps(content["error"]).encode())
        elif event == "progress":
            self._output.end_text()
            self._model_output.show(f"{content['progress']:4.0%} {content['message']}")


def _decoded(body: bytes, media_type: str) -> object:
    if media_type == JSON_MEDIA_TYPE:
        return json.loads(body)
    return body.decode("utf-8", "replace") if media_type.startswith("text/") else body
