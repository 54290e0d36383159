"""Apis of one output each."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType
from pydantic import BaseModel, Field, computed_field
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)


class Point(BaseModel):
    x: int
    y: int = Field(default=0, serialization_alias="ordinate")
    note: str | None = None

    @computed_field
    @property
    def total(self) -> int:
        return self.x + self.y


class Size(enum.IntEnum):
    SMALL = 1


@dataclasses.dataclass
class Pair:
    left: int
    right: str


VALUES: dict[str, Any] = {
    "str": "text é \U0001f600",
    "empty": "",
    "bytes": b"\x00\xff",
    "int": 2**70,
    "float": 0.1,
    "integral": 3.0,
    "none": None,
    "true": True,
    "list": [1, "a", None, [2.5]],
    "dict": {"b": 1, "a": {"c": [True]}, "é": "ü"},
    "tuple": (1, 2),
    "set": {1},
    "nan": float("nan"),
    "inf": [float("inf"), float("-inf")],
    "model": Point(x=1),
    "models": [Point(x=1), {"x": 2}],
    "pair": Pair(1, "b"),
    "size": Size.SMALL,
    "time": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    "delta": datetime.timedelta(seconds=90),
    "decimal": decimal.Decimal("1.10"),
    "object": object(),
    "keys": {1: "a", None: "b"},
    "surrogate": "\ud800",
}

HELD: list[Any] = []
HELD.append(HELD)


class Outputs:
    """What is given back."""

    @bentoml.api
    def value(self, name: str) -> Any:
        """A value whose type nobody declared."""
        return HELD if name == "circle" else VALUES[name]

    @bentoml.api
    def give_str(self) -> str:
        return 'plain "text"\n'

    @bentoml.api
    def give_bytes(self) -> bytes:
        return bytes(range(256))

    @bentoml.api
    def give_text_bytes(self) -> bytes:
        return "é".encode()

    @bentoml.api
    def give_int(self) -> int:
        return 1

    @bentoml.api
    def give_float(self) -> float:
        return 1e300

    @bentoml.api
    def give_nan(self) -> float:
        return float("nan")

    @bentoml.api
    def give_bool(self) -> bool:
        return False

    @bentoml.api
    def give_none(self) -> None:
        return None

    @bentoml.api
    def give_model(self) -> Point:
        return Point(x=1, y=2)

    @bentoml.api
    def give_models(self) -> list[Point]:
        return [Point(x=1), Point(x=2, note="second")]

    @bentoml.api
    def give_optional_model(self, there: bool = True) -> Point | None:
        return Point(x=5) if there else None

    @bentoml.api
    def give_document_for_model(self) -> Point:
        return {"x": 1}  # type: ignore[return-value]

    @bentoml.api
    def give_wrong(self) -> int:
        return "no number"  # type: ignore[return-value]

    @bentoml.api
    def give_number_in_text(self) -> int:
        return "12"  # type: ignore[return-value]

    @bentoml.api
    def give_pair(self) -> tuple[int, str]:
        return 1, "a"

    @bentoml.api
    def give_untyped(self):
        return {"a": 1}

    @bentoml.api
    def give_html(self) -> Annotated[str, ContentType("text/html")]:
        return "<p>é</p>"

    @bentoml.api
    def give_picture_bytes(self) -> Annotated[bytes, ContentType("image/png")]:
        return b"\x89PNG"

    @bentoml.api
    def give_yaml(self) -> Annotated[dict[str, Any], ContentType("application/yaml")]:
        return {"a": 1}

    @bentoml.api
    def give_much(self, size: int) -> str:
        return "0123456789" * (size // 10)

    @bentoml.api
    def give_generator(self, text: str = "one two") -> Any:
        """No generator function: it hands one on."""
        return (word for word in text.split())

    @bentoml.api
    async def give_async_generator(self, text: str = "one two") -> AsyncGenerator[str, None]:
        async def words() -> AsyncGenerator[str, None]:
            for word in text.split():
                yield word

        return words()

    @bentoml.api
    async def respond(self, kind: str) -> Any:
        """A response of the service's own making."""
        made = {
            "json": lambda: JSONResponse({"a": [1]}, status_code=201, headers={"x-made": "here"}),
            "text": lambda: PlainTextResponse("tea", status_code=418),
            "html": lambda: HTMLResponse("<p>é</p>"),
            "redirect": lambda: RedirectResponse("/give_int?a=b c"),
            "empty": lambda: Response(status_code=204),
            "untyped": lambda: Response(b"\x00\x01"),
            "unauthorized": lambda: PlainTextResponse("who?", status_code=401),
            "unmodified": lambda: Response(status_code=304, headers={"etag": '"a"'}),
            "stream": lambda: StreamingResponse(iter([b"one ", b"two"]), media_type="text/x-pieces"),
            "cookies": with_cookies,
        }
        return made[kind]()


def with_cookies() -> Response:
    response = PlainTextResponse("set")
    response.set_cookie("a", "1", max_age=60, httponly=True)
    response.set_cookie("b", "2", path="/b", secure=True, samesite="none")
    response.headers.append("x-many", "1")
    response.headers.append("x-many", "2")
    return response
