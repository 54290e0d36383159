"""Paths of the server's own disk, which no caller may name.

What is uploaded for a plain ``path: Path`` is saved in the request's temporary directory. In a model of the user's, or
in a union such as ``Path | None``, BentoML takes a text for a path as it stands: of any file that the server can read.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import PurePath
from typing import Any, cast

from pydantic import BaseModel

from . import _sdk
from ._file_places import Places
from ._schemas import dialect_of


def refuse_local_paths(parsed: BaseModel) -> None:
    """Refuse a path that came with the request, and is of nothing that was uploaded with it; within the request.

    Raises:
        BentoMLException: If there is one; names its field.
    """
    if not _takes_paths(type(parsed)):
        return
    for field, path in _given_paths(parsed, ()):
        if not path.is_relative_to(_sdk.request_temp_dir()):
            name = ".".join(map(str, field)) or "the body"
            raise _sdk.BadInput(f"{name}: a path would name a file of the server's own disk")


@cache
def _takes_paths(spec: type[BaseModel]) -> bool:
    return Places(dialect_of(spec)).take_paths


def _given_paths(value: Any, field: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], PurePath]]:
    """The paths within a value, without those that are a model's own defaults."""
    if isinstance(value, PurePath):
        yield field, value
    elif isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from _given_paths(
                getattr(value, name), field if isinstance(value, _sdk.IORootModel) else (*field, name)
            )
    elif isinstance(value, dict):
        for key, each in cast("dict[Any, Any]", value).items():
            yield from _given_paths(each, (*field, str(key)))
    elif isinstance(value, list | tuple | set | frozenset):
        for index, each in enumerate(cast("list[Any]", value)):
            yield from _given_paths(each, (*field, index))
