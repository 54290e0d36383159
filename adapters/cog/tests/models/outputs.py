"""Outputs: each kind of value that a model may return."""

import dataclasses
import datetime
import enum
import io
import tempfile
from pathlib import Path as StandardPath
from typing import Any

import pydantic
from cog import BaseModel, BasePredictor, Path, Secret


class Colour(enum.Enum):
    RED = "red"


class Shape(enum.IntEnum):
    ROUND = 2


def written(name: str, data: bytes = b"content") -> StandardPath:
    path = StandardPath(tempfile.mkdtemp()) / name
    path.write_bytes(data)
    return path


def named_bytes() -> io.BytesIO:
    stream = io.BytesIO(b"named")
    stream.name = "picture.png"
    return stream


VALUES = {
    "text": lambda: "héllo \u2028 \U0001f600",
    "empty text": lambda: "",
    "integer": lambda: 7,
    "large integer": lambda: 2**53 + 1,
    "huge integer": lambda: 2**70,
    "negative": lambda: -3,
    "float": lambda: 1.5,
    "whole float": lambda: 2.0,
    "tiny float": lambda: 1e-300,
    "true": lambda: True,
    "none": lambda: None,
    "dict": lambda: {"b": 1, "a": {"c": [1, 2.5, None, "x"]}},
    "integer keys": lambda: {1: "one", 2: "two"},
    "list": lambda: [1, "two", [3]],
    "tuple": lambda: (1, (2, 3)),
    "set": lambda: {5},
    "frozenset": lambda: frozenset({"f"}),
    "empty list": list,
    "nan": lambda: float("nan"),
    "infinity": lambda: [float("inf")],
    "enum": lambda: Colour.RED,
    "integer enum": lambda: Shape.ROUND,
    "datetime": lambda: datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    "date": lambda: datetime.date(2024, 1, 2),
    "bytes": lambda: b"raw",
    "object": object,
    "secret": lambda: Secret("hidden"),
    "nested secret": lambda: {"key": Secret("hidden")},
    "range generator": lambda: (n * n for n in range(3)),
}


class Values(BasePredictor):
    def predict(self, kind: str) -> Any:
        return VALUES[kind]()


FILES = {
    "text file": lambda: Path(written("a.txt")),
    "png": lambda: Path(written("a.png", b"\x89PNG")),
    "webp": lambda: Path(written("a.webp", b"RIFF")),
    "no extension": lambda: Path(written("plain")),
    "odd extension": lambda: Path(written("a.qqq")),
    "standard path": lambda: written("a.json", b"{}"),
    "empty file": lambda: Path(written("a.txt", b"")),
    "missing": lambda: Path("/nowhere/at/all.txt"),
    "open file": lambda: written("a.mp3").open("rb"),
    "open text": lambda: written("a.csv", "é".encode()).open(encoding="utf-8"),
    "bytes stream": lambda: io.BytesIO(b"stream"),
    "read bytes stream": lambda: _read(io.BytesIO(b"stream")),
    "named bytes stream": named_bytes,
    "text stream": lambda: io.StringIO("text"),
    "list": lambda: [Path(written("a.txt", b"1")), Path(written("b.txt", b"2"))],
    "dict": lambda: {"file": Path(written("a.txt")), "size": 7},
    "deep": lambda: {"all": [{"file": Path(written("a.txt"))}, (written("b.bin"),)]},
}


def _read(stream: io.BytesIO) -> io.BytesIO:
    stream.read()
    return stream


class Files(BasePredictor):
    def predict(self, kind: str) -> Any:
        return FILES[kind]()


class OnePath(BasePredictor):
    def predict(self, text: str) -> Path:
        return Path(written("out.txt", text.encode()))


class Report(BaseModel):
    title: str
    score: float
    note: str | None = None
    file: Path | None = None


class PydanticReport(pydantic.BaseModel):
    title: str
    parts: list[int]
    note: str | None = None


@dataclasses.dataclass
class Plain:
    title: str
    inner: PydanticReport | None = None
    colour: Colour = Colour.RED


class Reports(BasePredictor):
    def predict(self, title: str, with_file: bool = False) -> Report:
        return Report(title=title, score=0.5, file=Path(written("a.txt")) if with_file else None)


RECORDS = {
    "pydantic": lambda: PydanticReport(title="t", parts=[1, 2]),
    "dataclass": lambda: Plain(title="d"),
    "list of pydantic": lambda: [PydanticReport(title="t", parts=[])],
    "dict of dataclass": lambda: {"one": Plain(title="d")},
    "cog model in a list": lambda: [Report(title="t", score=1.0)],
}


class Records(BasePredictor):
    def predict(self, kind: str) -> Any:
        return RECORDS[kind]()


class Numpy(BasePredictor):
    def setup(self) -> None:
        import numpy

        self.values = {
            "vector": numpy.array([1, 2, 3]),
            "matrix": numpy.array([[0.5, 1.5], [2.5, 3.5]]),
            "float32": numpy.float32(0.5),
            "float64": numpy.float64(0.25),
            "int64": numpy.int64(9),
            "uint8": numpy.uint8(255),
            "bool": numpy.bool_(True),
            "nested": {"array": numpy.zeros(2), "n": [numpy.int32(1)]},
            "flags": numpy.array([True, False]),
            "text": numpy.array(["a", "b"]),
        }

    def predict(self, kind: str) -> Any:
        return self.values[kind]


class Nothing(BasePredictor):
    def predict(self, text: str = "") -> str | None:
        return text or None
