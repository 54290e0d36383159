"""A small HTTP server: ``bento_commanded.py PORT [HEALTH_PATH]``."""

import os
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

HEALTH_PATH = sys.argv[2] if len(sys.argv) > 2 else "/health"


async def answer(request: Request) -> Response:
    path = request.url.path
    if path == "/exit":
        os._exit(3)
    if request.method == "POST":
        return PlainTextResponse(f"{path}?{request.url.query} ".encode() + await request.body(), status_code=201)
    return PlainTextResponse(path, status_code=200 if path in (HEALTH_PATH, "/hello", "/metrics") else 404)


app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
