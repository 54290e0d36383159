"""`livepeer schema`: what a target takes and gives."""

from functools import partial

import anyio

from ._loading import load
from ._output import Output
from ._terminal import ModelOutput


def print_schema(target: str, *, openapi: bool, python: str | None, adapter: str | None) -> None:
    """Import a target, print the document that its server would answer with, and stop before it is set up.

    Args:
        target: What to describe.
        openapi: Whether to print the OpenAPI document instead of the JSON Schemas.
        python: Interpreter of the model's own virtual environment.
        adapter: Entry-point name of the adapter.

    Raises:
        CommandError: If the target cannot be imported.
    """
    with ModelOutput() as output, Output(None) as out:
        out.value(anyio.run(partial(_document, target, openapi, output, python=python, adapter=adapter)))


async def _document(
    target: str, openapi: bool, output: ModelOutput, *, python: str | None, adapter: str | None
) -> object:
    async with load(target, output, python=python, adapter=adapter) as model:
        with output.loading():
            await model.described()
        documents = model.server.documents
        return documents.openapi() if openapi else documents.schema()
