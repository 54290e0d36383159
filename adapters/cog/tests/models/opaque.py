"""Inputs that Cog does not look into."""

from __future__ import annotations

from typing import Annotated, TypedDict

from cog import BasePredictor, Input, Opaque


class Point(TypedDict):
    x: int
    y: int


class Opaques(BasePredictor):
    def predict(self, one: Annotated[Point, Opaque], many: Annotated[list[Point], Opaque] = Input(default=[])) -> dict:
        return {"one": one, "many": many, "types": [type(one).__name__, type(many).__name__]}
