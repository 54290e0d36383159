"""A target names what to serve: `module:attribute`, a file with or without an attribute, or a directory."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ._errors import TargetError


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target, taken apart."""

    text: str
    """As it was given."""

    path: Path | None
    """The file or directory, if it names one that exists."""

    module: str | None
    """The module's dotted name, if it names a module."""

    attribute: str | None
    """The attribute's dotted name, if it names one."""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Take a target apart. Nothing is imported.

        Raises:
            TargetError: If it names neither a module nor an existing file or directory.
        """
        location, attribute = _split(text)
        path = Path(location)
        if path.exists():
            return cls(text=text, path=path.resolve(), module=None, attribute=attribute)
        if location.endswith(".py") or "/" in location:
            raise TargetError(f"{text!r}: there is no file or directory {location!r}")
        if not all(part.isidentifier() for part in location.split(".")):
            raise TargetError(f"{text!r} is neither a file, a directory nor module:attribute")
        return cls(text=text, path=None, module=location, attribute=attribute)

    @property
    def is_directory(self) -> bool:
        """Whether it names a directory, which holds a framework's own manifest."""
        return self.path is not None and self.path.is_dir()

    def load_module(self) -> ModuleType:
        """Import the module or the file, as `python FILE` would find its neighbours.

        Raises:
            TargetError: If there is no such module, or importing it fails; the cause is chained.
        """
        if self.path is not None:
            return _import_file(self.path)
        assert self.module is not None
        _ensure_on_path(Path.cwd())
        with _import_errors(self.text):
            return importlib.import_module(self.module)

    def load(self) -> Any:
        """The object that the target names.

        Raises:
            TargetError: If the module cannot be imported or lacks the attribute.
        """
        module = self.load_module()
        if self.attribute is None:
            raise TargetError(f"{self.text!r} names no attribute; write {self.text}:NAME")
        found: Any = module
        for part in self.attribute.split("."):
            try:
                found = getattr(found, part)
            except AttributeError:
                raise TargetError(f"{self.text!r}: {module.__name__} has no attribute {self.attribute!r}") from None
        return found


def _split(text: str) -> tuple[str, str | None]:
    location, colon, attribute = text.rpartition(":")
    if not colon:
        return text, None
    if not all(part.isidentifier() for part in attribute.split(".")):
        raise TargetError(f"{text!r}: {attribute!r} is no attribute's name")
    return location, attribute


def _import_file(path: Path) -> ModuleType:
    _ensure_on_path(path.parent)
    name = path.stem if path.stem.isidentifier() else "target_" + hashlib.sha256(bytes(path)).hexdigest()[:8]
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    if loaded is not None:
        name = f"{name}_{hashlib.sha256(bytes(path)).hexdigest()[:8]}"
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
        sys.modules.pop(name, None)
        raise
    return module


def _ensure_on_path(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


@contextmanager
def _import_errors(what: str) -> Generator[None]:
    try:
        yield
    except (KeyboardInterrupt, TargetError):
        raise
    except BaseException as error:
        # Somebody's module runs here: anything, SystemExit too, means that it cannot be served.
        raise TargetError(f"importing {what} failed: {type(error).__name__}: {error}") from error
