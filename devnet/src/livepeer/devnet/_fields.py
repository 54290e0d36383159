"""JSON as Go's decoder takes it: typed fields, `null` for the zero value, no coercion."""

import json
from typing import NoReturn, cast


def load_object(text: str | bytes) -> dict[str, object]:
    """Parse a JSON object; `null` gives an empty one.

    Raises:
        ValueError: The text is not JSON, is nested too deeply, or holds another type.
    """
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None
    return as_object(value, "the document")


def text_field(fields: dict[str, object], name: str) -> str:
    """Return a string field, `""` if absent; lone surrogates become U+FFFD.

    Raises:
        ValueError: The field holds another type.
    """
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string")
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def integer_field(fields: dict[str, object], name: str) -> int:
    """Return an integer field, 0 if absent; `1.0` and `true` are no integers.

    Raises:
        ValueError: The field holds another type.
    """
    value = fields.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} must be an integer")
    return value


def boolean_field(fields: dict[str, object], name: str) -> bool:
    """Return a boolean field, false if absent.

    Raises:
        ValueError: The field holds another type.
    """
    value = fields.get(name)
    if not isinstance(value, bool | None):
        raise ValueError(f"{name} must be a boolean")
    return bool(value)


def object_field(fields: dict[str, object], name: str) -> dict[str, object]:
    """Return an object field, an empty one if absent.

    Raises:
        ValueError: The field holds another type.
    """
    return as_object(fields.get(name), name)


def texts_field(fields: dict[str, object], name: str) -> frozenset[str]:
    """Return a field that lists strings, as a set; an empty one if absent.

    Raises:
        ValueError: The field holds another type.
    """
    items = list_field(fields, name)
    if not all(isinstance(item, str) for item in items):
        raise ValueError(f"{name} must be a list of strings")
    return frozenset(cast("list[str]", items))


def list_field(fields: dict[str, object], name: str) -> list[object]:
    """Return a field that is a list, an empty one if absent.

    Raises:
        ValueError: The field holds another type.
    """
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list")
    return cast("list[object]", value)


def as_object(value: object, what: str) -> dict[str, object]:
    """Return a JSON object as it is, and an empty one for `null`.

    Raises:
        ValueError: The value is of another type.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object")
    return cast("dict[str, object]", value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
