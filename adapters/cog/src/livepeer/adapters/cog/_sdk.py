"""Everything that this adapter takes from Cog's own packages; no other module imports them."""

import importlib
import importlib.metadata
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

from livepeer.core import TargetError

FLOOR = (0, 17, 0)
"""The oldest Cog that this adapter serves: the first whose inputs need no pydantic."""


def _version() -> str:
    """The installed Cog's version.

    Raises:
        TargetError: If there is none, or one that is too old.
    """
    floor = ".".join(map(str, FLOOR))
    try:
        version = importlib.metadata.version("cog")
    except importlib.metadata.PackageNotFoundError:
        raise TargetError(f"this is a Cog model, and Cog is not installed: pip install 'cog>={floor}'") from None
    if tuple(int(part) for part in version.split(".")[:2]) < FLOOR[:2]:
        raise TargetError(
            f"cog {version} is of the time when Cog was built on pydantic, which this adapter does not serve: "
            f"pip install 'cog>={floor}'"
        )
    return version


VERSION = _version()

# Untyped on purpose: what is missing in an older Cog is looked for by name.
_cog: Any = importlib.import_module("cog")
_coglet: Any = importlib.import_module("coglet")

FieldInfo: type[Any] = _cog.FieldInfo
Path: type[Any] = _cog.Path
File: type[Any] = _cog.File
Secret: type[Any] = _cog.Secret
ConcatenateIterator: type[Any] = _cog.ConcatenateIterator
AsyncConcatenateIterator: type[Any] = _cog.AsyncConcatenateIterator
CancelationException = cast("type[BaseException]", _cog.CancelationException)

BASES = frozenset[type]({getattr(_cog, "BaseRunner", _cog.BasePredictor), _cog.BasePredictor})
"""What models derive from. Both define `run()` and `predict()`, which are not the model's."""


def is_opaque(arguments: Sequence[Any]) -> bool:
    """Whether the arguments of an `Annotated` say that Cog does not look into the type; none do before Cog 0.20."""
    mark = getattr(_cog, "Opaque", None)
    return mark is not None and any(each is mark for each in arguments[1:])


class ScopeHook:
    """Has Cog's `current_scope()` give out our scopes while anybody needs it.

    Args:
        find: The scope of the code that asks; None outside of a prediction.
    """

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._users = 0
        self._native: Callable[[], Any] | None = None

    def install(self) -> None:
        """Put the hook in place; every call wants one `remove()`."""
        with self._lock:
            self._users += 1
            if self._native is None:
                # Cog looks this attribute up at every call, so that models that have imported it already see ours.
                self._native = native = _coglet._sdk.current_scope
                _coglet._sdk.current_scope = lambda: self._find() or native()

    def remove(self) -> None:
        """Put Cog's own back once nobody needs the hook any more."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                _coglet._sdk.current_scope, self._native = self._native, None
