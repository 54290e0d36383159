"""Where in a document the files are: the places that its schema marks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from livepeer.core import FieldError, JsonSchema

from ._schemas import PATH_FORMATS


@dataclass(frozen=True, kw_only=True)
class Place:
    """One string of a document that stands for a file."""

    kind: str
    """``upload`` for what BentoML saves itself, ``image``, ``path`` for a path in a user's own model, ``bytes``."""

    holder: "dict[str, Any] | list[Any]"
    key: Any
    """Of the holder."""

    location: tuple[str | int, ...]
    """Keys from the document to here."""

    @property
    def field(self) -> str:
        """Dotted path, as errors have it."""
        return ".".join(map(str, self.location))

    @property
    def text(self) -> str:
        """What the document has there."""
        return cast("Any", self.holder)[self.key]

    def put(self, value: Any) -> None:
        """Replace the string."""
        cast("Any", self.holder)[self.key] = value


class Places:
    """The places of one kind of document.

    Args:
        dialect: The document's schema in BentoML's words.
    """

    def __init__(self, dialect: JsonSchema) -> None:
        self._root = dialect
        self._definitions: dict[str, JsonSchema] = dialect.get("$defs", {})
        kinds = set(_kinds_inside(dialect))
        self.exist = bool(kinds)
        """Whether there are any."""

        self.take_paths = "path" in kinds
        """Whether one is a path in a user's own model, or in a union."""

        self.need_request = not kinds.isdisjoint(("upload", "path"))
        """Whether files are saved, which BentoML does in the temporary directory of a request."""

    def find(self, document: Any, errors: list[FieldError]) -> Iterator[Place]:
        """The places of a document, which is within a list of one.

        Args:
            document: ``[document]``, so that the whole of it can be a file.
            errors: Gets those that hold no string.
        """
        if self.exist:
            yield from self._walk([self._root], document, 0, (), errors)

    def _walk(
        self, nodes: list[JsonSchema], holder: Any, key: Any, location: tuple[str | int, ...], errors: list[FieldError]
    ) -> Iterator[Place]:
        """The places within one value, for all schemas that it may be of at once: each value is looked at once."""
        if not nodes:
            return
        value: Any = holder[key]
        branches = list({id(branch): branch for node in nodes for branch in self._branches(node)}.values())
        kind = next(filter(None, map(_kind_of, branches)), None)
        if kind is not None and isinstance(value, str):
            yield Place(kind=kind, holder=holder, key=key, location=location)
        elif kind is not None and not _may_be(branches, value):
            reason = "Must be a string: a data: URI, an http(s) URL, or base64"
            errors.append(FieldError(field=".".join(map(str, location)), reason=reason))
        elif isinstance(value, dict):
            for name in cast("dict[str, Any]", value):
                children = [child for branch in branches if (child := _member(branch, name)) is not None]
                yield from self._walk(children, value, name, (*location, name), errors)
        elif isinstance(value, list):
            for index in range(len(cast("list[Any]", value))):
                children = [child for branch in branches if (child := _item(branch, index)) is not None]
                yield from self._walk(children, value, index, (*location, index), errors)

    def _branches(self, node: JsonSchema) -> Iterator[JsonSchema]:
        """A schema, or those of which it is one or all."""
        if "$ref" in node:
            yield from self._branches(self._definitions.get(str(node["$ref"]).rpartition("/")[2], {}))
            return
        yield node
        for word in ("anyOf", "oneOf", "allOf"):
            for branch in cast("list[JsonSchema]", node.get(word, ())):
                yield from self._branches(branch)


def _kind_of(node: JsonSchema) -> str | None:
    match node:
        case {"type": "file"}:
            return "image" if node.get("pil") else "upload"
        case {"type": "bytes"}:
            return "bytes"
        case {"type": "string", "format": str(form)} if form in PATH_FORMATS:
            return "path"
        case _:
            return None


def _kinds_inside(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _kinds_inside(item)
    elif isinstance(node, dict):
        schema = cast("JsonSchema", node)
        kind = _kind_of(schema)
        if kind is not None:
            yield kind
        for value in schema.values():
            yield from _kinds_inside(value)


def _may_be(branches: list[JsonSchema], value: Any) -> bool:
    """Whether another branch than the file's may take a value that is no string; pydantic says what exactly."""
    if value is None:
        return any(branch.get("type") == "null" for branch in branches)
    return any(_kind_of(branch) is None and branch.get("type") not in (None, "null") for branch in branches)


def _member(schema: JsonSchema, name: str) -> JsonSchema | None:
    found = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return cast("JsonSchema", found) if isinstance(found, dict) else None


def _item(schema: JsonSchema, index: int) -> JsonSchema | None:
    first: list[JsonSchema] = schema.get("prefixItems", [])
    found = first[index] if index < len(first) else schema.get("items")
    return cast("JsonSchema", found) if isinstance(found, dict) else None
