"""What a predict declares: its parameters with their defaults, and what it returns."""

import ast
import inspect
import linecache
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from livepeer.core import TargetError

from . import _sdk

_UNRESOLVED = (AttributeError, NameError, SyntaxError, TypeError)
"""What an annotation raises that means nothing at run time: it is imported for type checkers alone, say."""

MISSING: Any = inspect.Parameter.empty
"""No default, no annotation."""


@dataclass(frozen=True, kw_only=True)
class DeclaredParameter:
    """One parameter, as the source has it."""

    name: str
    annotation: Any
    """Resolved; `MISSING` if there is none."""

    default: Any
    """Without Cog's wrapping; `MISSING` if there is none."""

    field: Any
    """Cog's `FieldInfo`, None for a plain default."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a predict takes and gives."""

    parameters: tuple[DeclaredParameter, ...]
    returned: Any
    """The annotation; `MISSING` if there is none."""


_DECLARATIONS: WeakKeyDictionary[Callable[..., Any], Declaration] = WeakKeyDictionary()
"""Of functions whose defaults have been unwrapped: what they declare can be read only once."""


def declare(predict: Callable[..., Any]) -> Declaration:
    """Read what a predict declares, and unwrap its defaults.

    Cog does the same: `Input(default=3)` is an object that describes the parameter, and a model that calls its own
    `predict()` to warm up, as many do in `setup()`, must see 3. So this is the one thing of a model that is changed.
    For a call from outside every argument is given anyway.

    Args:
        predict: A function, or a bound method.

    Raises:
        TargetError: If an annotation cannot be resolved, or an input not be given by its name; names the parameter.
    """
    function = inspect.unwrap(getattr(predict, "__func__", predict))
    known = _DECLARATIONS.get(function)
    if known is None:
        known = _DECLARATIONS[function] = _read(predict, function)
        _unwrap_defaults(function)
    return known


def uses_input(function: Callable[..., Any]) -> bool:
    """Whether a function has an `Input()` for a default."""
    function = inspect.unwrap(function)
    known = _DECLARATIONS.get(function)
    if known is not None:
        return any(parameter.field is not None for parameter in known.parameters)
    parameters = inspect.signature(function).parameters.values()
    return any(isinstance(parameter.default, _sdk.FieldInfo) for parameter in parameters)


def _read(predict: Callable[..., Any], function: Callable[..., Any]) -> Declaration:
    try:
        signature = inspect.signature(predict)
    except ValueError as error:
        raise TargetError(f"{function.__qualname__} has no signature to read its inputs from") from error
    hints = resolve_annotations(function)
    given = _defaults_in_source(function)
    named = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    for parameter in named:
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TargetError(f"{function.__qualname__}: input {parameter.name!r} cannot be given by its name")
        if isinstance(hints.get(parameter.name), _UNRESOLVED):
            raise TargetError(f"{function.__qualname__}: input {parameter.name!r}: {hints[parameter.name]}")
    returned = hints.get("return", MISSING)
    return Declaration(
        parameters=tuple(_parameter(parameter, hints, given) for parameter in named),
        returned=Any if isinstance(returned, _UNRESOLVED) else returned,
    )


def _parameter(parameter: inspect.Parameter, hints: Mapping[str, Any], given: frozenset[str]) -> DeclaredParameter:
    default, field = parameter.default, None
    if isinstance(default, _sdk.FieldInfo):
        field = default
        # `Input()` and `Input(default=None)` make the same object, and only one of them may be left out.
        default = MISSING if field.default is None and parameter.name not in given else field.default
    annotation = hints.get(parameter.name, MISSING)
    return DeclaredParameter(name=parameter.name, annotation=annotation, default=default, field=field)


def resolve_annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations; the error for each that means nothing at run time."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except _UNRESOLVED:
        return {name: _resolve_one(function, name) for name in function.__annotations__}


def _resolve_one(function: Callable[..., Any], name: str) -> Any:
    alone = types.SimpleNamespace(__annotations__={name: function.__annotations__[name]})
    try:
        return typing.get_type_hints(alone, function.__globals__, include_extras=True)[name]
    except _UNRESOLVED as error:
        return error


def _defaults_in_source(function: Callable[..., Any]) -> frozenset[str]:
    """The parameters that call `Input` with a default, as the source says; none if there is no source."""
    code = getattr(function, "__code__", None)
    if code is None:
        return frozenset()
    try:
        module = ast.parse("".join(linecache.getlines(code.co_filename, function.__globals__)))
    except SyntaxError:
        return frozenset()
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _begins_at(node) == code.co_firstlineno:
            return frozenset(name for name, default in _defaults_of(node.args) if _has_default(default))
    return frozenset()


def _begins_at(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _defaults_of(arguments: ast.arguments) -> list[tuple[str, ast.expr | None]]:
    positional = arguments.posonlyargs + arguments.args
    last = positional[len(positional) - len(arguments.defaults) :]
    found: list[tuple[str, ast.expr | None]] = [
        (argument.arg, default) for argument, default in zip(last, arguments.defaults, strict=True)
    ]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append((argument.arg, default))
    return found


def _has_default(default: ast.expr | None) -> bool:
    return isinstance(default, ast.Call) and (
        bool(default.args) or any(keyword.arg == "default" for keyword in default.keywords)
    )


def _unwrap_defaults(function: Callable[..., Any]) -> None:
    if isinstance(function, types.FunctionType):
        if function.__defaults__:
            function.__defaults__ = tuple(_unwrapped(default) for default in function.__defaults__)
        if function.__kwdefaults__:
            function.__kwdefaults__ = {name: _unwrapped(each) for name, each in function.__kwdefaults__.items()}


def _unwrapped(default: Any) -> Any:
    return default.default if isinstance(default, _sdk.FieldInfo) else default
