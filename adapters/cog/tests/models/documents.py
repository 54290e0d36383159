"""Inputs that hold others: lists, objects, and what Cog does not look into."""

from __future__ import annotations

from typing import Any, TypedDict

from cog import BasePredictor, Input


class Point(TypedDict):
    x: int
    y: int


class Lists(BasePredictor):
    def predict(
        self,
        whole: list[int],
        words: list[str] = Input(default=["w"]),
        real: list[float] = Input(default=[1.0]),
        objects: list[dict] = Input(default=[]),
        anything: list[Any] = Input(default=[]),
    ) -> dict:
        return {"whole": whole, "words": words, "real": real, "objects": objects, "anything": anything}


class BareList(BasePredictor):
    """`cog build` has no schema for it."""

    def predict(self, anything: list) -> dict:
        return {"anything": anything}


class Objects(BasePredictor):
    def predict(
        self,
        anything: Any,
        free: dict = Input(default={}),
        numbers: dict[str, int] = Input(default={"a": 1}),
        point: Point = Input(default={"x": 0, "y": 0}),
    ) -> dict:
        return {"anything": anything, "free": free, "numbers": numbers, "point": point}
