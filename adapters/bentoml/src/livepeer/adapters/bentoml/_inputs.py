"""What an api takes on the contract's own face: a JSON document, and what is made of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined, from_json

from livepeer.core import Call, FieldError, InvalidInputError, MalformedBodyError, input_error
from livepeer.fetch import FetchLimits

from . import _sdk
from ._file_places import Places
from ._files import Files
from ._outputs import field_adapter, root_adapter
from ._schemas import dialect_of

_FOREIGN_ERRORS = (TypeError, ArithmeticError, LookupError, OSError)
"""What numpy, pandas and others raise for a value that they cannot take, besides ValueError, which pydantic knows."""

_MOST_ERRORS = 100


class Unfilled(NamedTuple):
    """A document that names files, which are not there yet."""

    document: Any


class Inputs:
    """The inputs of one api.

    Args:
        spec: BentoML's model of them.
        limits: For the files that a document names.
    """

    def __init__(self, spec: type[BaseModel], limits: FetchLimits) -> None:
        self._spec = spec
        self._limits = limits
        self._places = Places(dialect_of(spec))
        self._root = root_adapter(spec) if issubclass(spec, _sdk.IORootModel) else None
        self.need_files = self._places.exist
        self.need_request = self._places.need_request

    def read(self, body: bytes) -> "BaseModel | Unfilled":
        """Check a document; an empty body is an empty one. One that may name files is only read.

        Raises:
            MalformedBodyError: If it is no JSON.
            InvalidInputError: If a field does not fit; names each.
        """
        if self.need_files:
            return Unfilled(_parse(body) if body else self._empty())
        try:
            if self._root is None:
                return self._spec.__pydantic_validator__.validate_json(body or b"{}")
            value = self._root.validate_json(body) if body else self._root.validate_python(self._empty())
        except ValidationError as error:
            raise input_error(error) from None
        except _FOREIGN_ERRORS as error:
            raise self._refusal(_parse(body), [], error) from None
        return self._spec.model_construct(root=value)

    async def fill(self, unfilled: Unfilled, files: Files) -> BaseModel:
        """Read the files of a document, and check it. Within a request, if they are saved.

        Raises:
            InvalidInputError: If a field does not fit, or its file cannot be had; names each.
            CallCancelledError: If the call was cancelled meanwhile.
        """
        holder = [unfilled.document]
        errors: list[FieldError] = []
        await files.fill(list(self._places.find(holder, errors)), errors)
        if errors:
            raise self._refusal(holder[0], errors)
        try:
            return self._validate(holder[0])
        except ValidationError as error:
            raise input_error(error) from None
        except _FOREIGN_ERRORS as error:
            raise self._refusal(holder[0], [], error) from None

    def files(self, call: Call) -> Files:
        """The files of a call that is about to begin."""
        return Files(self._limits, call)

    def _validate(self, document: Any) -> BaseModel:
        if self._root is None:
            return self._spec.__pydantic_validator__.validate_python(document)
        return self._spec.model_construct(root=self._root.validate_python(document))

    def _empty(self) -> Any:
        """What an empty body says."""
        if self._root is None:
            return {}
        default = self._spec.model_fields["root"].get_default(call_default_factory=True)
        return {} if default is PydanticUndefined else default

    def _refusal(self, document: Any, known: list[FieldError], cause: Exception | None = None) -> Exception:
        """Everything that is wrong with a document, of which something is known, or cannot be told in one go.

        Args:
            document: As it was read.
            known: What is known of it.
            cause: What checking it raised, which is the answer if no field is at fault: a validator's own failure.
        """
        errors = list(known)
        named = {error.field for error in known}
        for error in self._errors_by_field(document):
            if error.field not in named:
                errors.append(error)
        if not errors and cause is not None:
            return cause
        text = "; ".join(f"{error.field or 'the document'}: {error.reason}" for error in errors[:5])
        return InvalidInputError(text, errors=errors[:_MOST_ERRORS])

    def _errors_by_field(self, document: Any) -> Iterator[FieldError]:
        if self._root is not None:
            yield from _errors_of(self._root, document, ())
            return
        if not isinstance(document, dict):
            yield FieldError(field="", reason="Input should be an object")
            return
        given = cast("dict[str, Any]", document)
        for name, field in self._spec.model_fields.items():
            key = next((key for key in (field.alias, name) if key in given), None)
            if key is None:
                if field.is_required():
                    yield FieldError(field=field.alias or name, reason="Field required")
            else:
                yield from _errors_of(field_adapter(field), given[key], (key,))


def _errors_of(adapter: "TypeAdapter[Any]", value: Any, location: tuple[str, ...]) -> Iterator[FieldError]:
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        for found in input_error(error).errors:
            yield FieldError(field=".".join((*location, *filter(None, [found.field]))), reason=found.reason)
    except _FOREIGN_ERRORS as error:
        yield FieldError(field=".".join(location), reason=str(error) or type(error).__name__)


def _parse(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError as error:
        raise MalformedBodyError(f"Invalid JSON: {error}") from None
