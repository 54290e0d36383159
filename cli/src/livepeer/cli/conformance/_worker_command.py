"""`livepeer conformance worker`: the clauses against one running worker."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import anyio

from livepeer.cli._errors import CommandError, UsageError
from livepeer.conformance import Worker, WorkerError, check_worker

from ._report import progress, report


def check_clauses(
    url: str,
    *,
    token: str | None,
    input: str | None,
    slow_input: str | None,
    only: Sequence[str],
    as_json: bool,
) -> None:
    """Check a worker, and print what came of each clause.

    Args:
        url: The worker.
        token: The bearer token that its calls need; None if they need none.
        input: A JSON object that the default operation takes; None to make one from the schema.
        slow_input: One that keeps the default operation at work for some seconds; None if there is none.
        only: Ids of the clauses to check; empty for all.
        as_json: Whether to print JSON.

    Raises:
        UsageError: If an input is no JSON object, or a clause is none.
        CommandError: If the worker cannot be asked at all.
        typer.Exit: With 1, if a clause does not hold.
    """
    worker = Worker(
        url=url.rstrip("/"),
        token=token,
        input=_document("--input", input),
        slow_input=_document("--slow-input", slow_input),
    )
    try:
        with progress() as on_result:
            results = anyio.run(partial(check_worker, worker, only=only, on_result=on_result))
    except WorkerError as error:
        raise CommandError(str(error)) from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    report(results, as_json=as_json)


def _document(option: str, text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found: object = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{option} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{option} is no JSON object")
    return cast("dict[str, Any]", found)
