"""`livepeer manifest`: a target as an operator's file describes it."""

import sys

import yaml

from livepeer.core import TargetError, find_adapter
from livepeer.server import static_runners

from ._describing import described, registration_options
from ._errors import CommandError
from ._output import Output
from ._targets import check_target


def print_runners(
    target: str,
    *,
    app: str | None,
    image: str | None,
    capability_url: str | None,
    python: str | None,
    adapter: str | None,
) -> None:
    """Print the `runners.json` with which an operator adds a target that does not register itself.

    Args:
        target: What to add.
        app: Its ``org/name``; None for the environment's.
        image: Its container image; None for the environment's.
        capability_url: Where the orchestrator will reach it; None for the environment's.
        python: Interpreter of the model's own virtual environment.
        adapter: Entry-point name of the adapter.

    Raises:
        UsageError: If a setting does not fit.
        CommandError: If the target cannot be imported.
    """
    options = registration_options(needs_url=True, app=app, image=image, capability_url=capability_url)
    document = static_runners(described(target, python=python, adapter=adapter), options)
    with Output(None) as output:
        output.value(document)


def print_manifest(target: str, *, adapter: str | None) -> None:
    """Print a target's `livepeer.yaml`: the one that it has, or the one that its adapter makes of its build file.

    Args:
        target: What to describe. Its module may be imported here.
        adapter: Entry-point name of the adapter.

    Raises:
        CommandError: If there is none to be made.
    """
    found = check_target(target, python=None)
    try:
        manifest = find_adapter(found, adapter).manifest(found)
    except TargetError as error:
        raise CommandError(str(error)) from error
    yaml.safe_dump(manifest.model_dump(mode="json", exclude_defaults=True), sys.stdout, sort_keys=False)
