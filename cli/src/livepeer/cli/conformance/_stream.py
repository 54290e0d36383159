"""A live stream, as its caller and its worker see it (BYOC contract, section 5)."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2

from ._trial import Trial, eventually
from ._worker import Asked

ALL: Mapping[str, bool] = {"enable_video_ingress": True, "enable_video_egress": True, "enable_data_output": True}

URLS: Mapping[str, str] = {
    "control_url": "X-Control-Url",
    "events_url": "X-Events-Url",
    "subscribe_url": "X-Publish-Url",
    "publish_url": "X-Subscribe-Url",
    "data_url": "X-Data-Url",
}
"""What the worker is told of each channel, and the header in which the caller is."""


class Stream:
    """A stream of the trial's own capability; its id is the trial's name.

    Args:
        trial: The check under way.
        channels: The channels that are enabled.
    """

    def __init__(self, trial: Trial, channels: Mapping[str, bool] = ALL) -> None:
        self.id = trial.name
        self._trial = trial
        self._http = trial.http
        self._header = {"parameters": json.dumps(channels)}
        self._events = 0

    async def start(self, **body: Any) -> httpx2.Response:
        """Start it at the gateway; the fields are the body's."""
        url = f"{self._trial.network.gateway_url}/process/stream/start"
        return await self._http.post(
            url, json={"stream_id": self.id, **body}, headers=self._trial.byoc.job(**self._header)
        )

    async def start_straight(self, **body: Any) -> httpx2.Response:
        """Start it at the orchestrator."""
        return await self.ask_straight("start", json=body, id=self.id)

    async def ask_straight(self, what: str, *, json: Any = None, **job: str) -> httpx2.Response:
        """Ask the orchestrator something about streams; the fields are the header's."""
        url = f"{self._trial.network.orch_url}/ai/stream/{what}"
        return await self._http.post(url, json=json, headers=self._trial.byoc.job(**self._header, **job))

    async def update(self, params: Any, **job: str) -> httpx2.Response:
        """Give it other params at the gateway; the fields are the header's."""
        return await self._http.post(self.url("update"), json=params, headers=self._trial.byoc.job(**job))

    async def stop(self, body: bytes = b"") -> httpx2.Response:
        """Stop it at the gateway."""
        return await self._http.post(self.url("stop"), content=body)

    async def status(self) -> dict[str, Any] | None:
        """Return its status, None if it has none."""
        answer = await self._http.get(self.url("status"))
        return answer.json() if answer.status_code == 200 else None

    async def is_forgotten(self) -> bool:
        """Whether the gateway does not know it any more."""
        async with self._http.stream("GET", self.url("data")) as answer:
            return answer.status_code == 404

    def url(self, what: str) -> str:
        """The gateway's URL of something about it; those in the answer to a start are for `https` alone."""
        return f"{self._trial.network.gateway_url}/process/stream/{self.id}/{what}"

    async def asked(self, what: str, times: int = 1, *, seconds: float = 10) -> Asked:
        """Wait until the worker was asked so often, and return the last time."""
        found: list[Asked] = []

        async def is_there() -> bool:
            found[:] = [asked for asked in self._trial.worker.asked if asked.path == f"/stream/{what}"]
            return len(found) >= times

        await eventually(is_there, f"the worker to be asked {times} times for /stream/{what}", seconds=seconds)
        return found[times - 1]

    async def told(self) -> dict[str, Any]:
        """Return what the worker was told at the start."""
        return json.loads((await self.asked("start")).body)

    async def tell(self, event: Any) -> None:
        """Publish an event as the worker does, in a segment of its own."""
        url = (await self.told())["events_url"]
        await self.write(url, self._events, json.dumps(event).encode())
        self._events += 1

    async def tell_until(self, event: Any, expected: Mapping[str, Any]) -> dict[str, Any]:
        """Publish an event again and again, for a gateway begins with the next one, until the status shows it."""
        status: dict[str, Any] = {}

        async def is_shown() -> bool:
            await self.tell(event)
            status.clear()
            status.update(await self.status() or {})
            return expected.items() <= status.items()

        await eventually(is_shown, f"{expected} in the status")
        return status

    async def write(self, url: str, seq: int, content: bytes) -> None:
        """Publish a segment on a channel."""
        (await self._http.post(f"{url}/{seq}", content=content)).raise_for_status()

    async def is_open(self, url: str) -> bool:
        """Whether a channel is there."""
        return (await self._http.get(f"{url}/next")).status_code == 200


@asynccontextmanager
async def started(
    trial: Trial, channels: Mapping[str, bool] = ALL, *, capacity: int = 100, **body: Any
) -> AsyncGenerator[Stream]:
    """Register the trial's worker and start a stream through the gateway; at the end of the block it is stopped."""
    await trial.byoc.register(token="hush", capacity=capacity)
    stream = Stream(trial, channels)
    (await stream.start(**body)).raise_for_status()
    try:
        await stream.told()
        yield stream
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(5):
            await stream.stop()
