"""The object in a module that predicts."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast, get_args

from livepeer.core import TargetError

from . import _sdk
from ._declaration import resolve_annotations, uses_input

_METHODS = ("run", "predict")
_UNNAMED = ("Runner", "Predictor")
"""What Cog looks for in a file when the reference names nothing."""


@dataclass(frozen=True, kw_only=True)
class Handler:
    """What predicts."""

    name: str
    model: Any
    """The object with `setup()` and `healthcheck()`; None for a function."""

    predict: Callable[..., Any]
    doc: str
    """What it says of itself, empty if nothing."""


def find_handler(module: ModuleType, attribute: str | None) -> Handler:
    """The model in a module; a class is instantiated.

    Raises:
        TargetError: If there is none, or it has not exactly one of `run()` and `predict()`.
    """
    name = attribute or _unnamed(module)
    found = _get(module, name)
    if inspect.isroutine(found):
        return Handler(name=name, model=None, predict=found, doc=_own_doc(found))
    kind: type[Any] = found if isinstance(found, type) else type(found)
    method = _own_method(kind)
    if isinstance(found, type):
        try:
            found = found()
        except Exception as error:
            raise TargetError(f"{name}() failed: {type(error).__name__}: {error}") from error
    predict = getattr(found, method)
    return Handler(name=name, model=found, predict=predict, doc=_own_doc(kind) or _own_doc(predict))


def is_cog_model(module: ModuleType, attribute: str | None) -> bool:
    """Whether what a module has by this name is written for Cog.

    Raises:
        TargetError: If it has nothing by this name.
    """
    if attribute is not None:
        return _uses_cog(_get(module, attribute))
    return any(_uses_cog(getattr(module, name, None)) for name in _UNNAMED)


def _unnamed(module: ModuleType) -> str:
    for name in _UNNAMED:
        found = getattr(module, name, None)
        if inspect.isroutine(found) or (isinstance(found, type) and _own_methods(cast("type[Any]", found))):
            return name
    raise TargetError(f"{module.__name__} has no {' and no '.join(_UNNAMED)}; name the model: FILE.py:NAME")


def _get(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise TargetError(f"{module.__name__} has no attribute {name!r}") from None
    return found


def _own_doc(found: Any) -> str:
    """Not one that it inherits: that would be Cog's."""
    return inspect.cleandoc(found.__doc__ or "")


def _own_method(kind: type[Any]) -> str:
    methods = _own_methods(kind)
    if len(methods) == 2:
        raise TargetError(f"{kind.__name__} defines both run() and predict(): keep one")
    if not methods:
        raise TargetError(f"{kind.__name__} defines neither run() nor predict()")
    return methods[0]


def _own_methods(kind: type[Any]) -> list[str]:
    """Which of the two a class defines; Cog's own base classes have both, and what comes after them is not asked."""
    found: set[str] = set()
    for owner in kind.__mro__:
        if owner in _sdk.BASES or owner is object:
            break
        found |= {name for name in _METHODS if callable(vars(owner).get(name))}
    return [name for name in _METHODS if name in found]


def _uses_cog(found: Any) -> bool:
    if inspect.isfunction(found):
        return _function_uses_cog(found)
    kind: type[Any] = found if isinstance(found, type) else type(found)
    if any(_is_native(owner) for owner in kind.__mro__):
        return False
    if not _sdk.BASES.isdisjoint(kind.__mro__[1:]):
        return True
    methods = (getattr(kind, name, None) for name in (*_METHODS, "setup"))
    return any(inspect.isfunction(method) and _function_uses_cog(method) for method in methods)


def _is_native(owner: type) -> bool:
    """Whether this is the base of native pipelines, whose own adapter serves them."""
    return owner.__module__.split(".")[:2] == ["livepeer", "runner"]


def _function_uses_cog(function: Callable[..., Any]) -> bool:
    return uses_input(function) or any(_is_of_cog(each) for each in resolve_annotations(function).values())


def _is_of_cog(annotation: Any) -> bool:
    if getattr(annotation, "__module__", "").partition(".")[0] == "cog":
        return True
    return any(_is_of_cog(argument) for argument in get_args(annotation))
