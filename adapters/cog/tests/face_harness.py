"""Cog's own HTTP over a real model, under a real server on a real port."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import uvicorn

from livepeer.adapters.cog import CogAdapter
from livepeer.core import Target

MODELS = Path(__file__).parent / "models" / "face.py"
SSE = {"accept": "text/event-stream"}
LATER = {"prefer": "respond-async"}


@dataclass(frozen=True, kw_only=True)
class Faced:
    """A model that is served."""

    capability: Any
    client: httpx2.AsyncClient
    port: int

    @property
    def permits(self) -> Any:
        return self.capability._model.permits

    async def predict(self, *, headers: Mapping[str, str] | None = None, id: str | None = None, **inputs: Any) -> Any:
        document = {"input": inputs} if id is None else {"input": inputs, "id": id}
        return await self.client.post("/predictions", json=document, headers=headers)

    async def put(self, id: str, *, headers: Mapping[str, str] | None = None, **inputs: Any) -> Any:
        return await self.client.put(f"/predictions/{id}", json={"input": inputs}, headers=headers)

    async def cancel(self, id: str) -> Any:
        return await self.client.post(f"/predictions/{id}/cancel")

    async def health(self) -> dict[str, Any]:
        return (await self.client.get("/health-check")).json()

    async def until(self, status: str) -> dict[str, Any]:
        with anyio.fail_after(20):
            while (health := await self.health())["status"] != status:  # noqa: ASYNC110 - it is asked over HTTP
                await anyio.sleep(0.005)
        return health

    async def connect(self, request: bytes) -> anyio.abc.SocketStream:
        """Send raw bytes, for what a client would not do."""
        stream = await anyio.connect_tcp("127.0.0.1", self.port)
        await stream.send(request)
        return stream


@asynccontextmanager
async def serving_face(name: str, *, set_up: bool = True, lifespan: str = "on") -> AsyncIterator[Faced]:
    """Serve the face of a model of `models/face.py`, until the block ends."""
    capability = CogAdapter().load(Target.parse(f"{MODELS}:{name}"))
    app = capability.mounts[0].app
    config = uvicorn.Config(app, log_level="warning", lifespan=lifespan, timeout_graceful_shutdown=10)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with (
            anyio.create_task_group() as group,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client,
        ):
            group.start_soon(server.serve, [listener])
            try:
                await eventually(lambda: server.started)
                if set_up:
                    await finish(capability.setup)
                yield Faced(capability=capability, client=client, port=port)
            finally:
                with anyio.CancelScope(shield=True):
                    await finish(capability.teardown)
                    server.should_exit = True


async def finish(phase: Callable[[], Any]) -> None:
    """Run `setup()` or `teardown()` as the host does: on a thread if it is sync."""
    if asyncio.iscoroutinefunction(phase):
        await phase()
        return
    found = await anyio.to_thread.run_sync(phase)
    if found is not None:
        await found


async def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so that says nothing of itself."""
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - it happens on another thread
            await anyio.sleep(0.002)


class Gate:
    """A file that a model waits for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    async def reached(self, index: int | str = "") -> None:
        await eventually(Path(f"{self.path}{index}.reached").exists)

    def open(self, index: int | str = "") -> None:
        Path(f"{self.path}{index}").touch()


class Events:
    """A stream of server-sent events, read as it comes."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, Any]:
        name = ""
        async for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
        raise EOFError

    async def rest(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        try:
            while True:
                found.append(await self.next())
        except EOFError:
            return found
