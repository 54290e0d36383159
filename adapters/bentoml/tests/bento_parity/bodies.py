"""Cases of bodies that are wrong or odd, of content types, methods and paths."""

import gzip
import re
import socket

from bentoml_server import Server

from .asking import JSON, Raw, Request, bodiless, call, got, posted, sent, several
from .records import Answer, Case

DEEP = b'{"value":' + b"[" * 150 + b"]" * 150 + b"}"
TOO_DEEP = b'{"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
TYPE = "content-type"


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    fields = "".join(f"{line}\r\n" for line in ("Host: here", *lines, "Connection: close"))
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode()


def half(server: Server) -> list[Answer]:
    """Sends half a body and leaves."""
    with socket.create_connection(server.address, 5) as connection:
        connection.sendall(head("/add", "Content-Length: 700") + b'{"x":1}')
    return []


def own_heads(server: Server) -> list[Answer]:
    """The two headers that BentoML gives to what its apis answer, and to nothing else."""
    asked = [(path, {"upto": 1, "x": x}) for path, x in (("/add", 1), ("/add", "a"), ("/numbers", 1), ("/livez", 1))]
    responses = [server.client.post(path, json=document) for path, document in asked]
    return [
        Answer(
            status=response.status_code,
            headers=(
                ("server", response.headers.get("server", "")),
                (
                    "x-bentoml-request-id",
                    re.sub("[0-9a-f]{16}", "<id>", response.headers.get("x-bentoml-request-id", "")),
                ),
            ),
            body=b"",
        )
        for response in responses
    ]


DOCUMENTS = (
    sent("half a document", "/add", b'{"x":1', JSON, status=400),
    sent("half a string", "/add", b'{"x":"1', JSON, status=400),
    sent("two documents", "/add", b'{"x":1}{"x":2}', JSON, status=400),
    sent("a name twice", "/add", b'{"x":1,"x":2}', JSON),
    sent("a comma more", "/add", b'{"x":1,}', JSON, status=400),
    sent("bytes that are no UTF-8", "/untyped", b'{"value":"\xff"}', JSON, status=400),
    sent("a byte order mark", "/add", b'\xef\xbb\xbf{"x":1}', JSON, status=400),
    sent("UTF-16", "/add", '{"x":1}'.encode("utf-16"), JSON, status=400),
    sent("a lone surrogate", "/untyped", b'{"value":"\\ud800"}', JSON, status=400),
    sent("an escaped pair", "/untyped", b'{"value":"\\ud83d\\ude00"}', JSON),
    sent("NaN", "/untyped", b'{"value":NaN}', JSON),
    sent("an infinity", "/add", b'{"x":1,"y":Infinity}', JSON),
    sent("a number past all", "/add", b'{"x":1,"y":1e999}', JSON),
    sent("a NUL", "/untyped", b'{"value":"a\\u0000b"}', JSON),
    sent("a deep document", "/untyped", DEEP, JSON),
    sent("a document too deep", "/untyped", TOO_DEEP, JSON, status=400),
    sent("a document too deep for a root", "/root_any", TOO_DEEP[9:-1], JSON, status=500),
    sent("a million characters", "/root_str", b"a" * 1_000_000),
    call("a large document", "/untyped", {"value": ["0123456789"] * 50_000}),
    sent("a body in pieces", "/add", [b'{"x"', b":", b"1}"], JSON),
    sent(
        "a compressed body", "/add", gzip.compress(b'{"x":1}', mtime=0), JSON, ("content-encoding", "gzip"), status=400
    ),
)

MEDIA_TYPES = (
    sent("no content type", "/add", b'{"x":1}'),
    sent("an empty content type", "/add", b'{"x":1}', (TYPE, "")),
    sent("text that is JSON", "/add", b'{"x":1}', (TYPE, "text/plain")),
    sent("bytes that are JSON", "/add", b'{"x":1}', (TYPE, "application/octet-stream")),
    sent("a charset", "/add", b'{"x":1}', (TYPE, "application/json; charset=utf-8")),
    sent(
        "another charset",
        "/untyped",
        '{"value":"é"}'.encode("latin-1"),
        (TYPE, "application/json; charset=latin-1"),
        status=400,
    ),
    sent("a content type in capitals", "/add", b'{"x":1}', (TYPE, "APPLICATION/JSON")),
    call("events for an answer", "/add", {"x": 1}, headers=[("accept", "text/event-stream")]),
    call("no answer that is acceptable", "/add", {"x": 1}, headers=[("accept", "image/png")]),
    sent("no such content type", "/add", b'{"x":1}', (TYPE, "nonsense")),
    sent("a problem for a document", "/add", b'{"x":1}', (TYPE, "application/problem+json")),
    sent("pickle", "/add", b"\x80\x04N.", (TYPE, "application/vnd.bentoml+pickle"), status=415),
    sent("pickle with a parameter", "/add", b"\x80\x04N.", (TYPE, "application/vnd.bentoml+pickle; a=b"), status=415),
    posted("a form", "/describe", data={"name": "a", "flag": "true", "tags": '["b"]'}),
    posted("a form whose text is a number", "/describe", 400, data={"name": "1"}),
    posted("a form with a name twice", "/add", data={"x": ["1", "2"]}),
    sent("a form that is empty", "/add", b"", (TYPE, "application/x-www-form-urlencoded"), status=400),
    sent("a form that is JSON", "/add", b'{"x":1}', (TYPE, "application/x-www-form-urlencoded"), status=400),
    posted("multipart fields", "/describe", files={"name": (None, "a b"), "counts": (None, '{"c":1}')}),
    posted("multipart with a file for text", "/describe", files={"name": ("name.txt", b"from a file", "text/plain")}),
    sent("multipart without a boundary", "/describe", b"--b--", (TYPE, "multipart/form-data"), status=500),
    sent(
        "multipart cut short",
        "/describe",
        b"--b\r\nContent-Disposition: form-data",
        (TYPE, "multipart/form-data; boundary=b"),
        status=400,
    ),
    sent("multipart of nothing", "/describe", b"--b--\r\n", (TYPE, "multipart/form-data; boundary=b"), status=400),
    sent("multipart that is none", "/describe", b"hello", (TYPE, "multipart/form-data; boundary=b"), status=500),
    Case(
        name="a content type twice",
        ask=Raw(
            head("/add", "Content-Type: application/json", "Content-Type: text/plain", "Content-Length: 7") + b'{"x":1}'
        ),
    ),
)

SOCKETS = (
    Case(name="HTTP 1.0", ask=Raw(b'POST /add HTTP/1.0\r\nContent-Length: 7\r\n\r\n{"x":1}')),
    Case(
        name="a body that is asked for", ask=Raw(head("/add", "Expect: 100-continue", "Content-Length: 7") + b'{"x":1}')
    ),
    Case(name="a piece that is none", ask=Raw(head("/add", "Transfer-Encoding: chunked") + b"zz\r\n"), status=400),
    Case(name="a body and more", ask=Raw(head("/add", "Content-Length: 7") + b'{"x":1}{"x":2}')),
    Case(name="no HTTP", ask=Raw(b"hello\r\n\r\n"), status=400),
    Case(name="half a body, and the next request", ask=several(half, Request(path="/add", form={"json": {"x": 1}}))),
)

PATHS = (
    *(
        got(f"{method} of an api", "/add", 405, method=method)
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
    ),
    got("TRACE of an api", "/add", 405, method="TRACE"),
    got("GET of nowhere", "/nowhere", 404),
    got("POST to nowhere", "/nowhere", 404, method="POST"),
    got("a path below an api", "/add/more", 404, method="POST"),
    call("a slash at the end", "/add/", {"x": 1}, 307),
    call("a path in capitals", "/Add", {"x": 1}, 404),
    call("a path that is escaped", "/%61dd", {"x": 1}),
    call("a query that nobody asks for", "/add?x=5&y=6", {"x": 1}),
    Case(name="two slashes", ask=Raw(head("//add", "Content-Length: 7") + b'{"x":1}'), status=404),
    Case(name="a whole address for a path", ask=Raw(head("http://there/add", "Content-Length: 7") + b'{"x":1}')),
    got("HEAD of health", "/livez", method="HEAD"),
    got("OPTIONS of health", "/livez", 405, method="OPTIONS"),
    got("alive", "/livez"),
    Case(name="healthy", ask=bodiless(Request(path="/healthz", method="GET"))),
    got("ready", "/readyz"),
    got("health by POST", "/readyz", 405, method="POST"),
    got("the schema", "/schema.json"),
    Case(name="BentoML's own headers", ask=own_heads),
    Case(
        name="three in a row",
        ask=several(*(Request(path="/add", form={"json": {"x": x}}) for x in (1, "a", 2))),
        status=None,
    ),
)

CASES = (*DOCUMENTS, *MEDIA_TYPES, *SOCKETS, *PATHS)
