"""How an object of this process gets into the host's: by its name where it has one, else pickled.

A class or a function is named by its module, or by its file if it stands in the script that runs. An
instance is pickled before `setup()`, when it holds its arguments and no weights.
"""

import inspect
import io
import pickle
import sys
from pathlib import Path
from typing import Any, cast

from livepeer.core import Target, TargetError

CARRIED_SUFFIX = ".livepeer-pipeline"


def carry(pipeline: Any, directory: Path) -> str:
    """A target that names `pipeline` for another process on this machine.

    Args:
        pipeline: A class, a function or an instance.
        directory: Where to write what has no name; must outlive the host.

    Raises:
        TargetError: If it can neither be named nor pickled; says what to change.
    """
    if isinstance(pipeline, str):
        return pipeline
    if isinstance(pipeline, type) or inspect.isroutine(pipeline):
        return _named(pipeline)
    return _pickled(pipeline, directory)


def load_carried(path: Path) -> Any:
    """The instance that `carry` wrote.

    Raises:
        TargetError: If its class cannot be found here.
    """
    main, _, content = path.read_bytes().partition(b"\n")
    try:
        return _Unpickler(content, main.decode()).load()
    except TargetError:
        raise
    except Exception as error:
        # Somebody's own __setstate__ runs here.
        raise TargetError(f"the instance cannot be made again: {type(error).__name__}: {error}") from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, main: str) -> None:
        super().__init__(io.BytesIO(content))
        self._main = main

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name == "__main__" and self._main:
            return Target.parse(f"{self._main}:{global_name}").load()
        return super().find_class(module_name, global_name)


def _named(pipeline: Any) -> str:
    qualname: str = pipeline.__qualname__
    if "<" in qualname:
        raise TargetError(
            f"{qualname} has no name that another process could find; define it at the top of a module, "
            "or serve it with worker='inline'"
        )
    if pipeline.__module__ != "__main__":
        return f"{pipeline.__module__}:{qualname}"
    return f"{_main_file(qualname)}:{qualname}"


def _pickled(pipeline: Any, directory: Path) -> str:
    cls = cast("type[Any]", type(pipeline))
    main = str(_main_file(cls.__qualname__)) if cls.__module__ == "__main__" else ""
    try:
        content = pickle.dumps(pipeline)
    except Exception as error:
        # Somebody's own __reduce__ runs here.
        raise TargetError(
            f"this {cls.__name__} cannot be carried to the host's process ({error}); move what cannot be pickled "
            "into setup(), or serve it with worker='inline'"
        ) from error
    path = directory / f"{cls.__name__}{CARRIED_SUFFIX}"
    path.write_bytes(main.encode() + b"\n" + content)
    return str(path)


def _main_file(what: str) -> Path:
    file = getattr(sys.modules["__main__"], "__file__", None)
    if file is None:
        raise TargetError(f"{what} was typed into an interpreter; put it into a file, or serve it with worker='inline'")
    return Path(file).resolve()
