"""Targets, looked at before any process is started for them."""

import importlib.util
from importlib.machinery import PathFinder
from pathlib import Path

from livepeer.core import Target, TargetError

from ._errors import CommandError


def check_target(text: str, *, python: str | None) -> Target:
    """Take a target apart, and refuse what nothing could load. Nothing of it is imported.

    Args:
        text: What to serve.
        python: Interpreter of another virtual environment; its modules are not known here.

    Raises:
        CommandError: If there is no such file, directory or module.
    """
    try:
        target = Target.parse(text)
    except TargetError as error:
        raise CommandError(str(error)) from error
    if target.module is not None and python is None:
        package = target.module.partition(".")[0]
        if PathFinder.find_spec(package, [str(Path.cwd())]) is None and importlib.util.find_spec(package) is None:
            raise CommandError(f"{text!r}: there is neither a file, a directory nor a module {package!r}")
    return target
