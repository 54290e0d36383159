"""What models fetch from and what webhooks call: a real server on loopback."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .asking import steady, until

FILES = {
    "/notes.txt": b"notes",
    "/picture.png": b"picture",
    "/plain": b"plain",
    "/with%20space.txt": b"space",
    "/photo.jpeg?size=large": b"large",
}


@dataclass(kw_only=True)
class Calls:
    """The webhooks that were received, in the order in which they came."""

    url: str
    refuse: int = 0
    """How many calls are yet refused with a 500."""

    payloads: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def until_done(self, count: int = 1) -> list[dict[str, Any]]:
        """All payloads, once the terminal one is among them and there are so many."""
        ended = ("succeeded", "failed", "canceled")
        until(lambda: len(self.payloads) >= count and any(each["status"] in ended for each in list(self.payloads)))
        return list(self.payloads)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("location", "/notes.txt")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        body = self.headers.get("user-agent", "").encode() if self.path == "/agent.txt" else FILES.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("content-length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def do_POST(self) -> None:
        calls = self.server.hooks[self.path]  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["content-length"]))
        refused = calls.refuse > 0
        if refused:
            calls.refuse -= 1
        else:
            calls.headers.append({name.lower(): value for name, value in self.headers.items()})
            calls.payloads.append(steady(json.loads(body)))
        self.send_response(500 if refused else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


_LOOPBACK = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
_LOOPBACK.daemon_threads = True
_LOOPBACK.hooks = {}  # type: ignore[attr-defined]
URL = f"http://127.0.0.1:{_LOOPBACK.server_port}"


@contextmanager
def listening() -> Iterator[None]:
    """Answer until the end."""
    thread = threading.Thread(target=_LOOPBACK.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        _LOOPBACK.shutdown()
        thread.join()
        _LOOPBACK.server_close()


def webhook(*, refuse: int = 0) -> Calls:
    """A URL that nothing else calls."""
    path = f"/hooks/{len(_LOOPBACK.hooks)}"  # type: ignore[attr-defined]
    calls = _LOOPBACK.hooks[path] = Calls(url=URL + path, refuse=refuse)  # type: ignore[attr-defined]
    return calls
