"""Cases of the request's context, and of failures."""

from typing import Any

from bentoml_server import Server

from .asking import Raw, Request, call, several, until
from .records import Answer, Case

HEADERS = (
    "host", "user-agent", "accept", "accept-encoding", "accept-language", "authorization", "connection",
    "content-type", "content-length", "transfer-encoding", "cookie", "origin", "traceparent", "x-forwarded-for",
    "x-request-id", "x-own",
)  # fmt: skip
SEEN = {"names": HEADERS}
HOST = ("host", "here.example")
NOT_ASCII = b'POST /seen HTTP/1.1\r\nHost: here\r\nX-Own: caf\xe9\r\nContent-Length: 19\r\n\r\n{"names":["x-own"]}'
PIECES = [b'{"names":["transfer-encoding",', b'"content-length","content-type"]}']
MEANT = (
    ("authorization", "Bearer abc"),
    ("x-request-id", "mine"),
    ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
    ("x-forwarded-for", "1.2.3.4"),
    ("origin", "https://page.example"),
)
KINDS = {
    "invalid argument": 400, "bad input": 400, "not found": 404, "unprocessable": 422, "unavailable": 503,
    "base": 500, "internal": 500, "teapot": 418, "unauthorized": 401, "forbidden": 403, "payment": 402, "often": 429,
    "gateway": 504, "redirect": 302, "value": 500, "key": 500, "http 404": 500, "http 503": 500, "timeout": 500,
    "no such": 500,
}  # fmt: skip
OF_ASYNC = ("not found", "value", "unauthorized", "http 404", "stop")


def answered(name: str, status: int = 200, *, expect: int | None = None, **document: Any) -> Case:
    return call(f"answered: {name}", "/answered", {"status": status, **document}, expect or status)


def counted_later(server: Server) -> list[Answer]:
    """What happens once the answer is out has happened at last."""
    count = Request(path="/counted", form={"json": {}})
    before = count.send(server).json()
    found = Request(path="/later", form={"json": {}})(server)
    until(lambda: count.send(server), lambda response: response.json() == before + 1)
    return found


CASES = (
    call("headers of a client", "/seen", SEEN, headers=[HOST]),
    call("headers that mean something", "/seen", SEEN, headers=[HOST, *MEANT]),
    Case(name="headers of a body in pieces", ask=Request(path="/seen", content=PIECES, headers=[HOST])),
    call("headers", "/seen", SEEN, headers=[HOST, ("X-Own", "a"), ("x-own", "b"), ("accept-language", "de, en;q=0.5")]),
    Case(name="a header that is not ASCII", ask=Raw(NOT_ASCII)),
    call("a header's length", "/seen", SEEN, headers=[HOST, ("x-own", "a" * 8000)]),
    call("the caller's address", "/caller"),
    call("a query", "/asked?a=1&a=2&b=%C3%A9+x&c", headers=[HOST]),
    call("cookies", "/asked", headers=[HOST, ("cookie", 'a=1; b="2 3"; a=4')]),
    call("two cookie headers", "/asked", headers=[HOST, ("cookie", "a=1"), ("cookie", "b=2")]),
    call("a path that is escaped, seen", "/%61sked", headers=[HOST]),
    answered("a status", 201, value={"a": 1}),
    answered("a failure's status", 404, value="gone"),
    answered("401", 401, value="who"),
    answered("no content", 204, value=""),
    answered("headers", headers=[["x-one", "1"], ["X-Two", "2"]]),
    answered("a header twice", headers=[["x-one", "1"], ["x-one", "2"]]),
    answered("cookies", cookies={"a": "1", "b": "2 ;é"}),
    answered("a header with accents", headers=[["x-one", "caf\u00e9"]]),
    answered("a header that latin-1 has not", headers=[["x-one", "\u20ac"]], expect=500),
    call("answered: an own type", "/answered_bare"),
    Case(name="something later", ask=counted_later, status=200),
    Case(
        name="a folder for each request",
        ask=several(*(Request(path="/scratch", form={"json": {"text": text}}) for text in "ab")),
        status=200,
    ),
    call("an api that asks another", "/of_others"),
    *(call(f"fail: {kind}", "/fail", {"kind": kind}, status) for kind, status in KINDS.items()),
    *(call(f"fail, async: {kind}", "/fail_async", {"kind": kind}, KINDS.get(kind, 500)) for kind in OF_ASYNC),
    *(
        call(f"fail with a head: {kind}", "/fail_with_head", {"kind": kind}, KINDS[kind])
        for kind in ("not found", "value")
    ),
    call("fail to validate", "/fail_to_validate", status=400),
    call("fail to give a number", "/fail_as_validating", status=400),
)
