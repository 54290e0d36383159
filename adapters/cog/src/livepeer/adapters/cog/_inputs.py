"""The inputs of a model: what a document must be, and what is made of it."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import jsonschema_rs

from livepeer.core import FieldError, InvalidInputError, JsonSchema

from ._declaration import Declaration
from ._downloads import URL_PATTERN, Downloads
from ._parameters import Parameter, cog_schema_of, make_parameter, schema_of, shape_of

logger = logging.getLogger("livepeer.adapters.cog")

_MOST_ERRORS = 100
_MOST_CHARACTERS = 500
"""Of one reason: Cog's words repeat the value, which may be a picture."""


class Inputs:
    """All inputs of a model.

    Args:
        declaration: What its predict declares.
        where: What to call it in errors.

    Raises:
        TargetError: If an input has no form on the wire; names it.
    """

    def __init__(self, declaration: Declaration, where: str) -> None:
        self.parameters = tuple(
            make_parameter(order, declared, where) for order, declared in enumerate(declaration.parameters)
        )
        self._by_name = {parameter.name: parameter for parameter in self.parameters}
        self.schema: JsonSchema = _object(
            {parameter.name: schema_of(parameter) for parameter in self.parameters},
            [parameter.name for parameter in self.parameters if parameter.required],
        )
        """JSON Schema (2020-12) of the document."""

        self.cog_schema: JsonSchema = _object(
            {parameter.name: cog_schema_of(parameter) for parameter in self.parameters},
            [parameter.name for parameter in self.parameters if parameter.cog_required],
        )
        """The same as `cog build` writes it: OpenAPI 3.0, choices in components of their own."""

        self.cog_choices: dict[str, JsonSchema] = {
            parameter.name: parameter.choices for parameter in self.parameters if parameter.choices is not None
        }
        """Those components, by name."""

        self._validator = _validator(self.parameters)

    def check(self, document: Any) -> dict[str, Any]:
        """The inputs that a document gives, as JSON values. Nothing is downloaded.

        What the model does not take is left out, as Cog does.

        Raises:
            InvalidInputError: If one does not fit; names each, in Cog's own words.
        """
        if not isinstance(document, dict):
            raise self._error(document)
        given = cast("dict[str, Any]", document)
        found = {name: given[name] for name in self._by_name if name in given}
        # Null is an input left out, wherever that is allowed: Cog's validator knows no null.
        present = {
            name: value for name, value in found.items() if value is not None or not self._by_name[name].type.nullable
        }
        if not self._validator.is_valid(present):
            raise self._error(present)
        return found

    def has_files(self, inputs: Mapping[str, Any]) -> bool:
        """Whether some of the inputs are files, so that it takes time to `bind()` them."""
        return any(self._by_name[name].type.is_file and value is not None for name, value in inputs.items())

    def bind(self, inputs: Mapping[str, Any], downloads: Downloads) -> dict[str, Any]:
        """The arguments of predict, every one of them, for inputs that have been checked.

        Raises:
            FetchError: If a file cannot be had.
            CallCancelledError: If the prediction was cancelled meanwhile.
        """
        arguments: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name not in inputs:
                arguments[parameter.name] = parameter.default
                continue
            value = inputs[parameter.name]
            convert = parameter.type.convert
            arguments[parameter.name] = value if convert is None or value is None else convert(value, downloads)
        return arguments

    def _error(self, document: Any) -> InvalidInputError:
        errors: list[FieldError] = []
        for error in self._validator.iter_errors(document):
            errors.append(self._field_error(error))
            if len(errors) == _MOST_ERRORS:
                break
        named = "; ".join(f"{error.field or 'the document'}: {error.reason}" for error in errors[:5])
        return InvalidInputError(named, errors=errors)

    def _field_error(self, error: jsonschema_rs.ValidationError) -> FieldError:
        kind = error.kind
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
            return FieldError(field=kind.property, reason="Field required")
        field = ".".join(str(part) for part in error.instance_path)
        reason = error.message
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Pattern) and kind.pattern == URL_PATTERN:
            reason = "Must be an http(s) URL or a data URI"
        elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Enum):
            options = json.dumps(kind.options, ensure_ascii=False, separators=(",", ":"))
            reason = f"{json.dumps(error.instance, ensure_ascii=False)} is not one of {options}"
        parameter = self._by_name.get(str(error.instance_path[0])) if error.instance_path else None
        if parameter is not None and parameter.type.is_secret and isinstance(error.instance, str):
            reason = reason.replace(json.dumps(error.instance, ensure_ascii=False), '"**********"')
        if len(reason) > _MOST_CHARACTERS:
            half = _MOST_CHARACTERS // 2
            reason = f"{reason[:half]}…{reason[-half:]}"
        return FieldError(field=field, reason=reason)


def _object(properties: Mapping[str, JsonSchema], required: Sequence[str]) -> JsonSchema:
    schema: JsonSchema = {"title": "Input", "type": "object", "properties": dict(properties)}
    return {**schema, "required": list(required)} if required else schema


def _validator(parameters: Sequence[Parameter]) -> jsonschema_rs.Validator:
    """The validator that Cog itself uses, over the schema that is served, files being URLs."""
    shapes = {parameter.name: _guarded(shape_of(parameter)) for parameter in parameters}
    for name, shape in shapes.items():
        try:
            jsonschema_rs.validator_for(shape)
        except ValueError as error:
            # Cog would then check no input at all.
            logger.warning("the regex of input %r is none in JSON Schema and is not checked: %s", name, error)
            del shape["pattern"]
    schema = _object(shapes, [parameter.name for parameter in parameters if parameter.required])
    # In the order in which Cog has the keywords, so that errors are in its order.
    return jsonschema_rs.validator_for(json.loads(json.dumps(schema, sort_keys=True)))


def _guarded(schema: JsonSchema) -> JsonSchema:
    """A schema that lets in no file but by URL, and tells of a wrong choice before a wrong type, as Cog's does."""
    if schema.get("format") == "uri":
        return {**schema, "pattern": URL_PATTERN}
    if "items" in schema:
        return {**schema, "items": _guarded(schema["items"])}
    if "anyOf" in schema:
        return {**schema, "anyOf": [_guarded(variant) for variant in schema["anyOf"]]}
    if "enum" in schema:
        others = {keyword: value for keyword, value in schema.items() if keyword not in ("enum", "type")}
        return {**others, "allOf": [{"enum": schema["enum"]}, {"type": schema["type"]}]}
    return dict(schema)
