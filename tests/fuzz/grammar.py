"""Requests as nobody should send them: each with a name, all made from one seed."""

from collections.abc import Iterator
from random import Random

from . import bodies, heads
from .case import Case, chunked, request, show

DOCUMENTS = (
    b"/", b"/health", b"/healthz", b"/schema", b"/capabilities", b"/openapi.json", b"/version", b"/docs",
    b"/docs/swagger-ui.css", b"/metrics", b"/hardware/info",
)  # fmt: skip
OPERATIONS = (b"/predict", b"/predict/", b"/run", b"/")
ELSEWHERE = (b"/nothing", b"/stream/start", b"/stream/params", b"/stream/stop", b"/docs/nothing", b"/docs/../schema")
LARGE_DOCUMENT = b"/docs/swagger-ui-bundle.js"


def cases(random: Random, *, example: bytes, name: bytes, mutations: int) -> Iterator[Case]:
    """All cases for one server.

    Args:
        random: Where chance comes from.
        example: A JSON document that the default operation takes.
        name: The capability's name, which is a route.
        mutations: How many cases to make by chance.
    """
    paths = (*OPERATIONS, b"/" + name)
    yield from _everywhere(paths, example)
    yield from heads.first_lines()
    yield from heads.targets(random)
    yield from heads.headers(example)
    yield from heads.lengths(example)
    yield from heads.chunks(example)
    yield from _bodies(paths, example)
    yield from _connections(example)
    for number in range(mutations):
        yield _mutation(random, number, paths, example)


def _everywhere(paths: tuple[bytes, ...], example: bytes) -> Iterator[Case]:
    for path in (*DOCUMENTS, *paths, *ELSEWHERE, LARGE_DOCUMENT):
        for method in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND"):
            body = example if method not in (b"GET", b"HEAD") else None
            yield Case(name=f"{show(method)} {show(path)}", pieces=(request(method, path, body=body),))


def _bodies(paths: tuple[bytes, ...], example: bytes) -> Iterator[Case]:
    documents = list(bodies.documents(example))
    for label, document in documents:
        sent = request(b"POST", b"/predict", b"Content-Type: application/json", body=document)
        yield Case(name=f"body {label}", pieces=(sent,))
    for media_type in bodies.MEDIA_TYPES:
        for body in (example, b"", b"a=b", b"\xff"):
            sent = request(b"POST", b"/predict", b"Content-Type: " + media_type, body=body)
            yield Case(name=f"media type {show(media_type)}, body {show(body)}", pieces=(sent,), whole=False)
    for label, media_type, form in bodies.forms(example):
        for path in paths[:2]:
            sent = request(b"POST", path, b"Content-Type: " + media_type, body=form)
            yield Case(name=f"form {label} to {show(path)}", pieces=(sent,))


def _connections(example: bytes) -> Iterator[Case]:
    call = request(b"POST", b"/predict", body=example)
    get = request()
    yield Case(name="two requests at once", pieces=(call + call,), answers=2)
    yield Case(name="many requests at once", pieces=((get + call) * 50,), answers=100)
    yield Case(name="a request and nonsense", pieces=(get + b"nonsense\r\n\r\n",), answers=2)
    yield Case(name="a call and nonsense", pieces=(call, b"nonsense\r\n\r\n"), answers=2)
    yield Case(name="a request after close", pieces=(request(b"GET", b"/health", b"Connection: close") + get,))
    yield Case(
        name="a refused body and a request", pieces=(request(b"POST", b"/nothing", body=example) + get,), answers=2
    )
    yield Case(name="a call byte by byte", pieces=tuple(bytes((byte,)) for byte in call))
    yield Case(name="a document byte by byte", pieces=tuple(bytes((byte,)) for byte in get))
    yield Case(name="more than promised", pieces=(call + b"{}" * 100,), answers=2)
    for ending in ("leave", "reset"):
        for at in range(0, len(call), 7):
            yield Case(name=f"{ending} after {at} bytes of a call", pieces=(call[:at],), ending=ending)
        for path in (LARGE_DOCUMENT, b"/health", b"/openapi.json"):
            yield Case(name=f"{ending} within {show(path)}", pieces=(request(b"GET", path) * 3,), ending=ending)
        for number in range(20):
            yield Case(name=f"{ending} after a call, {number}", pieces=(call * number,), ending=ending)


def _mutation(random: Random, number: int, paths: tuple[bytes, ...], example: bytes) -> Case:
    if random.random() < 0.3:
        document = bodies.mutate(random, example)
        sent = request(b"POST", random.choice(paths), random.choice(bodies.KINDS), body=document)
        return Case(name=f"mutation {number} of a document", pieces=(sent,))
    sent = random.choice(
        (
            request(b"GET", random.choice(DOCUMENTS)),
            request(b"POST", random.choice((*paths, *ELSEWHERE)), random.choice(bodies.KINDS), body=example),
            request(b"POST", random.choice(paths), b"Transfer-Encoding: chunked") + chunked(example),
        )
    )
    for _ in range(random.randint(1, 4)):
        sent = bodies.damage(random, sent)
    cuts = sorted(random.sample(range(len(sent) + 1), min(len(sent) + 1, random.choice((0, 0, 1, 3)))))
    pieces = tuple(sent[start:end] for start, end in zip((0, *cuts), (*cuts, len(sent)), strict=True))
    ending = random.choices(("read", "leave", "reset"), (8, 1, 1))[0]
    return Case(name=f"mutation {number}", pieces=pieces, whole=False, answers=len(sent), ending=ending)
