"""Importing the module that a model is in, as Cog does."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from livepeer.core import TargetError

from ._project import Project


def import_module(project: Project) -> ModuleType:
    """The module that a project's model is in, imported once.

    Raises:
        TargetError: If importing it fails; the cause is chained.
    """
    if project.module is not None:
        with _import_errors(project.module):
            return importlib.import_module(project.module)
    assert project.file is not None
    if not project.file.is_file():
        raise TargetError(f"there is no file {project.reference.partition(':')[0]!r} in {project.root}")
    return _import_file(project.file)


def _import_file(path: Path) -> ModuleType:
    name = path.stem
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    if loaded is not None:
        # Two models of one process may both be called predict.py.
        name = f"{name}_{hashlib.sha256(bytes(path)).hexdigest()[:8]}"
        if name in sys.modules:
            return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    # Before it runs: pickle and dataclasses look their module up by name.
    sys.modules[name] = module
    try:
        with _import_errors(path.name):
            spec.loader.exec_module(module)
    except TargetError:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _import_errors(what: str) -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Somebody's module runs here: anything, SystemExit too, means that it cannot be served.
        raise TargetError(f"importing {what} failed: {type(error).__name__}: {error}") from error
