"""A server that has nothing to do with BentoML."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def said(request: Request) -> JSONResponse:
    """Says what it was asked."""
    return JSONResponse(
        {
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "own": request.headers.get("x-own"),
            "body": (await request.body()).decode(),
        },
        status_code=404 if request.url.path == "/missing" else 200,
        headers={"x-command": "yes"},
    )


app = Starlette(routes=[Route("/{path:path}", said, methods=["GET", "POST", "PUT", "DELETE"])])
