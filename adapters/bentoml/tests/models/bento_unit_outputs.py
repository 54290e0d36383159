"""Apis that give all kinds of answers."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Optional

import bentoml
import numpy as np
import pandas as pd
from bentoml.exceptions import BadInput, BentoMLException, NotFound, ServiceUnavailable
from bentoml.validators import ContentType, DataframeSchema
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

MARKS: list[str] = []


class Point(BaseModel):
    x: int
    label: str = Field("here", alias="labelText")
    nearest: "Point | None" = None

    model_config = ConfigDict(populate_by_name=True)


@bentoml.service
class Outputs:
    @bentoml.api
    async def text(self) -> str:
        return "text"

    @bentoml.api
    async def number(self) -> int:
        return "5"

    @bentoml.api
    async def wrong(self) -> int:
        return "five"

    @bentoml.api
    async def nothing(self) -> None:
        return None

    @bentoml.api
    async def anything(self, kind: str):
        match kind:
            case "text":
                return "text"
            case "bytes":
                return b"\xff\x00"
            case "model":
                return Point(x=1)
            case "nan":
                return float("nan")
            case "array":
                return np.zeros(2)
            case "object":
                return object()
            case "generator":
                return (each for each in "ab")
            case "path":
                return Path(__file__).with_name("nothing.txt")
            case _:
                return None

    @bentoml.api
    async def raw(self) -> bytes:
        return b"\xff\x00"

    @bentoml.api
    async def typed_raw(self) -> Annotated[bytes, ContentType("image/gif")]:
        return b"GIF89a"

    @bentoml.api
    async def model(self) -> Point:
        return Point(x=1, nearest=Point(x=2))

    @bentoml.api
    async def no_model(self) -> Point:
        return {"x": 1}

    @bentoml.api
    async def perhaps(self, give: bool) -> Optional[Point]:  # noqa: UP045
        return Point(x=1) if give else None

    @bentoml.api
    async def models(self) -> list[Point]:
        return [Point(x=1), Point(x=2)]

    @bentoml.api
    async def array(self) -> np.ndarray:
        return np.array([[1.5, 2], [3, 4]])

    @bentoml.api
    async def rows(self) -> pd.DataFrame:
        return pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})

    @bentoml.api
    async def columns(self) -> Annotated[pd.DataFrame, DataframeSchema(orient="columns")]:
        return pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})

    @bentoml.api
    async def path(self, context: bentoml.Context) -> Path:
        file = Path(context.temp_dir) / "found.txt"
        file.write_text("found")
        return file

    @bentoml.api
    async def unnamed_path(self, context: bentoml.Context) -> Annotated[Path, ContentType("audio/mp3")]:
        file = Path(context.temp_dir) / "found"
        file.write_text("found")
        return file

    @bentoml.api
    async def image(self) -> Image.Image:
        return Image.new("RGB", (2, 1))

    @bentoml.api
    async def response(self, kind: str):
        match kind:
            case "json":
                return JSONResponse({"made": True}, status_code=201, headers={"x-own": "1"})
            case "empty":
                return Response(status_code=204)
            case "stream":
                return StreamingResponse(iter([b"a", b"b"]), media_type="text/csv")
            case "file":
                return FileResponse(__file__, media_type="text/x-python", filename="own.py")
            case "unauthorized":
                return JSONResponse({"no": True}, status_code=401)
            case _:
                return Response("later", background=BackgroundTask(MARKS.append, "ran"))

    @bentoml.api
    async def fail(self, kind: str) -> str:
        if kind == "invalid":
            Point.model_validate({})
        raise {
            "bad": BadInput("that is bad"),
            "missing": NotFound("not there"),
            "teapot": BentoMLException("short and stout", error_code=HTTPStatus.IM_A_TEAPOT),
            "number": BentoMLException("short and stout", error_code=418),
            "denied": BentoMLException("who are you", error_code=HTTPStatus.UNAUTHORIZED),
            "full": ServiceUnavailable("too much"),
            "gone": BentoMLException("secret", error_code=HTTPStatus.BAD_GATEWAY),
            "base": BentoMLException("secret"),
            "http": HTTPException(409, "conflict"),
            "value": ValueError("secret"),
        }[kind]


@bentoml.service
class Contextual:
    @bentoml.api
    async def seen(self, text: str, ctx: bentoml.Context) -> dict:
        request = ctx.request
        return {
            "text": text,
            "header": request.headers.get("x-own"),
            "query": dict(request.query_params),
            "path": request.url.path,
            "method": request.method,
            "cookie": request.cookies.get("c"),
        }

    @bentoml.api
    async def set(self, ctx: bentoml.Context) -> dict:
        ctx.response.status_code = 202
        ctx.response.headers["x-own"] = "yes"
        ctx.response.set_cookie("a", "1")
        ctx.response.set_cookie("b", "2", httponly=True)
        return {"set": True}

    @bentoml.api
    def sync(self, context: bentoml.Context) -> str:
        context.response.status_code = 203
        return context.request.headers.get("x-own", "")

    @bentoml.api
    async def typed(self, ctx: bentoml.Context) -> str:
        ctx.response.headers["content-type"] = "text/markdown"
        return "# hello"

    @bentoml.api
    async def later(self, ctx: bentoml.Context) -> str:
        file = Path(ctx.temp_dir) / "kept.txt"
        file.write_text("kept")
        ctx.response.background.add_task(self._work, file, ctx)
        return "now"

    def _work(self, file: Path, ctx: bentoml.Context) -> None:
        MARKS.append(f"{file.read_text()} {Path(ctx.temp_dir) == file.parent} {ctx.request.url.path}")

    @bentoml.api
    async def broken_later(self, ctx: bentoml.Context) -> str:
        ctx.response.background.add_task(self._break)
        return "now"

    async def _break(self) -> None:
        raise ValueError("in the background")

    @bentoml.api
    async def endless_later(self, ctx: bentoml.Context) -> str:
        ctx.response.background.add_task(self._go_on)
        return "now"

    async def _go_on(self) -> None:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            MARKS.append("cancelled")
            raise

    @bentoml.on_shutdown
    def shut_down(self) -> None:
        MARKS.append("shut down")

    @bentoml.api
    async def refuse_later(self, ctx: bentoml.Context) -> str:
        ctx.response.background.add_task(MARKS.append, "after all")
        raise BadInput("no")

    @bentoml.api
    async def items(self, ctx: bentoml.Context, fail: bool = False) -> Any:
        ctx.response.status_code = 206
        ctx.response.headers["x-own"] = "yes"
        ctx.response.background.add_task(MARKS.append, "streamed")
        if fail:
            raise BadInput("no items")
        yield 1
        ctx.response.headers["x-late"] = "yes"
        yield ctx.request.headers.get("x-own")


@bentoml.service
class Named:
    @bentoml.api
    async def predict(self) -> str:
        """Says what it does.

        In detail.
        """
        return "own"

    @bentoml.api
    async def run(self) -> str:
        return "own"


@bentoml.service(path_prefix="/v1")
class Prefixed:
    @bentoml.api(route="/own/echo")
    async def echo(self, text: str, /) -> str:
        """Gives it back."""
        return text
