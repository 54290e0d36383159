"""Cases of the middlewares of a service, and of CORS."""

from .asking import Request, call, got, posted
from .batches import task
from .files import part
from .records import Case
from .streams import streamed

ORIGIN = ("origin", "https://page.example")
OTHER = ("origin", "https://other.example")
METHOD = "access-control-request-method"


def preflight(name: str, path: str, status: int, *headers: tuple[str, str]) -> Case:
    return got(f"guarded: {name}", path, status, method="OPTIONS", headers=headers)


CASES = (
    call("guarded: what a middleware added", "/added"),
    call("guarded: a value", "/echo", {"value": {"a": [1]}}),
    call("guarded: a parameter missing", "/echo", status=400),
    call("guarded: refused by a middleware", "/echo", {"value": 1}, 402, headers=[("x-refuse", "yes")]),
    call("guarded: an exception", "/missing", status=404),
    streamed("guarded", "/words", ["one", "two"]),
    call("guarded: a head", "/answered", {"status": 201}, 201),
    call("guarded: 401", "/answered", {"status": 401}, 401),
    posted("guarded: a file", "/size", files={"file": part()}),
    call("guarded: a file that is written", "/written"),
    call("guarded: pickle", "/echo", {"value": 1}, 415, headers=[("content-type", "application/vnd.bentoml+pickle")]),
    Case(name="guarded: a task", ask=task("/squared", number=3), status=200),
    streamed("guarded, with a head", "/headed", ["one"], status=202),
    streamed("guarded, a failure later", "/broken_stream", ["one"]),
    call("guarded: no stream", "/missing_stream", status=404),
    got("guarded: GET of a stream", "/words", 405),
    got("guarded: the schema", "/schema.json"),
    call("guarded: of an origin", "/echo", {"value": 1}, headers=[ORIGIN]),
    call("guarded: of another origin", "/echo", {"value": 1}, headers=[OTHER]),
    call("guarded: of an origin with a cookie", "/echo", {"value": 1}, headers=[ORIGIN, ("cookie", "a=b")]),
    call("guarded: an exception for an origin", "/missing", status=404, headers=[ORIGIN]),
    Case(
        name="stream: guarded, of an origin",
        ask=Request(path="/words", form={"json": {}}, headers=[ORIGIN]),
        items=["one", "two"],
    ),
    preflight("a preflight", "/echo", 200, ORIGIN, (METHOD, "POST")),
    preflight(
        "a preflight for a header",
        "/echo",
        200,
        ORIGIN,
        (METHOD, "POST"),
        ("access-control-request-headers", "x-own, content-type"),
    ),
    preflight(
        "a preflight for another header",
        "/echo",
        400,
        ORIGIN,
        (METHOD, "POST"),
        ("access-control-request-headers", "x-other"),
    ),
    preflight("a preflight of another origin", "/echo", 400, OTHER, (METHOD, "POST")),
    preflight("a preflight for another method", "/echo", 400, ORIGIN, (METHOD, "DELETE")),
    preflight("a preflight of nowhere", "/nowhere", 200, ORIGIN, (METHOD, "POST")),
    preflight("OPTIONS that is no preflight", "/echo", 405),
    got("guarded: alive, of an origin", "/livez", headers=[ORIGIN]),
    got("guarded: GET of an api", "/echo", 405),
)
