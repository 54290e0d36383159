"""A stream's params: what they have to be, and how they are said."""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import PydanticSerializationError, to_json

from livepeer.core import InvalidInputError, JsonSchema, TargetError, input_error


class ParamsFormat:
    """The form of the params.

    Args:
        model: What they are; anything that is JSON if None.

    Raises:
        TargetError: If that is no model, or has no JSON Schema.
    """

    def __init__(self, model: Any) -> None:
        if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TargetError(f"params has to be a pydantic model (the class), not {model!r}")
        self._model: type[BaseModel] | None = model
        self.schema: JsonSchema = {} if self._model is None else _schema_of(self._model)

    def validate(self, params: Any) -> Any:
        """The params as the hooks get them; none at all are an empty document.

        Raises:
            InvalidInputError: If they do not fit; names each field.
        """
        document = _json(params)
        if self._model is None:
            return params
        try:
            return self._model.model_validate_json(b"{}" if params is None else document)
        except ValidationError as error:
            raise input_error(error) from None

    def dump(self, params: Any) -> Any:
        """The params as JSON has them."""
        return params.model_dump(mode="json", by_alias=True) if isinstance(params, BaseModel) else params


def _json(params: Any) -> bytes:
    try:
        return to_json(params, inf_nan_mode="constants")
    except PydanticSerializationError as error:  # half a character, or too many levels: no status could say them
        raise InvalidInputError(f"the params have no JSON form: {error}") from None


def _schema_of(model: type[BaseModel]) -> JsonSchema:
    try:
        return model.model_json_schema(mode="validation")
    except PydanticInvalidForJsonSchema as error:
        raise TargetError(f"{model.__name__}, the params' model, has no JSON form: {error}") from error
