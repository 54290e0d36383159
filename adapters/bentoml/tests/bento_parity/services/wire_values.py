"""Apis of named parameters, and of a root input of each kind."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Annotated, Any, Literal

import bentoml
from pydantic import BaseModel, Field


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    name: str
    price: float = 1.5


class Order(BaseModel):
    items: list[Item]
    note: str | None = None
    number: int = Field(default=1, ge=1, alias="no")


class Named:
    """What is asked for by name."""

    @bentoml.api
    def add(self, x: int, y: float = 0.5) -> float:
        return x + y

    @bentoml.api
    async def describe(
        self,
        name: str,
        flag: bool = False,
        tags: list[str] = Field(default_factory=list),
        counts: dict[str, int] | None = None,
    ) -> dict[str, Any]:
        return {"name": name, "flag": flag, "tags": tags, "counts": counts}

    @bentoml.api
    def optional(self, x: int | None = None) -> int | None:
        return x

    @bentoml.api
    def required_optional(self, x: int | None) -> dict[str, Any]:
        return {"x": x}

    @bentoml.api
    def colour(self, colour: Colour = Colour.RED) -> Colour:
        return colour

    @bentoml.api
    def mode(self, mode: Literal["fast", "slow"] = "fast") -> str:
        return mode

    @bentoml.api
    def bounded(self, n: Annotated[int, Field(ge=0, le=10)] = 3, text: str = Field("abc", max_length=5)) -> str:
        return text * n

    @bentoml.api
    def either(self, x: int | str) -> str:
        return f"{type(x).__name__} {x}"

    @bentoml.api
    def moment(self, at: datetime.datetime, id: uuid.UUID) -> dict[str, Any]:
        return {"year": at.year, "offset": str(at.utcoffset()), "id": id.hex}

    @bentoml.api
    def keywords(self, a: int = 0, **kwargs: Any) -> dict[str, Any]:
        return {"a": a, "more": kwargs}

    @bentoml.api
    def positional(self, *args: int) -> Any:
        return repr(args)

    @bentoml.api
    def untyped(self, value) -> Any:
        return value

    @bentoml.api
    def nothing(self) -> str:
        return "nothing asked"

    @bentoml.api
    def order(self, order: Order, discount: float = 0) -> Order:
        return order.model_copy(update={"note": f"{sum(item.price for item in order.items) - discount}"})

    @bentoml.api(route="/shop/orders/latest", input_spec=Order)
    def by_spec(self, **fields: Any) -> Any:
        return sorted(fields)


class Roots:
    """What is asked for by the whole body."""

    @bentoml.api
    def root_str(self, text: str, /) -> str:
        return f"<{text}>"

    @bentoml.api
    def root_bytes(self, data: bytes, /) -> bytes:
        return data[::-1]

    @bentoml.api
    def root_int(self, number: int, /) -> int:
        return number + 1

    @bentoml.api
    def root_bool(self, flag: bool, /) -> bool:
        return not flag

    @bentoml.api
    def root_list(self, numbers: list[int], /) -> list[int]:
        return numbers[::-1]

    @bentoml.api
    def root_dict(self, counts: dict[str, int], /) -> dict[str, int]:
        return {name: count + 1 for name, count in counts.items()}

    @bentoml.api
    def root_model(self, order: Order, /) -> str:
        return f"{order.number} {len(order.items)}"

    @bentoml.api
    def root_optional(self, number: int | None = None, /) -> str:
        return repr(number)

    @bentoml.api
    def root_default(self, number: int = 7, /) -> str:
        return repr(number)

    @bentoml.api
    def root_any(self, value: Any, /) -> Any:
        return value
