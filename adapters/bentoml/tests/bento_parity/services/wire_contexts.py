"""Apis that read the request and write the response themselves, and apis that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import (
    BadInput,
    BentoMLException,
    InternalServerError,
    InvalidArgument,
    NotFound,
    ServiceUnavailable,
    UnprocessableEntity,
)
from pydantic import BaseModel
from starlette.exceptions import HTTPException


class Contexts:
    """The context of a request."""

    @bentoml.api
    def seen(self, ctx: bentoml.Context, names: list[str]) -> dict[str, Any]:
        return {name: ctx.request.headers.getlist(name) for name in names}

    @bentoml.api
    def asked(self, context: bentoml.Context) -> dict[str, Any]:
        request = context.request
        return {
            "method": request.method,
            "url": str(request.url),
            "raw": request.scope["raw_path"].decode(),
            "version": request.scope["http_version"],
            "query": request.query_params.multi_items(),
            "cookies": request.cookies,
        }

    @bentoml.api
    def caller(self, ctx: bentoml.Context) -> Any:
        return ctx.request.client and ctx.request.client.host

    @bentoml.api
    def answered(
        self,
        ctx: bentoml.Context,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        cookies: dict[str, str] | None = None,
        value: Any = None,
    ) -> Any:
        ctx.response.status_code = status
        for name, text in headers:
            ctx.response.headers.append(name, text)
        for name, text in (cookies or {}).items():
            ctx.response.set_cookie(name, text, max_age=10, httponly=True)
        return value

    @bentoml.api
    def answered_bare(self, ctx: bentoml.Context) -> str:
        ctx.response.headers["content-type"] = "text/x-own"
        ctx.response.headers["x-twice"] = "first"
        ctx.response.headers["x-twice"] = "last"
        return "own type"

    @bentoml.api
    def counted(self, ctx: bentoml.Context) -> int:
        return ctx.state.get("count", 0)

    @bentoml.api
    async def later(self, ctx: bentoml.Context) -> str:
        """Counts once the answer is out."""

        def count() -> None:
            ctx.state["count"] = ctx.state.get("count", 0) + 1

        ctx.response.background.add_task(count)
        return "soon"

    @bentoml.api
    async def later_fails(self, ctx: bentoml.Context) -> str:
        def fail() -> None:
            raise ValueError("too late to tell")

        ctx.response.background.add_task(fail)
        return "soon"

    @bentoml.api
    def scratch(self, ctx: bentoml.Context, text: str) -> str:
        path = Path(ctx.temp_dir) / "scratch.txt"
        existed = path.exists()
        path.write_text(text)
        return f"{existed} {path.read_text()}"

    @bentoml.api
    async def of_others(self) -> Any:
        """Asks another api of the same service, as itself and as a caller."""
        service = bentoml.get_current_service()
        return [await self.to_async.give_async(3), service is self]

    @bentoml.api
    async def give_async(self, number: int) -> int:
        return number


class Strict(BaseModel):
    number: int


KINDS = {
    "invalid argument": lambda: InvalidArgument("told to"),
    "bad input": lambda: BadInput("bad é"),
    "not found": lambda: NotFound("nowhere"),
    "unprocessable": lambda: UnprocessableEntity("cannot"),
    "unavailable": lambda: ServiceUnavailable("down"),
    "base": lambda: BentoMLException("base"),
    "internal": lambda: InternalServerError("within"),
    "teapot": lambda: BentoMLException("tea", error_code=HTTPStatus.IM_A_TEAPOT),
    "unauthorized": lambda: BentoMLException("who", error_code=HTTPStatus.UNAUTHORIZED),
    "forbidden": lambda: BentoMLException("you", error_code=HTTPStatus.FORBIDDEN),
    "payment": lambda: BentoMLException("pay", error_code=HTTPStatus.PAYMENT_REQUIRED),
    "often": lambda: BentoMLException("slow down", error_code=HTTPStatus.TOO_MANY_REQUESTS),
    "gateway": lambda: BentoMLException("late", error_code=HTTPStatus.GATEWAY_TIMEOUT),
    "redirect": lambda: BentoMLException("there", error_code=HTTPStatus.FOUND),
    "value": lambda: ValueError("secret"),
    "key": lambda: KeyError("secret"),
    "http 404": lambda: HTTPException(404, "not here"),
    "http 503": lambda: HTTPException(503, "not now", headers={"retry-after": "3"}),
    "timeout": lambda: TimeoutError("late"),
    "stop": lambda: StopIteration("stopped"),
}


class Failures:
    """Each way in which an api may fail."""

    @bentoml.api
    def fail(self, kind: str) -> str:
        raise KINDS[kind]()

    @bentoml.api
    async def fail_async(self, kind: str) -> str:
        await asyncio.sleep(0)
        raise KINDS[kind]()

    @bentoml.api
    def fail_with_head(self, ctx: bentoml.Context, kind: str) -> str:
        ctx.response.status_code = 202
        ctx.response.headers["x-set"] = "before"
        ctx.response.set_cookie("set", "before")
        raise KINDS[kind]()

    @bentoml.api
    def fail_to_validate(self) -> str:
        return str(Strict(number="no"))  # type: ignore[arg-type]

    @bentoml.api
    def fail_as_validating(self, number: Any = "x") -> int:
        return number
