"""Cases of a path's prefix, and of applications beside the apis."""

from .asking import call, got, sent
from .batches import task
from .records import Case

P = "/under/here"

CASES = (
    call("mounted: an api under the prefix", f"{P}/ping"),
    call("mounted: an api without the prefix", "/ping", status=404),
    call("mounted: a route", f"{P}/a/b", {"x": "1"}),
    got("mounted: alive", f"{P}/livez"),
    got("mounted: ready", f"{P}/readyz"),
    got("mounted: ready without the prefix", "/readyz", 404),
    got("mounted: the schema", "/schema.json"),
    got("mounted: FastAPI", f"{P}/fast/greet/you?times=2"),
    got("mounted: FastAPI at fault", f"{P}/fast/greet/you?times=many", 422),
    got("mounted: FastAPI, a method", f"{P}/fast/own/a"),
    call("mounted: FastAPI, a method that asks an api", f"{P}/fast/asked", {"x": 3}, 500),
    got("mounted: FastAPI's schema", f"{P}/fast/openapi.json"),
    got("mounted: FastAPI, nowhere", f"{P}/fast/nowhere", 404),
    got("mounted: FastAPI, by another method", f"{P}/fast/greet/you", 405, method="DELETE"),
    call("mounted: FastAPI, a document", f"{P}/fast/echo", {"a": [1]}),
    got("mounted: Starlette", f"{P}/asgi/described?a=1"),
    got("mounted: Starlette, HEAD", f"{P}/asgi/described", method="HEAD"),
    sent("mounted: Starlette, PUT", f"{P}/asgi/described", b"body", method="PUT"),
    sent("mounted: Starlette, PATCH", f"{P}/asgi/described", b"body", method="PATCH"),
    got("mounted: Starlette, DELETE", f"{P}/asgi/described", 405, method="DELETE"),
    got("mounted: a stream", f"{P}/asgi/streamed"),
    got("mounted: 401", f"{P}/asgi/refused", 401),
    got("mounted: WSGI", f"{P}/wsgi/deep/path?a=1", 203),
    sent("mounted: WSGI, POST", f"{P}/wsgi/", b"body", status=203),
    sent("mounted: WSGI without its slash", f"{P}/wsgi", b"body", status=307),
    got("mounted: a mount's root", f"{P}/asgi", 404),
    Case(name="mounted: a task", ask=task(f"{P}/squared", number=4), status=200),
)
