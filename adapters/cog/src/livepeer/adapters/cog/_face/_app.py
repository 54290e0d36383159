"""Cog's own HTTP as an ASGI application: its routes, and its life."""

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import anyio

from ._answers import (
    ACCEPTED_CANCEL,
    NO_STREAM,
    NOT_FOUND,
    OTHER_ID,
    TOO_MANY_SUBSCRIBERS,
    UNKNOWN_PREDICTION,
    Answer,
    RefusedError,
    Send,
    json_answer,
)
from ._attendance import Attendance
from ._health import Health
from ._prediction import Prediction
from ._request import Headers, Mode, Receive, read_request
from ._running import Predictions
from ._starting import Starting

if TYPE_CHECKING:
    from livepeer.adapters.cog._model import CogModel

_CLOSE_SECONDS = 10.0


class CogFace:
    """Serves `/predictions` and `/health-check`; made by `cog_face`."""

    def __init__(self, model: "CogModel") -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._predictions = Predictions(model)
        self._starting = Starting(model, stopping=self._stopping)
        self._attendance = Attendance(self._predictions)
        self._health = Health(model)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, or the application's life."""
        self._loop = asyncio.get_running_loop()
        match scope["type"]:
            case "http":
                await self._serve(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1000})

    def stop(self) -> None:
        """Start nothing more, and cancel what runs; its last webhooks are still sent. Any thread.

        The server lets a drain pass before it comes to this, and waits for the requests after it.
        """
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nothing runs any more
                self._loop.call_soon_threadsafe(self._stop)

    async def _serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            answer = await self._route(scope, receive, send)
        except RefusedError as refusal:
            answer = refusal.answer
        if answer is not None:
            await answer.send(send)

    async def _route(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> Answer | None:
        """Answer, or have answered already. An id may hold an escaped slash, so the path is split before decoding."""
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        match scope["method"], path.partition(b"?")[0].split(b"/")[1:]:
            case "POST", [b"predictions"]:
                return await self._create(None, scope, receive, send)
            case "PUT", [b"predictions", id] if id:
                return await self._create(_decode(id), scope, receive, send)
            case "POST", [b"predictions", id, b"cancel"] if id:
                return self._cancel(_decode(id))
            case "GET" | "HEAD", [b"health-check"]:
                return json_answer(200, await self._health.document(), is_sorted=False)
            case _, [b"predictions"]:
                return Answer(405, allow=b"POST")
            case _, [b"predictions", id] if id:
                return Answer(405, allow=b"PUT")
            case _, [b"predictions", id, b"cancel"] if id:
                return Answer(405, allow=b"POST")
            case _, [b"health-check"]:
                return Answer(405, allow=b"GET,HEAD")
            case _:
                return NOT_FOUND

    async def _create(
        self, id: str | None, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> Answer | None:
        headers: Headers = dict(scope["headers"])
        request = await read_request(headers, receive)
        mode = Mode.of(headers)
        if id is not None:
            if request.id is not None and request.id != id:
                return OTHER_ID
            running = self._predictions.get(id)
            if running is not None:
                return await self._join(running, mode, receive, send)
        prediction = await self._starting.prepare(request, id=id, mode=mode, headers=headers)
        await self._attendance.attend(prediction, mode, receive, send)
        return None

    async def _join(self, running: Prediction, mode: Mode, receive: Receive, send: Send) -> Answer | None:
        """Who asks again for what runs already gets to know how it goes."""
        if mode is not Mode.STREAM:
            return json_answer(202, {**running.snapshot(), "input": self._starting.shown(running.document)})
        if running.events is None:
            return NO_STREAM
        subscription = running.events.subscribe()
        if subscription is None:
            return TOO_MANY_SUBSCRIBERS
        await self._attendance.stream(running, subscription, receive, send)
        return None

    def _cancel(self, id: str) -> Answer:
        running = self._predictions.get(id)
        if running is None:
            return UNKNOWN_PREDICTION
        self._predictions.cancel(running)
        return ACCEPTED_CANCEL

    def _stop(self) -> None:
        self._stopping.set()
        self._predictions.cancel_all()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._stop()
        with anyio.move_on_after(_CLOSE_SECONDS):
            await self._attendance.wait_until_idle()
        self._predictions.close()
        await self._starting.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def _decode(segment: bytes) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "replace")
