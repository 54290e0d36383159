"""Tells numbers one by one, gives away a file, and refuses what is too much: a service of several apis."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import bentoml
from bentoml.exceptions import BentoMLException
from bentoml.validators import ContentType
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


class TeapotError(BentoMLException):
    error_code = 418


async def about(request: Request) -> Response:
    return PlainTextResponse(f"about {request.query_params.get('what', 'nothing')}")


@bentoml.service(name="teller")
@bentoml.asgi_app(Starlette(routes=[Route("/about", about)]), path="/pages")
class Teller:
    @bentoml.api
    async def tell(self, count: int = 3) -> AsyncIterator[dict[str, int]]:
        for number in range(count):
            yield {"number": number}

    @bentoml.api
    def shout(self, text: str, ctx: bentoml.Context) -> str:
        ctx.response.headers["x-shouted"] = str(len(text))
        if text == "tea":
            raise TeapotError("short and stout")
        return text.upper()

    @bentoml.api
    def size(self, file: Annotated[Path, ContentType("text/plain")]) -> int:
        return file.stat().st_size
