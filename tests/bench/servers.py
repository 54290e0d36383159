"""The peers: the same models behind a bare Starlette handler, and behind FastAPI."""

import sys
from collections.abc import AsyncIterator, Iterator

import uvicorn
from models import Answer, Small, Text, answer, burn
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


def _json(value: object, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type="application/json")


async def predict_sync(request: Request) -> Response:
    try:
        given = Small.model_validate_json(await request.body())
    except ValidationError as error:
        return _json(error.errors(), 422)
    return _json(await run_in_threadpool(answer, given))


async def predict_async(request: Request) -> Response:
    try:
        given = Small.model_validate_json(await request.body())
    except ValidationError as error:
        return _json(error.errors(), 422)
    return _json(answer(given))


async def events_async(request: Request) -> Response:
    n = (await request.json()).get("n", 1_000)

    async def items() -> AsyncIterator[bytes]:
        for index in range(n):
            yield b"data: " + to_json({"token": index}) + b"\n\n"

    return StreamingResponse(items(), media_type="text/event-stream")


async def events_sync(request: Request) -> Response:
    n = (await request.json()).get("n", 1_000)

    def items() -> Iterator[bytes]:
        for index in range(n):
            yield b"data: " + to_json({"token": index}) + b"\n\n"

    return StreamingResponse(items(), media_type="text/event-stream")


async def ticks(request: Request) -> Response:
    import asyncio
    import time

    n = (await request.json()).get("n", 200)

    async def items() -> AsyncIterator[bytes]:
        for _ in range(n):
            yield b"data: " + to_json(time.perf_counter()) + b"\n\n"
            await asyncio.sleep(0.005)

    return StreamingResponse(items(), media_type="text/event-stream")


async def text_in(request: Request) -> Response:
    given = Text.model_validate_json(await request.body())
    return _json({"size": len(given.data)})


async def text_both(request: Request) -> Response:
    given = Text.model_validate_json(await request.body())
    return _json(given.data)


async def burner(request: Request) -> Response:
    burn((await request.json())["how"])
    return _json("done")


async def health(_: Request) -> Response:
    return JSONResponse({"status": "OK"})


def bare() -> Starlette:
    posts = {
        "/sync": predict_sync,
        "/async": predict_async,
        "/events-sync": events_sync,
        "/events-async": events_async,
        "/ticks": ticks,
        "/text-in": text_in,
        "/text-both": text_both,
        "/burn": burner,
    }
    routes = [Route(path, endpoint, methods=["POST"]) for path, endpoint in posts.items()]
    return Starlette(routes=[*routes, Route("/health", health)])


def fast() -> object:
    from fastapi import FastAPI

    app = FastAPI()

    @app.post("/sync")
    def sync_route(given: Small) -> Answer:
        return answer(given)

    @app.post("/async")
    async def async_route(given: Small) -> Answer:
        return answer(given)

    return app


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    app = bare() if kind == "bare" else fast()
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, proxy_headers=False,
        server_header=False, date_header=False, log_level="error",
    )  # fmt: skip


main()
