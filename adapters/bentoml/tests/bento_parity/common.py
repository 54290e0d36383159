"""Cases of common names and paths, and of a service that is a command."""

from concurrent.futures import ThreadPoolExecutor

from bentoml_server import Server

from .asking import Request, bodiless, call, got, sent
from .records import Answer, Ask, Case
from .streams import streamed


def unluckier(ask: Ask) -> Ask:
    """The answer that is worse, of two who ask at once."""

    def both(server: Server) -> list[Answer]:
        with ThreadPoolExecutor(2) as executor:
            answers = [each for asked in executor.map(ask, (server, server)) for each in asked]
        return [max(answers, key=lambda each: each.status)]

    return both


PREDICTING = (
    call("predicting: an input", "/predict", {"text": "a"}),
    call("predicting: an input at fault", "/predict", {"text": 1}, 400),
    sent("predicting: no body", "/predict", b""),
    got("predicting: GET", "/predict", 405),
)

ROOTED = (
    call("rooted: predict", "/predict", {"text": "a"}),
    call(
        "rooted: a route of several parts", "/v1/chat/completions", {"messages": [{"role": "user"}], "kwargs": {"n": 1}}
    ),
    call("rooted: run", "/run"),
    call("rooted: info", "/info"),
    streamed("rooted", "/generate", ["a", "b"]),
    Case(name="rooted: two at once, sync", ask=unluckier(Request(path="/slow", form={"json": {}}))),
    Case(name="rooted: two at once, async", ask=unluckier(Request(path="/slow_async", form={"json": {}}))),
    got("rooted: a page", "/page"),
    Case(name="rooted: the root", ask=bodiless(Request(path="/", method="GET"))),
    got("rooted: beside an api", "/v1/models"),
    got("rooted: nowhere", "/nowhere", 404),
    got("rooted: GET of an api", "/predict", 405),
    got("rooted: DELETE of a page", "/page", 405, method="DELETE"),
)

COMMANDED = (
    got("commanded: a path", "/some/path?a=1&b=%20", headers=[("x-own", "a")]),
    sent("commanded: POST", "/some", b"body"),
    sent("commanded: PUT", "/some", b"body", method="PUT"),
    got("commanded: DELETE", "/some", method="DELETE"),
    got("commanded: HEAD", "/some", method="HEAD"),
    got("commanded: nowhere", "/missing", 404),
    got("commanded: alive", "/livez"),
)
