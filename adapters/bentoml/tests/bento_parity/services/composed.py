"""Services that depend on each other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import pandas as pd
from bentoml.exceptions import BentoMLException, InvalidArgument
from PIL.Image import Image
from pydantic import BaseModel


class Text(BaseModel):
    text: str
    length: int = 0


@bentoml.service
class Tokenizer:
    """The one at the end."""

    @bentoml.api
    def tokens(self, text: str) -> list[str]:
        return text.split()

    @bentoml.api
    async def measured(self, text: Text) -> Text:
        return Text(text=text.text, length=len(text.text))

    @bentoml.api
    def scaled(self, array: np.ndarray, factor: float = 2.0) -> np.ndarray:
        return array * factor

    @bentoml.api
    def size(self, file: Path) -> int:
        return len(file.read_bytes())

    @bentoml.api(batchable=True, max_batch_size=4)
    def lengths(self, texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    @bentoml.api
    def refuse(self, text: str) -> str:
        raise InvalidArgument(f"refused {text}")

    @bentoml.api
    def fail(self, code: int) -> str:
        raise BentoMLException("failed", error_code=HTTPStatus(code))

    @bentoml.api
    def anything(self, kind: str) -> Any:
        """Values that JSON would change."""
        return {"tuple": (1, (2,)), "bytes": b"a", "none": None, "set": {1}, "keys": {1: 2}, "array": np.array([1])}[
            kind
        ]

    @bentoml.api
    def told(self, ctx: bentoml.Context) -> list[str]:
        """Reads its own request, and writes its own response."""
        ctx.response.status_code = 201
        ctx.response.headers["x-inner"] = "yes"
        ctx.response.set_cookie("inner", "yes")
        (Path(ctx.temp_dir) / "inner").touch()
        return [ctx.request.method, str(ctx.request.url.path), str(ctx.request.headers.get("x-outer"))]

    @bentoml.api
    def picture(self, image: Image) -> Image:
        return image.rotate(90, expand=True)

    @bentoml.api
    def table(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(c=1)

    @bentoml.api
    def file(self, ctx: bentoml.Context) -> Path:
        path = Path(ctx.temp_dir) / "inner.txt"
        path.write_text("written within")
        return path

    @bentoml.api
    def count(self, upto: int) -> Generator[dict[str, int], None, None]:
        for number in range(upto):
            yield {"number": number}

    @bentoml.api
    def crash(self) -> str:
        raise ValueError("secret")

    @bentoml.api
    async def one_by_one(self, text: str) -> AsyncGenerator[str, None]:
        yield text


@bentoml.service
class Middle:
    """The one between."""

    tokenizer = bentoml.depends(Tokenizer)

    @bentoml.api
    def counted(self, text: str) -> int:
        return len(self.tokenizer.tokens(text=text))


@bentoml.service
class Composed:
    """The one that is served."""

    tokenizer = bentoml.depends(Tokenizer)
    middle = bentoml.depends(Middle)

    @bentoml.api
    def sync_of_sync(self, text: str) -> Any:
        return self.tokenizer.tokens(text=text)

    @bentoml.api
    async def async_of_sync(self, text: str) -> Any:
        return await self.tokenizer.to_async.tokens(text=text)

    @bentoml.api
    async def async_of_async(self, text: Text) -> Text:
        return await self.tokenizer.measured(text=text)

    @bentoml.api
    def through_two(self, text: str) -> int:
        return self.middle.counted(text=text)

    @bentoml.api
    def of_array(self, array: np.ndarray) -> np.ndarray:
        return self.tokenizer.scaled(array=array, factor=3.0)

    @bentoml.api
    def of_file(self, file: Path) -> int:
        return self.tokenizer.size(file=file)

    @bentoml.api
    def of_batch(self, texts: list[str]) -> list[int]:
        return self.tokenizer.lengths(texts)

    @bentoml.api
    def refused(self, text: str) -> str:
        return self.tokenizer.refuse(text=text)

    @bentoml.api
    def crashed(self) -> str:
        return self.tokenizer.crash()

    @bentoml.api
    def misfit(self) -> Any:
        return self.tokenizer.tokens(text=[1])

    @bentoml.api
    def failed(self, code: int) -> str:
        return self.tokenizer.fail(code=code)

    @bentoml.api
    def caught(self, code: int) -> str:
        """What a failure of a dependency is, to those who catch it."""
        try:
            return self.tokenizer.fail(code=code)
        except BentoMLException as error:
            return f"{int(error.error_code)}"

    @bentoml.api
    def kept(self, kind: str) -> str:
        return repr(self.tokenizer.anything(kind=kind))

    @bentoml.api
    def kind_of_model(self) -> str:
        return type(self.tokenizer.measured(text=Text(text="a"))).__name__  # type: ignore[arg-type]

    @bentoml.api
    def by_position(self) -> Any:
        return self.tokenizer.tokens("a b")

    @bentoml.api
    def by_mapping(self) -> Any:
        return self.tokenizer.to_sync.measured(text={"text": "a"}).length

    @bentoml.api
    def told_apart(self, ctx: bentoml.Context) -> list[Any]:
        before = ctx.request.url.path
        return [*self.tokenizer.told(), before == ctx.request.url.path]

    @bentoml.api
    def folder_apart(self, ctx: bentoml.Context) -> bool:
        self.tokenizer.told()
        return not (Path(ctx.temp_dir) / "inner").exists()

    @bentoml.api
    def of_picture(self, image: Image) -> Image:
        return self.tokenizer.picture(image=image)

    @bentoml.api
    def of_table(self, table: pd.DataFrame) -> pd.DataFrame:
        return self.tokenizer.table(table=table)

    @bentoml.api
    def of_written_file(self) -> str:
        return self.tokenizer.file().read_text()

    @bentoml.api
    def counted_one(self) -> Generator[dict[str, int], None, None]:
        yield from self.tokenizer.count(upto=1)

    @bentoml.api
    def missing_argument(self) -> Any:
        return self.tokenizer.tokens()

    @bentoml.api
    def more_arguments(self) -> Any:
        return self.tokenizer.tokens(text="a", more=1)

    @bentoml.api
    async def passed_on(self, text: str) -> AsyncGenerator[str, None]:
        async for item in self.tokenizer.one_by_one(text=text):
            yield item

    @bentoml.api
    def by_oneself(self, text: str) -> Generator[str, None, None]:
        yield from self.tokenizer.tokens(text=text)
