"""What BentoML reads from the environment when it is imported, and what a service asks to find there.

Nothing of BentoML is imported here: all of this comes before it.
"""

import ast
import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from livepeer.core import TargetError

HOME = "BENTOML_HOME"
RESULT_STORE = "BENTOML_RESULT_STORE"
DO_NOT_TRACK = "BENTOML_DO_NOT_TRACK"
REPLICA = "LIVEPEER_REPLICA"
"""Set where this process is one of several that serve the same service: its number, from 0 on."""

_TASKS = "livepeer-bentoml-tasks-"
_HOME_FOLDERS = ("bentos", "models", "envs", "tmp")
"""What BentoML makes in its home when it loads anything."""


class Variable(Protocol):
    """A variable as a bentofile or a decorator names it: `name`, and `value`, empty if it has to be set."""

    @property
    def name(self) -> str:
        """Of the variable."""
        ...

    @property
    def value(self) -> str:
        """What it is where it is not set; ``""`` if it must be."""
        ...

    @property
    def stage(self) -> str:
        """``build``, ``runtime`` or ``all``."""
        ...


def prepare() -> None:
    """Set what BentoML reads once and for all: no tracking, a home that can be written to, a task database of its own.

    Whatever the user has set stays. Safe to call more than once.
    """
    # BentoML takes "true" alone for an answer.
    os.environ.setdefault(DO_NOT_TRACK, "True")
    if not _is_usable(home_folder()):
        os.environ[HOME] = _temporary_home(home_folder())
    if RESULT_STORE not in os.environ or _is_of_another_process(os.environ[RESULT_STORE]):
        os.environ[RESULT_STORE] = str(Path(_temporary_folder(f"{_TASKS}{os.getpid()}-")) / "task_result.db")


def home_folder() -> Path:
    """BentoML's home: its stores of bentos and models."""
    return Path(os.path.expandvars(os.environ.get(HOME) or "~/bentoml")).expanduser()


def worker_index() -> int:
    """Which of the processes that serve a service this is, from 1 on, as BentoML counts them."""
    number = os.environ.get(REPLICA, "")
    return int(number) + 1 if number.isdecimal() else 1


class Exports:
    """Variables that a service asks for, in the environment for as long as it is served."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def add(self, values: Mapping[str, str]) -> None:
        """Set what is not set; what was set here before gets the later value."""
        for name, value in values.items():
            if name in self._names or name not in os.environ:
                os.environ[name] = value
                self._names.add(name)

    def remove(self) -> None:
        """Undo it."""
        for name in self._names:
            os.environ.pop(name, None)
        self._names.clear()


def values_of(variables: Iterable[Variable]) -> dict[str, str]:
    """The variables that have a value, less those of the build."""
    return {variable.name: variable.value for variable in _of_runtime(variables) if variable.value}


def check_required(variables: Iterable[Variable], where: str) -> None:
    """Make sure that what has no value of its own is set.

    Args:
        variables: What is asked for.
        where: Who asks, for the message.

    Raises:
        TargetError: If some are not; names them all.
    """
    needed = (variable.name for variable in _of_runtime(variables) if not variable.value)
    missing = [name for name in dict.fromkeys(needed) if name not in os.environ]
    if missing:
        raise TargetError(f"{where}: set {', '.join(missing)} in the environment; there is no value for it in envs")


def declared_values(source: str) -> dict[str, str]:
    """What the decorators in a file give as `envs`, by name.

    BentoML imports a service once to read them, and again in a process that has them set. Here it is imported once, so
    they are read from the text first; one that is no literal is set as soon as the service is imported.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}  # importing it will say what is wrong
    found: dict[str, str] = {}
    for variable in (each for node in ast.walk(tree) if isinstance(node, ast.Call) for each in _envs_of(node)):
        match variable:
            case {"stage": "build"}:
                pass
            case {"name": str(name), "value": str(value)} if value:
                found.setdefault(name, value)
            case _:
                pass
    return found


def _envs_of(call: ast.Call) -> Iterator[Any]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name != "service":
        return
    for keyword in call.keywords:
        if keyword.arg == "envs" and isinstance(keyword.value, ast.List):
            for item in keyword.value.elts:
                try:
                    yield ast.literal_eval(item)
                except ValueError:
                    continue


def _of_runtime(variables: Iterable[Variable]) -> Iterator[Variable]:
    return (variable for variable in variables if variable.stage != "build")


def _is_usable(home: Path) -> bool:
    """Whether BentoML can work there: a home that cannot be written to is one if it is complete."""
    try:
        for name in _HOME_FOLDERS:
            (home / name).mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def _is_of_another_process(store: str) -> bool:
    """Whether it is one that was made here and inherited: a process that starts empties it."""
    folder = Path(store).parent.name
    return folder.startswith(_TASKS) and not folder.startswith(f"{_TASKS}{os.getpid()}-")


def _temporary_home(home: Path) -> str:
    """A home that can be written to, with the bentos and models of the one that cannot."""
    folder = Path(_temporary_folder("livepeer-bentoml-home-"))
    for name in ("bentos", "models"):
        if (home / name).is_dir():
            (folder / name).symlink_to((home / name).resolve())
    return str(folder)


def _temporary_folder(prefix: str) -> str:
    folder = tempfile.mkdtemp(prefix=prefix)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
