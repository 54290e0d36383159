"""Our trickle server, which also counts what came whole: `trickle_server.py PORT`, then GET /_tally/CHANNEL."""

import json
import sys
import time
from collections import defaultdict
from typing import Any

import uvicorn

from livepeer.trickle.server import TrickleProtocol, TrickleServer


class Tally:
    """Counts, for each segment that was answered with 200, the bytes that were posted to it, and when."""

    def __init__(self, app: TrickleServer) -> None:
        self._app = app
        self._bytes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._begun: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path: str = scope.get("path", "")
        if path.startswith("/_tally/"):
            await self._answer(path.rpartition("/")[2], send)
        elif scope["type"] == "http" and scope["method"] == "POST" and path.count("/") == 2:
            await self._count(scope, receive, send, *path[1:].split("/"))
        else:
            await self._app(scope, receive, send)

    async def _count(self, scope: Any, receive: Any, send: Any, channel: str, seq: str) -> None:
        came = 0

        async def received() -> Any:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came:
                self._begun.setdefault(channel, time.perf_counter())
            return message

        async def sent(message: Any) -> None:
            if message.get("status") == 200:
                self._bytes[channel][seq] += came
                self._ended[channel] = time.perf_counter()
            await send(message)

        await self._app(scope, received, sent)

    async def _answer(self, channel: str, send: Any) -> None:
        seconds = self._ended.get(channel, 0.0) - self._begun.get(channel, 0.0)
        body = json.dumps({"bytes": list(self._bytes[channel].values()), "seconds": seconds}).encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        Tally(TrickleServer()), port=int(sys.argv[1]), http=TrickleProtocol, log_level="warning", access_log=False
    )
