import dataclasses
import datetime
import decimal
import enum
import io
import math
import os
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict

import cog
import numpy
import pydantic
import pytest

from livepeer.adapters.cog._output_types import OutputType
from livepeer.adapters.cog._outputs import OutputError, encode_output


class Mood(enum.Enum):
    GOOD = "good"


class Level(enum.IntEnum):
    HIGH = 2


class Word(str, enum.Enum):  # noqa: UP042 - as models have it
    YES = "yes"


class Record(cog.BaseModel):
    text: str
    note: Optional[str] = None  # noqa: UP045


class Validated(pydantic.BaseModel):
    parts: list[int]
    path: Path | None = None


class Pair(NamedTuple):
    left: int
    right: str


@dataclasses.dataclass
class Holder:
    """Holds what cannot be copied."""

    file: io.IOBase
    inner: Record


class Loose(TypedDict, total=False):
    size: int


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("text", "text"),
        (7, 7),
        (2**70, 2**70),
        (True, True),
        (None, None),
        (1.5, 1.5),
        (
            {2: "a", True: "b", None: "c", 1.5: "d", Mood.GOOD: "e"},
            {"2": "a", "true": "b", "null": "c", "1.5": "d", "good": "e"},
        ),
        (OrderedDict(a=(1, [2])), {"a": [1, [2]]}),
        ({5}, [5]),
        (Pair(1, "r"), [1, "r"]),
        ((n * n for n in range(3)), [0, 1, 4]),
        ([Mood.GOOD, Level.HIGH, Word.YES], ["good", 2, "yes"]),
        (Record(text="t"), {"text": "t", "note": None}),
        (Validated(parts=[1]), {"parts": [1], "path": None}),
        (datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), "2024-01-02T00:00:00+00:00"),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        (datetime.time(3, 4), "03:04:00"),
        (cog.Secret("hidden"), "**********"),
        ([{"key": cog.Secret("hidden")}], [{"key": "**********"}]),
        (numpy.array([[1, 2]]), [[1, 2]]),
        ([numpy.float32(0.5), numpy.int64(9), numpy.bool_(True), numpy.str_("s")], [0.5, 9, True, "s"]),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (decimal.Decimal("1.5"), "1.5"),
        (b"raw", "data:application/octet-stream;base64,cmF3"),
        (io.BytesIO(b"raw"), "data:application/octet-stream;base64,cmF3"),
        (io.StringIO("é"), "data:text/plain;base64,w6k="),
    ],
)
def test_a_value_is_encoded_by_what_it_is(value: Any, encoded: Any) -> None:
    found = encode_output(value)
    assert found == encoded
    assert type(found) is type(encoded)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [math.inf],
        {"a": numpy.float32("nan")},
        numpy.array([math.inf]),
        object(),
        object,
        {"a": {object(): 1}},
        lambda: 1,
        Path("/nowhere/at/all.png"),
        [{"file": Path("/")}],
    ],
)
def test_a_value_without_a_form_on_the_wire_is_an_error(value: Any) -> None:
    with pytest.raises(OutputError):
        encode_output(value)


def test_a_value_that_holds_itself_is_an_error() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(OutputError, match="holds itself"):
        encode_output(value)


def test_an_error_about_a_file_does_not_tell_where_it_is() -> None:
    with pytest.raises(OutputError, match=r"^Failed to read output file 'all\.png'") as caught:
        encode_output(Path("/nowhere/at/all.png"))
    assert "nowhere" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.WAV", "audio/wav"),
        ("a.txt", "text/plain"),
        ("a.glb", "model/gltf-binary"),
        ("a.unknown", "application/octet-stream"),
        ("plain", "application/octet-stream"),
    ],
)
def test_files_become_data_uris(tmp_path: Path, name: str, media_type: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"raw")
    expected = f"data:{media_type};base64,cmF3"
    assert encode_output(cog.Path(path)) == expected
    assert encode_output([path]) == [expected]
    with path.open("rb") as file:
        file.read()
        assert encode_output({"deep": [file]}) == {"deep": [expected]}
    assert encode_output(Validated(parts=[], path=path)) == {"parts": [], "path": expected}


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    with path.open("rb") as file:
        pass
    with pytest.raises(OutputError):
        encode_output(file)
    with path.open("wb") as file, pytest.raises(OutputError):
        encode_output(file)


def test_a_file_that_is_opened_by_its_descriptor_has_no_name(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"raw")
    with os.fdopen(os.open(path, os.O_RDONLY), "rb") as file:
        assert encode_output(file) == "data:application/octet-stream;base64,cmF3"


def test_a_dataclass_is_encoded_field_by_field() -> None:
    value = Holder(file=io.BytesIO(b"raw"), inner=Record(text="t"))
    assert encode_output(value) == {
        "file": "data:application/octet-stream;base64,cmF3",
        "inner": {"text": "t", "note": None},
    }


def sync() -> None: ...


async def later() -> None: ...


def yielding() -> Iterator[int]:
    yield 1


async def yielding_later() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("returned", "predict", "streams", "is_async", "concatenates", "schema"),
    [
        (str, sync, False, False, False, {"type": "string"}),
        (str, later, False, True, False, {"type": "string"}),
        (Iterator[int], yielding, True, False, False, {"type": "integer"}),
        (Iterator[cog.Path], sync, True, False, False, {"type": "string", "format": "uri"}),
        (cog.ConcatenateIterator[str], sync, True, False, True, {"type": "string"}),
        (cog.ConcatenateIterator, yielding, True, False, True, {"type": "string"}),
        (AsyncIterator[int], yielding_later, True, True, False, {"type": "integer"}),
        (AsyncIterator[int], sync, True, True, False, {"type": "integer"}),
        (cog.AsyncConcatenateIterator[str], yielding_later, True, True, True, {"type": "string"}),
        (Any, yielding, True, False, False, {}),
        (Any, yielding_later, True, True, False, {}),
        (list[dict[str, int]], sync, False, False, False,
         {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "integer"}}}),
        (str | None, sync, False, False, False, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Literal["a", "b"], sync, False, False, False, {"enum": ["a", "b"]}),
        (Mood, sync, False, False, False, {"enum": ["good"]}),
        (numpy.ndarray, sync, False, False, False, {}),
        (None, sync, False, False, False, {"type": "null"}),
    ],
)  # fmt: skip
def test_the_annotation_says_what_comes_and_how(
    returned: Any, predict: Callable[..., Any], streams: bool, is_async: bool, concatenates: bool, schema: Any
) -> None:
    found = OutputType(returned, predict)
    assert (found.streams, found.is_async, found.concatenates) == (streams, is_async, concatenates)
    assert found.schema == schema


@pytest.mark.skipif(not hasattr(cog, "Opaque"), reason="this Cog has no Opaque")
def test_an_opaque_output_is_not_looked_into() -> None:
    array = {"type": "array", "items": {"type": "object"}}
    assert OutputType(Annotated[list[Record], cog.Opaque], sync).schema == array
    assert OutputType(Annotated[Record, cog.Opaque], sync).schema == {"type": "object"}


def test_records_have_their_fields_in_the_schema() -> None:
    assert OutputType(Record, sync).schema == {
        "type": "object",
        "properties": {
            "text": {"type": "string", "title": "Text"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Note"},
        },
        "required": ["text"],
    }
    assert OutputType(Validated, sync).schema["required"] == ["parts"]
    assert "required" not in OutputType(Loose, sync).schema


class Tree(cog.BaseModel):
    children: "list[Tree]"


def test_a_record_that_holds_its_own_kind_has_a_schema() -> None:
    children = OutputType(Tree, sync).schema["properties"]["children"]
    assert children == {"type": "array", "items": {"type": "object"}, "title": "Children"}


def test_cogs_schema_has_all_items_together() -> None:
    assert OutputType(cog.ConcatenateIterator[str], sync).cog_schema == {
        "title": "Output",
        "type": "array",
        "items": {"type": "string"},
        "x-cog-array-type": "iterator",
        "x-cog-array-display": "concatenate",
    }
    assert OutputType(Any, sync).cog_schema == {"title": "Output", "type": "object"}
    assert OutputType(Record, sync).cog_schema["properties"]["note"] == {
        "type": "string", "nullable": True, "title": "Note",
    }  # fmt: skip
