"""Questions to a server, and answers that can be compared."""

import http.client
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
from bentoml_server import Server

from .records import Answer, Ask, Case

NOT_COMPARED = {
    "date": "tells the time",
    "server": "is compared by a case of its own: `BentoML Service/NAME` is on what apis answer",
    "x-bentoml-request-id": "is compared by a case of its own: it is a new one each time",
    "x-request-id": "is the id of the call at our edge",
    "content-length": "follows from the body, and the HTTP client holds the server to it",
    "transfer-encoding": "is the transport's: how a body is cut has no meaning",
    "connection": "is the transport's",
    "keep-alive": "is the transport's",
}
"""The headers that are left out, and why."""

JSON = ("content-type", "application/json")
LIMIT_SECONDS = 20

_VARYING = (
    (re.compile(rb'"task_id":\s*"[0-9a-f]{32}"'), b'"task_id":"<id>"'),
    (re.compile(rb'"request_id":"[0-9a-f]+"'), b'"request_id":"<id>"'),
    (re.compile(rb"task [0-9a-f]{32} "), b"task <id> "),
    (re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?"'), b'"<time>"'),
    # The words of the parser, which were others once.
    (re.compile(rb"Invalid multipart data\.|Expected boundary character \d+, got \d+ at index \d+"), b"<no multipart>"),
    (re.compile(rb"http://127\.0\.0\.1:\d+"), b"<server>"),
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """Any request that an HTTP client can make."""

    path: str
    method: str = "POST"
    content: bytes | Iterable[bytes] | None = None
    headers: Sequence[tuple[str, str]] = ()
    form: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What httpx makes a body of: `json`, `data`, `files`."""

    def __call__(self, server: Server) -> list[Answer]:
        return [answer(self.send(server))]

    def send(self, server: Server) -> httpx2.Response:
        content = self.content if isinstance(self.content, bytes | None) else iter(self.content)
        response = server.client.request(self.method, self.path, content=content, headers=self.headers, **self.form)
        server.client.cookies.clear()
        return response


@dataclass(frozen=True)
class Raw:
    """Bytes on a socket, for what no client would send."""

    content: bytes

    def __call__(self, server: Server) -> list[Answer]:
        with socket.create_connection(server.address, LIMIT_SECONDS) as connection:
            connection.sendall(self.content)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return [steady(response.status, response.getheaders(), response.read())]


def several(*asks: Ask) -> Ask:
    """One question after the other."""
    return lambda server: [each for ask in asks for each in ask(server)]


def bodiless(ask: Ask) -> Ask:
    """The heads of answers alone."""
    return lambda server: [replace(each, body=b"") for each in ask(server)]


def call(name: str, path: str, document: Any = None, status: int | None = 200, **more: Any) -> Case:
    """A call of an api with a JSON document."""
    headers = more.pop("headers", ())
    form: dict[str, Any] = {"json": {} if document is None else document}
    return Case(name=name, ask=Request(path=path, form=form, headers=headers), status=status, **more)


def sent(
    name: str,
    path: str,
    content: bytes | Sequence[bytes],
    *headers: tuple[str, str],
    status: int = 200,
    method: str = "POST",
) -> Case:
    """A request whose body is as it is, without a content type unless it is given."""
    return Case(name=name, ask=Request(path=path, method=method, content=content, headers=headers), status=status)


def posted(name: str, path: str, status: int = 200, *, files: Any = None, data: Any = None) -> Case:
    """A form: multipart if there are files in it, urlencoded otherwise."""
    return Case(name=name, ask=Request(path=path, form={"files": files, "data": data}), status=status)


def got(
    name: str, path: str, status: int = 200, *, method: str = "GET", headers: Sequence[tuple[str, str]] = ()
) -> Case:
    """A request without a body."""
    return Case(name=name, ask=Request(path=path, method=method, headers=headers), status=status)


def answer(response: httpx2.Response) -> Answer:
    return steady(response.status_code, response.headers.multi_items(), response.content)


def steady(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
    """An answer without what is not compared and what varies."""
    compared = [(name.lower(), value) for name, value in headers if name.lower() not in NOT_COMPARED]
    steadied = tuple((name, _steady_header(name, value)) for name, value in sorted(compared, key=lambda each: each[0]))
    return Answer(status=status, headers=steadied, body=_steady(body))


def _steady_header(name: str, value: str) -> str:
    # Starlette lists methods as a set has them.
    return ", ".join(sorted(value.split(", "))) if name == "allow" else _steady(value.encode()).decode()


def _steady(content: bytes) -> bytes:
    for pattern, replacement in _VARYING:
        content = pattern.sub(replacement, content)
    return content


def until(ask: Callable[[], httpx2.Response], satisfied: Callable[[httpx2.Response], bool]) -> httpx2.Response:
    """Ask again until the answer is the one that is waited for."""
    limit = time.monotonic() + LIMIT_SECONDS
    while not satisfied(response := ask()):
        assert time.monotonic() < limit, f"never came: the last was {response.status_code} {response.text}"
        time.sleep(0.02)
    return response
