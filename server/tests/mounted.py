"""The mounted applications that the server's tests serve, in a process of its own or inline."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import livepeer.host._checks as checks
from livepeer.core import (
    Call,
    Encoded,
    Info,
    Manifest,
    Mount,
    NotReadyError,
    OperationDescription,
    Target,
    current_call,
)

Scope = dict[str, Any]


def gate(name: str, what: str) -> Path:
    return Path(os.environ["LIVEPEER_TEST_MARKS"]) / f"{name}.{what}"


def mark(name: str, what: str) -> None:
    gate(name, what).touch()


async def go(name: str) -> None:
    while not gate(name, "go").exists():  # noqa: ASYNC110 - the test is another process
        await asyncio.sleep(0.005)


def go_blocking(name: str) -> None:
    while not gate(name, "go").exists():
        time.sleep(0.005)


class Exchange:
    """One request of an application."""

    def __init__(self, scope: Scope, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.asked = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}

    async def start(self, *headers: tuple[bytes, bytes], status: int = 200) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def piece(self, body: bytes, *, last: bool = False) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": not last})

    async def answer(self, value: object) -> None:
        await self.start((b"content-type", b"application/json"))
        await self.piece(json.dumps(value).encode(), last=True)

    async def read(self) -> bytes:
        body = b""
        while True:
            message = await self.receive()
            assert message["type"] == "http.request"
            body += message["body"]
            if not message["more_body"]:
                return body

    async def until_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


def readable(value: Any) -> Any:
    """A scope as JSON: bytes as lists of one text, tuples as they are."""
    if isinstance(value, bytes):
        return [value.decode("latin-1")]
    if isinstance(value, list | tuple):
        return [readable(item) for item in value]
    if isinstance(value, Mapping):
        return {key: readable(item) for key, item in value.items()}
    return value


async def http_scope(x: Exchange) -> None:
    found = readable(x.scope)
    found["body"] = readable(await x.read())
    assert isinstance(x.scope["headers"][0], tuple)
    assert isinstance(x.scope["client"], tuple)
    await x.answer(found)


async def http_echo(x: Exchange) -> None:
    """Sends each piece back as it comes."""
    await x.start()
    while (message := await x.receive())["more_body"]:
        await x.piece(message["body"])
    await x.piece(message["body"], last=True)


async def http_slow(x: Exchange) -> None:
    """Takes a first piece, waits, and takes the rest."""
    size = len((await x.receive())["body"])
    mark("slow", "entered")
    await go("slow")
    while (message := await x.receive())["more_body"]:
        size += len(message["body"])
    await x.answer(size + len(message["body"]))


async def http_large(x: Exchange) -> None:
    size = int(x.asked["size"])
    await x.start((b"content-length", b"%d" % size))
    await x.piece(b"x" * size, last=True)


async def http_events(x: Exchange) -> None:
    await x.start((b"content-type", b"text/event-stream"))
    for number in range(3):
        await x.piece(b"data: %d\n\n" % number)
        await go(f"event-{number}")
    await x.piece(b"", last=True)


async def http_headers(x: Exchange) -> None:
    await x.start((b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"X-Odd", b"caf\xe9"), status=418)
    await x.piece(b"", last=True)


async def http_unauthorized(x: Exchange) -> None:
    await x.start((b"www-authenticate", b"Basic"), (b"content-length", b"0"), status=401)
    await x.send({"type": "http.response.body"})


async def http_own_id(x: Exchange) -> None:
    await x.start((b"X-Request-Id", b"mine"))
    await x.piece(b"", last=True)


async def http_wait(x: Exchange) -> None:
    """Waits for its caller to leave."""
    await x.read()
    mark("wait", "entered")
    await x.until_gone()
    call = current_call()
    assert call is not None
    assert call.cancelled
    mark("wait", "gone")


async def http_wait_streaming(x: Exchange) -> None:
    await x.start()
    await x.piece(b"begun")
    await http_wait(x)


async def http_upload_gone(x: Exchange) -> None:
    await x.receive()
    mark("wait", "entered")
    await x.until_gone()
    mark("wait", "gone")


async def http_endless(x: Exchange) -> None:
    """Streams for ever, and looks beside that whether anybody is there."""
    gone = asyncio.ensure_future(x.until_gone())
    await x.start()
    mark("wait", "entered")
    while not gone.done():
        await x.piece(b"x" * 10_000)
    mark("wait", "gone")


async def http_stuck_sender(x: Exchange) -> None:
    """Streams more than there is room for to a caller that takes nothing, and must get out when it leaves."""
    await x.read()
    await x.start()
    for _ in range(2_000):
        await x.piece(b"x" * 10_000)
        mark("wait", "entered")
    await x.piece(b"", last=True)
    mark("wait", "gone")


class WhenError(Exception):
    pass


def fail(how: str) -> None:
    if how == "exit":
        os._exit(7)
    if how == "system-exit":
        raise SystemExit(3)
    raise WhenError("a secret in the message")


async def http_fail(x: Exchange) -> None:
    """Fails where it is told to."""
    when, how = x.asked["when"], x.asked.get("how", "raise")
    if when == "unread":
        fail(how)
    await x.receive()
    if when == "read":
        fail(how)
    await x.start((b"content-type", b"text/plain"))
    if when == "started":
        fail(how)
    await x.piece(b"some")
    if when == "streaming":
        await go("fail")
        fail(how)
    await x.piece(b"", last=True)
    if when == "answered":
        fail(how)


async def http_returns(x: Exchange) -> None:
    """Returns before it is done."""
    if x.asked["when"] == "started":
        await x.start()


async def http_breaks_rules(x: Exchange) -> None:
    """Says which of its messages were refused to it."""
    await x.read()
    refused: list[str] = []
    body = {"type": "http.response.body", "body": b"x"}
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]}
    tries = [
        body,
        {**start, "status": 99},
        {**start, "headers": [(b"a b", b"c")]},
        {**start, "headers": [(b"a", b"c\r\nd: e")]},
        {**start, "headers": [(b"", b"c")]},
        start,
        start,
        {"type": "http.response.trailers"},
        body,
        {**body, "more_body": True},
        {**body, "body": 5, "more_body": True},
        {**body, "body": b"yyy"},
        {**body, "body": b"yy"},
        body,
    ]
    for message in tries:
        try:
            await x.send(message)
        except Exception as error:  # noqa: BLE001 - that it raises is the point
            refused.append(f"{type(error).__name__}: {error}")
        else:
            refused.append("")
    gate("rules", "list").write_text(json.dumps(refused))


async def http_background(x: Exchange) -> None:
    await x.answer("soon")
    mark("background", "entered")
    assert (await x.receive())["type"] == "http.disconnect"
    await go("background")
    mark("background", "done")


async def http_state(x: Exchange) -> None:
    x.scope["state"]["seen"].append(x.scope["path"])
    x.scope["state"]["own"] = "only this request's"
    await x.answer({"state": x.scope["state"]["seen"], "has_more": len(x.scope["state"]) > 2})


async def http_print(x: Exchange) -> None:
    call = current_call()
    assert call is not None
    print("a printed line")
    await x.answer(
        {"id": call.id, "tenant": call.headers.get("x-tenant"), "authorization": "authorization" in call.headers}
    )


async def http_block(x: Exchange) -> None:
    await x.answer(os.getpid())


async def ws_echo(x: Exchange) -> None:
    await x.send({"type": "websocket.accept", "subprotocol": x.asked.get("choose"), "headers": [(b"x-own", b"1")]})
    while (message := await x.receive())["type"] == "websocket.receive":
        await x.send({**message, "type": "websocket.send"})
    gate("ws", "closed").write_text(json.dumps([message["code"], message.get("reason")]))


async def ws_scope(x: Exchange) -> None:
    assert isinstance(x.scope["client"], tuple)
    await x.send({"type": "websocket.accept"})
    await x.send({"type": "websocket.send", "text": json.dumps(readable(x.scope))})
    await x.send({"type": "websocket.close"})


async def ws_close(x: Exchange) -> None:
    await x.send({"type": "websocket.accept"})
    await x.send({"type": "websocket.send", "bytes": b"last words"})
    await x.send({"type": "websocket.close", "code": 4321, "reason": "enough"})
    message = await x.receive()
    gate("ws", "closed").write_text(json.dumps([message["code"], message.get("reason")]))


async def ws_refuse(x: Exchange) -> None:
    await x.send({"type": "websocket.close"})


async def ws_deny(x: Exchange) -> None:
    headers = [(b"content-type", b"text/plain"), (b"x-why", b"because")]
    await x.send({"type": "websocket.http.response.start", "status": 402, "headers": headers})
    await x.send({"type": "websocket.http.response.body", "body": b"pay ", "more_body": True})
    await x.send({"type": "websocket.http.response.body", "body": b"first"})


async def ws_fail(x: Exchange) -> None:
    when, how = x.asked["when"], x.asked.get("how", "raise")
    if when == "before":
        fail(how)
    await x.send({"type": "websocket.accept"})
    if when == "accepted":
        fail(how)
    await x.send({"type": "websocket.send", "text": "one"})
    await x.receive()
    fail(how)


async def ws_returns(x: Exchange) -> None:
    """Returns without a word."""


async def ws_breaks_rules(x: Exchange) -> None:
    refused: list[str] = []
    for message in (
        {"type": "websocket.send", "text": "early"},
        {"type": "websocket.accept"},
        {"type": "websocket.accept"},
        {"type": "websocket.http.response.start", "status": 200},
        {"type": "websocket.send", "text": "fine"},
        {"type": "websocket.close"},
        {"type": "websocket.send", "text": "late"},
    ):
        try:
            await x.send(message)
        except RuntimeError as error:
            refused.append(str(error))
        else:
            refused.append("")
    gate("rules", "list").write_text(json.dumps(refused))


async def ws_flood(x: Exchange) -> None:
    """Sends for ever to a caller that takes nothing, and must get out when it leaves."""
    await x.send({"type": "websocket.accept"})
    mark("flood", "entered")
    try:
        while True:
            await x.send({"type": "websocket.send", "bytes": b"x" * 10_000})
    except OSError:
        mark("flood", "gone")
        raise


async def ws_slow(x: Exchange) -> None:
    """Reads nothing until it may, then counts."""
    await x.send({"type": "websocket.accept"})
    await go("slow")
    count = size = 0
    while (message := await x.receive())["type"] == "websocket.receive":
        data = message.get("bytes") or message["text"].encode()
        if data == b"end":
            await x.send({"type": "websocket.send", "text": f"{count} {size}"})
        count, size = count + 1, size + len(data)


async def application(scope: Scope, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Finds what to do by the last part of the path."""
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
        return
    kind = "http" if scope["type"] == "http" else "ws"
    if kind == "ws":
        assert (await receive())["type"] == "websocket.connect"
    name = scope["path"].rstrip("/").rpartition("/")[2].replace("-", "_")
    await globals().get(f"{kind}_{name}", http_scope)(Exchange(scope, receive, send))


async def lifespan(scope: Scope, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    assert (await receive())["type"] == "lifespan.startup"
    log("startup")
    scope["state"] |= {"seen": [], "more": 1}
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    log("shutdown")
    await send({"type": "lifespan.shutdown.complete"})


def log(what: str) -> None:
    with gate("life", "log").open("a") as file:
        file.write(f"{what}\n")


async def without_lifespan(scope: Scope, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    assert scope["type"] == "http", "this has no lifespan"
    await Exchange(scope, receive, send).answer(scope["state"])


async def cannot_start(scope: Scope, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


class Predict:
    """An operation that waits at a gate, and answers with its own text."""

    def __init__(self, *, is_async: bool = False) -> None:
        self.is_async = is_async
        self.description = OperationDescription(
            name="predict", path="/predict", input_schema={"type": "object"}, output_schema={}, capacity=4
        )

    def decode(self, body: bytes, media_type: str) -> Any:
        return json.loads(body or b"{}")

    def invoke(self, value: Any, call: Call) -> Any:
        return self._later(value) if self.is_async else self._now(value)

    def encode(self, value: Any) -> Encoded:
        return Encoded(json.dumps(value).encode(), "application/json")

    def _now(self, value: Any) -> Any:
        if "gate" in value:
            mark(value["gate"], "entered")
            go_blocking(value["gate"])
        return value

    async def _later(self, value: Any) -> Any:
        if "gate" in value:
            mark(value["gate"], "entered")
            await go(value["gate"])
        return value


class Beside:
    """A model with an application beside it."""

    info = Info(name="beside", adapter="mounted")
    is_async = False
    apart = False

    def __init__(self) -> None:
        self.operations = [Predict(is_async=self.is_async)]
        self.mounts = [Mount(app=application, paths=("/app", "/other/app"), apart=self.apart)]

    def setup(self) -> None:
        log("setup")

    def teardown(self) -> None:
        log("teardown")


class BesideAsync(Beside):
    is_async = True


class Apart(Beside):
    apart = True


class ApartSlowSetup(Apart):
    def setup(self) -> None:
        log("setup")
        go_blocking("setup")


class ApartBrokenSetup(Apart):
    def setup(self) -> None:
        raise RuntimeError("the weights are missing")


class SlowSetup(Beside):
    def setup(self) -> None:
        go_blocking("setup")


class Everything(Beside):
    def __init__(self) -> None:
        super().__init__()
        self.mounts = [
            Mount(app=application, paths=("/",), openapi={"openapi": "3.1.0", "paths": {}}),
            Mount(app=without_lifespan, paths=("/app/deep", "/plain")),
        ]


class AtTheOperation(Beside):
    def __init__(self) -> None:
        super().__init__()
        self.mounts = [Mount(app=without_lifespan, paths=("/predict", "/"))]


class CannotStart(Beside):
    def __init__(self) -> None:
        super().__init__()
        self.mounts = [
            Mount(app=application, paths=("/app",), apart=self.apart),
            Mount(app=cannot_start, paths=("/broken",), apart=self.apart),
        ]


class ApartCannotStart(CannotStart):
    apart = True


class Mixed(Beside):
    def __init__(self) -> None:
        super().__init__()
        self.mounts = [
            Mount(app=application, paths=("/a",), apart=True),
            Mount(app=application, paths=("/b",)),
        ]


class Twice(Beside):
    def __init__(self) -> None:
        super().__init__()
        self.mounts = [Mount(app=application, paths=("/a",)), Mount(app=application, paths=("/a", "/b"))]


class FinalSlash(Beside):
    def __init__(self) -> None:
        super().__init__()
        self.mounts = [Mount(app=application, paths=("/a/",))]


class Documented(Beside):
    def __init__(self) -> None:
        super().__init__()
        item = {"$ref": "#/components/schemas/Problem"}
        ok = {"200": {"description": "fine", "content": {"application/json": {"schema": item}}}}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "theirs", "version": "1"},
            "security": [{"bearer": []}],
            "paths": {
                "/app/things": {"post": {"operationId": "health", "responses": ok}},
                "/predict": {"post": {"operationId": "theirs", "responses": ok}},
                "/docs": {"get": {"operationId": "docs", "responses": ok}},
                "/": {"get": {"operationId": "root", "responses": ok}},
            },
            "components": {
                "schemas": {
                    "Problem": {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Other"}}},
                    "Other": {"type": "string"},
                },
                "securitySchemes": {"bearer": {"type": "http", "scheme": "basic"}},
            },
        }
        self.mounts = [Mount(app=application, paths=("/app",), openapi=document)]


class Checked(Beside):
    """Says what the file that the test writes says."""

    def __init__(self) -> None:
        super().__init__()
        self.mounts = []
        checks.CHECK_EVERY_SECONDS = 0.02
        checks.CHECK_LIMIT_SECONDS = 0.3

    def check(self) -> Any:
        return self.said()

    def said(self) -> str | None:
        with gate("check", "log").open("a") as file:
            file.write("begin\n")
        if gate("check", "hangs").exists():
            go_blocking("check")
        with gate("check", "log").open("a") as file:
            file.write("end\n")
        if not gate("check", "says").exists():
            return None
        text = gate("check", "says").read_text()
        if text == "not ready":
            raise NotReadyError("warming up")
        if text == "raise":
            raise RuntimeError("it broke")
        return text or None


class CheckedAsync(Checked):
    is_async = True

    async def check(self) -> str | None:
        if gate("check", "hangs").exists():
            await go("check")
        return self.said()


class CheckedApart(Checked):
    apart = True

    def __init__(self) -> None:
        super().__init__()
        self.mounts = [Mount(app=application, paths=("/app",), apart=True)]


class MountedAdapter:
    """Serves the capabilities of this file: found by its entry point, as a framework's own adapter is."""

    def claims(self, target: Target) -> bool:
        return False

    def load(self, target: Target) -> Any:
        return target.load()()

    def manifest(self, target: Target) -> Manifest:
        return Manifest()
