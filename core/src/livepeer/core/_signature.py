"""A function's signature, read once: the input's model, the answer's schema, and how to call it."""

import functools
import inspect
import types
import typing
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import Base64Encoder, BaseModel, ConfigDict, EncodedBytes, Field, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUndefinedAnnotation
from pydantic.types import Base64UrlEncoder

from ._call import Call
from ._description import BINARY_MEDIA_TYPE, JSON_MEDIA_TYPE, JsonSchema
from ._errors import SignatureError
from ._json_schema import NoJsonFormError, input_schema, output_schema

_ITERATORS = (Iterator, Generator, AsyncIterator, AsyncGenerator, Iterable, AsyncIterable)
_YIELDING = (Iterator, Generator, AsyncIterator, AsyncGenerator)
_BASE64 = (Base64Encoder, Base64UrlEncoder)
_GENERATED_CONFIG = ConfigDict(
    extra="forbid", val_json_bytes="base64", ser_json_bytes="base64", protected_namespaces=()
)


@dataclass(frozen=True)
class MediaType:
    """Declares the media type of a bytes or file answer: `-> Annotated[bytes, MediaType("image/png")]`."""

    value: str


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What a function answers with."""

    schema: JsonSchema
    """JSON Schema of the answer, or of one item."""

    media_type: str | None
    """Declared, or known from the type; None if only the value will tell."""

    streams: bool


class Signature:
    """What a function takes and returns.

    One parameter annotated with a model is the whole body; any others become the fields of a
    generated model. A parameter annotated `Call` gets the call and is no part of the input.

    Raises:
        SignatureError: If a parameter has no JSON form; the message names it.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = getattr(function, "__qualname__", type(function).__name__)
        code = _code_of(function)
        hints = self._hints(code)
        parameters = [self._checked(parameter) for parameter in self._parameters(function)]
        self._call_name = next((p.name for p in parameters if hints.get(p.name) is Call), None)
        inputs = [p for p in parameters if p.name != self._call_name]
        self._positional = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        whole = self._whole_body(inputs, hints)
        self._whole_name = inputs[0].name if whole else None
        self._aliases: dict[str, str] = {}
        self.model: type[BaseModel] = whole or self._generate(inputs, hints)
        self.input_schema = self._input_schema(inputs, hints)
        self.is_async = inspect.iscoroutinefunction(code) or inspect.isasyncgenfunction(code)
        self.returned = self._returned(code, hints.get("return", Any))
        self.bind = self._binder()

    def _parameters(self, function: Callable[..., Any]) -> list[inspect.Parameter]:
        try:
            return list(inspect.signature(function).parameters.values())
        except (ValueError, TypeError) as error:
            raise SignatureError(f"{self._name} has no signature to read: {error}") from error

    def _checked(self, parameter: inspect.Parameter) -> inspect.Parameter:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            self._refuse(parameter.name, f"{stars}{parameter.name} has no schema; name each parameter")
        return parameter

    def _hints(self, code: Callable[..., Any]) -> dict[str, Any]:
        try:
            return typing.get_type_hints(code, include_extras=True)
        except (NameError, AttributeError, TypeError, SyntaxError) as error:
            for name, annotation in inspect.get_annotations(code).items():
                one = types.FunctionType((lambda: None).__code__, getattr(inspect.unwrap(code), "__globals__", {}))
                one.__annotations__ = {name: annotation}
                try:
                    typing.get_type_hints(one)
                except (NameError, AttributeError, TypeError, SyntaxError) as found:
                    self._refuse(name, f"its annotation {annotation!r} cannot be resolved: {found}", found)
            raise SignatureError(f"{self._name} has an annotation that cannot be resolved: {error}") from error

    def _whole_body(self, inputs: list[inspect.Parameter], hints: dict[str, Any]) -> type[BaseModel] | None:
        if len(inputs) != 1:
            return None
        annotation = hints.get(inputs[0].name)
        return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None

    def _generate(self, inputs: list[inspect.Parameter], hints: dict[str, Any]) -> type[BaseModel]:
        fields: dict[str, Any] = {}
        for parameter in inputs:
            annotation = _decoded_once(hints.get(parameter.name, Any))
            default = ... if parameter.default is parameter.empty else parameter.default
            name = parameter.name
            if name.startswith("_") or hasattr(BaseModel, name):
                name = f"field_{name.strip('_')}"
                alias = Field(alias=parameter.name, title=parameter.name.strip("_").replace("_", " ").title())
                annotation = Annotated[annotation, alias]
            self._aliases[name] = parameter.name
            fields[name] = (annotation, default)
            self._check_one(parameter.name, annotation, default)
        return create_model("Input", __config__=_GENERATED_CONFIG, **fields)

    def _check_one(self, name: str, annotation: Any, default: Any) -> None:
        try:
            field: dict[str, Any] = {"value": (annotation, default)}
            input_schema(create_model("Input", __config__=_GENERATED_CONFIG, **field))
        except NoJsonFormError as error:
            self._refuse(name, str(error), error)
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation) as error:
            self._refuse(name, f"{_short(annotation)} has no JSON form", error)

    def _input_schema(self, inputs: list[inspect.Parameter], hints: dict[str, Any]) -> JsonSchema:
        try:
            return input_schema(self.model)
        except (NoJsonFormError, PydanticInvalidForJsonSchema) as error:
            self._refuse(self._whole_name or inputs[0].name, f"{self.model.__name__} has no JSON form: {error}", error)

    def _returned(self, code: Callable[..., Any], annotation: Any) -> Returned:
        yields = inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code)
        origin = typing.get_origin(annotation) or annotation
        streams = yields or origin in _YIELDING
        if streams and origin in _ITERATORS:
            annotation = (typing.get_args(annotation) or (Any,))[0]
        media_type = _media_type(annotation)
        try:
            schema = output_schema(_bare(annotation), media_type)
        except (NoJsonFormError, PydanticSchemaGenerationError, PydanticInvalidForJsonSchema) as error:
            self._refuse("return", f"{_short(annotation)} has no JSON form; annotate what it answers with", error)
        return Returned(schema=schema, media_type=JSON_MEDIA_TYPE if streams else media_type, streams=streams)

    def _binder(self) -> Callable[[Callable[..., Any], BaseModel, Call], Any]:
        call_name, whole = self._call_name, self._whole_name
        if whole is not None and call_name is None and whole not in self._positional:
            return lambda function, value, call: function(**{whole: value})
        aliases, positional = self._aliases, self._positional

        def bind(function: Callable[..., Any], value: BaseModel, call: Call) -> Any:
            if whole is not None:
                given: dict[str, Any] = {whole: value}
            else:
                held = value.__dict__
                given = {parameter: held[name] for name, parameter in aliases.items()}
            if call_name is not None:
                given[call_name] = call
            if not positional:
                return function(**given)
            return function(*[given.pop(name) for name in positional], **given)

        return bind

    def _refuse(self, parameter: str, reason: str, cause: Exception | None = None) -> NoReturn:
        where = "the answer" if parameter == "return" else f"parameter {parameter!r}"
        raise SignatureError(f"{self._name}, {where}: {reason}") from cause


def _code_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that holds the code and the annotations: through partials, decorators and `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function):
        function = type(function).__call__
    return inspect.unwrap(function)


def _media_type(annotation: Any) -> str | None:
    declared = [item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, MediaType)]
    if declared:
        return declared[-1].value
    bare = _bare(annotation)
    if bare in (bytes, bytearray, memoryview):
        return BINARY_MEDIA_TYPE
    return None if bare in (Any, Path) else JSON_MEDIA_TYPE


def _decoded_once(annotation: Any) -> Any:
    """`Base64Bytes` as plain bytes, at any depth: the generated model's own setting decodes them."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is Annotated:
        base, *metadata = arguments
        kept = [item for item in metadata if not isinstance(item, EncodedBytes) or item.encoder not in _BASE64]
        base = _decoded_once(base)
        return Annotated[base, *kept] if kept else base
    decoded = tuple(_decoded_once(argument) for argument in arguments)
    if decoded == arguments:
        return annotation
    origin = typing.get_origin(annotation)
    return typing.Union[decoded] if origin in (types.UnionType, typing.Union) else origin[decoded]  # noqa: UP007


def _bare(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


def _short(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation)
