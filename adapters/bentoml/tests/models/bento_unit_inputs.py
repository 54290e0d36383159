"""Apis that show what reached them."""

import enum
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import bentoml
import numpy as np
import pandas as pd
from annotated_types import MinLen
from bentoml.validators import ContentType, DataframeSchema, DType, Shape
from PIL.Image import Image
from pydantic import BaseModel, Field, field_validator, model_validator


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Point(BaseModel):
    x: int
    mood: Mood = Mood.GOOD


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class Documented(BaseModel):
    document: Path
    pages: int = Field(1, alias="numberOfPages")


class Branch(BaseModel):
    kind: Literal["branch"] = "branch"
    file: Path | None = None
    children: list[Annotated["Branch | Leaf", Field(discriminator="kind")]] = []


class Leaf(BaseModel):
    kind: Literal["leaf"] = "leaf"
    file: Path | None = None
    children: list[Annotated["Branch | Leaf", Field(discriminator="kind")]] = []


class Broken(BaseModel):
    text: str

    @model_validator(mode="after")
    def breaks(self) -> "Broken":
        raise TypeError("a validator with a fault")


class Fussy(BaseModel):
    text: str

    @field_validator("text")
    @classmethod
    def is_lower(cls, text: str) -> str:
        if text != text.lower():
            raise ValueError("it shouts")
        return text


def shown(path: Path) -> list[str]:
    return [path.suffix, path.read_text()]


@bentoml.service
class Inputs:
    @bentoml.api
    async def named(self, text: str, count: int = 2, day: date | None = None) -> dict:
        return {"text": text, "count": count, "day": day}

    @bentoml.api
    async def bounded(
        self,
        size: Annotated[int, Field(ge=1, le=8)],
        words: Annotated[list[str], MinLen(1)],
        title: str = Field("untitled", description="What it is called"),
    ) -> list:
        return [size, words, title]

    @bentoml.api
    async def nothing(self) -> str:
        return "called"

    @bentoml.api
    async def unannotated(self, first, second=3):
        return [first, second]

    @bentoml.api
    async def extra(self, first: int, **rest: Any) -> dict:
        return {"first": first, "rest": rest}

    @bentoml.api
    async def listed(self, *items: int) -> str:
        return repr(items)

    @bentoml.api
    async def model(self, point: Point, other: Fussy | None = None) -> str:
        return f"{point!r} {other!r}"

    @bentoml.api
    async def tree(self, tree: Tree) -> Tree:
        return tree

    @bentoml.api
    async def union(self, either: int | str | None, mood: Mood) -> list:
        return [repr(either), mood.name]

    @bentoml.api
    async def root_text(self, text: str, /) -> str:
        return text

    @bentoml.api
    async def root_default(self, text: str | None = None, /) -> str:
        return repr(text)

    @bentoml.api
    async def root_model(self, point: Point, /) -> str:
        return type(point).__bases__[-1].__name__ + str(point.x)

    @bentoml.api
    async def root_list(self, items: list[int], /) -> int:
        return sum(items)

    @bentoml.api
    async def root_dict(self, document: dict, /) -> list:
        return sorted(document)

    @bentoml.api
    async def root_bytes(self, content: bytes, /) -> str:
        return repr(content)

    @bentoml.api
    async def root_path(self, path: Annotated[Path, ContentType("text/*")], /) -> list:
        return shown(path)

    @bentoml.api
    async def root_image(self, image: Image, /) -> list:
        return [image.format, *image.size]

    @bentoml.api
    async def root_array(self, values: np.ndarray, /) -> float:
        return float(values.sum())

    @bentoml.api
    async def raw(self, content: bytes, contents: list[bytes] | None = None) -> str:
        return repr([content, contents])

    @bentoml.api
    async def files(
        self,
        path: Path,
        paths: list[Path] = Field(default_factory=list),
        named: dict[str, Path] = Field(default_factory=dict),
        count: int = 0,
    ) -> dict:
        found = {"path": shown(path), "folder": str(path.parent), "count": count}
        found["paths"] = [shown(each) for each in paths]
        found["named"] = {name: shown(each) for name, each in named.items()}
        return found

    @bentoml.api
    async def forest(self, tree: Branch | Leaf) -> list:
        found, depth = tree, 0
        while found.children:
            found, depth = found.children[0], depth + 1
        return [type(found).__name__, depth, found.file and shown(found.file)]

    @bentoml.api
    async def broken(self, thing: Broken, /) -> str:
        return thing.text

    @bentoml.api
    async def typed(self, text: Annotated[Path, ContentType("text/*")]) -> list:
        return shown(text)

    @bentoml.api
    async def defaulted(self, path: Path = Path("/etc/hostname"), maybe: Path | None = Path("/etc/hosts")) -> str:
        return f"{path} {maybe}"

    @bentoml.api
    async def maybe_path(
        self, maybe: Path | None = Path("/etc/hosts"), many: dict[str, list[Path]] | None = None
    ) -> str:
        return f"{maybe}"

    @bentoml.api
    async def nested(self, documents: list[Documented]) -> list:
        return [[*shown(each.document), each.pages] for each in documents]

    @bentoml.api
    async def image(self, image: Image, mask: Optional[Image] = None) -> list:  # noqa: UP045 - BentoML needs it
        return [image.format, *image.size, mask is None]

    @bentoml.api
    async def arrays(
        self,
        free: np.ndarray,
        fixed: Annotated[np.ndarray, Shape((2, 3)), DType("float32")],
        bits: Annotated[np.ndarray, DType("uint8")],
    ) -> list:
        return [list(free.shape), fixed.shape, fixed.dtype.name, bits.dtype.name]

    @bentoml.api
    async def callback(self, handler: Callable[[], int] | None = None) -> str:
        return repr(handler)

    @bentoml.api
    async def tables(
        self,
        rows: pd.DataFrame,
        columns: Annotated[pd.DataFrame, DataframeSchema(orient="columns", columns=["x", "y"])],
    ) -> list:
        return [rows.shape, list(rows.columns), list(columns.columns)]
