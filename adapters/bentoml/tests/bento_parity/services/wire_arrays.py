"""Apis of arrays and tables."""

from __future__ import annotations

from typing import Annotated, Any

import bentoml
import numpy as np
import pandas as pd
from bentoml.validators import DataframeSchema, DType, Shape


class Vectors(bentoml.IODescriptor):
    embedding: Annotated[np.ndarray, DType("float32")]
    label: str = "none"


class Arrays:
    """numpy and pandas, in and out."""

    @bentoml.api
    def array_kind(self, array: np.ndarray) -> str:
        return f"{array.dtype} {array.shape}"

    @bentoml.api
    def array_shaped(self, array: Annotated[np.ndarray, Shape((2, -1)), DType("float32")]) -> np.ndarray:
        return array * 2

    @bentoml.api
    def array_integral(self, array: Annotated[np.ndarray, DType("int64")]) -> np.ndarray:
        return array + 1

    @bentoml.api
    def array_root(self, array: np.ndarray, /) -> np.ndarray:
        return array.T

    @bentoml.api
    def array_scalar(self, array: np.ndarray) -> Any:
        return float(array.sum())

    @bentoml.api
    def array_numpy_scalar(self, array: np.ndarray) -> Any:
        return array.sum()

    @bentoml.api
    def array_lists(self, arrays: list[np.ndarray]) -> list[str]:
        return [str(array.shape) for array in arrays]

    @bentoml.api
    def array_of_strings(self, words: list[str]) -> np.ndarray:
        return np.array(words)

    @bentoml.api
    def array_in_model(self, vectors: Vectors) -> Vectors:
        return Vectors(embedding=vectors.embedding / 2, label=vectors.label)

    @bentoml.api
    def table_records(
        self, table: Annotated[pd.DataFrame, DataframeSchema(orient="records")]
    ) -> Annotated[pd.DataFrame, DataframeSchema(orient="records")]:
        return table.assign(total=table.sum(axis=1))

    @bentoml.api
    def table_columns(
        self, table: Annotated[pd.DataFrame, DataframeSchema(orient="columns", columns=("a", "b"))]
    ) -> Annotated[pd.DataFrame, DataframeSchema(orient="columns")]:
        return table

    @bentoml.api
    def table_root(self, table: pd.DataFrame, /) -> pd.DataFrame:
        return table.iloc[::-1]

    @bentoml.api
    def table_with_gaps(self) -> pd.DataFrame:
        return pd.DataFrame({"a": [1.0, None], "b": ["x", None]})
