"""BYOC contract, section 5: what the gateway watches, and what becomes of a stream that fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from livepeer.devnet import Gateway
from livepeer.trickle import ChannelClosedError
from livepeer.trickle.server import TrickleServer

from .kit import FAST, job_header, serving
from .stream_kit import StreamNetwork, publisher, sending, stream_network, subscriber

EVENTS = {"stream_event_gap_seconds": 0.4, "stream_event_check_seconds": 0.1}


async def flow(streams: StreamNetwork, url: str) -> None:
    """Post an endless input."""
    async with sending() as body, anyio.create_task_group() as tasks:
        tasks.start_soon(body.flow)
        await streams.http.post(url, content=body.body())


async def test_without_an_event_for_too_long_the_stream_ends_with_one_stop():
    async with stream_network(**EVENTS) as streams:
        await streams.started()

        assert await streams.until_ended() == "timeout waiting for events"

        assert [asked.body for asked in streams.worker.of("stop")] == [b"timeout waiting for events"]
        assert streams.load == 0


@pytest.mark.parametrize("event", [b'{"type": "status"}', b'{"a": 1}', b'{"queue_event_type": "x", "event": {"b": 1}}'])
async def test_any_event_keeps_the_stream_alive(event: bytes):
    async with stream_network(**EVENTS) as streams:
        told = await streams.started()
        async with publisher(told["events_url"]) as events:
            with anyio.move_on_after(1):
                while True:
                    await events.publish(event)
                    await anyio.sleep(0.05)

        assert streams.net.streams["s-1"].ended is None


async def test_what_is_no_json_object_keeps_no_stream_alive():
    async with stream_network(**EVENTS) as streams:
        told = await streams.started()
        async with publisher(told["events_url"]) as events, anyio.create_task_group() as tasks:

            async def babble() -> None:
                with suppress(ChannelClosedError):  # the end of the stream takes the channel along
                    while True:
                        await events.publish(b'"well"')
                        await anyio.sleep(0.05)

            tasks.start_soon(babble)
            assert await streams.until_ended() == "timeout waiting for events"
            tasks.cancel_scope.cancel()


async def test_an_events_channel_that_ends_is_watched_no_more():
    async with stream_network(**EVENTS) as streams:
        told = await streams.started()

        await streams.http.delete(told["events_url"])
        with anyio.move_on_after(1):
            await anyio.sleep_forever()

        assert streams.net.streams["s-1"].ended is None


async def test_without_output_while_input_is_flowing_the_stream_ends():
    async with stream_network(stream_output_seconds=2.2) as streams:
        await streams.started()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(flow, streams, streams.url("ts"))

            assert await streams.until_ended() == "timeout waiting for segments"
            tasks.cancel_scope.cancel()

        assert [asked.body for asked in streams.worker.of("stop")] == [b"timeout waiting for segments"]


async def test_without_output_and_without_input_the_stream_goes_on():
    async with stream_network(stream_output_seconds=0.2) as streams:
        await streams.started()

        with anyio.move_on_after(1):
            await anyio.sleep_forever()

        assert streams.net.streams["s-1"].ended is None


async def test_output_keeps_a_stream_with_input_alive():
    async with stream_network(stream_output_seconds=2.2) as streams:
        told = await streams.started()
        async with publisher(told["publish_url"]) as output, anyio.create_task_group() as tasks:
            tasks.start_soon(flow, streams, streams.url("ts"))
            with anyio.move_on_after(3):
                while True:
                    await output.publish(b"x")
                    await anyio.sleep(0.1)
            assert streams.net.streams["s-1"].ended is None
            tasks.cancel_scope.cancel()


async def test_an_orchestrator_that_takes_no_segments_is_judged_slow_at_three():
    async with slow_orchestrator() as slow, serving(Gateway([slow.url], timings=FAST).app) as gateway:
        start = await slow.http.post(
            gateway.url + "/process/stream/start",
            json={"stream_id": "s"},
            headers={"Livepeer": job_header(parameters='{"enable_video_ingress": true}')},
        )
        assert start.status_code == 200
        async with sending() as body, anyio.create_task_group() as tasks:
            tasks.start_soon(body.flow)
            tasks.start_soon(lambda: slow.http.post(gateway.url + "/process/stream/s/ts", content=body.body()))
            await slow.stopped.wait()
            tasks.cancel_scope.cancel()

    assert slow.reason == b"orchestrator is slow"
    assert slow.segments == {"0", "1", "2"}


async def test_a_stream_that_fails_goes_to_the_next_orchestrator_with_its_first_params():
    async with stream_network(workers=2) as streams:
        first = await streams.started(params='{"a": 1}')

        await streams.http.delete(first["publish_url"])

        second = (await streams.worker.until("start", 2)).json
        assert (second["params"], second["gateway_request_id"]) == ({"a": 1}, "s-1")
        assert second["publish_url"] != first["publish_url"]
        assert [record.ended for record in (streams.net.streams["s-1"],)] == [None]
        await streams.until_read(second["publish_url"])
        assert (await streams.status()).json()["orchestrator"] == second["publish_url"].partition("/ai/")[0]


async def test_a_stream_that_is_swapped_again_and_again_is_given_up():
    async with stream_network(workers=7) as streams:
        streams.worker.answers["start"] = 500, b"broken"

        await streams.start()

        await streams.until_ended()
        assert len(streams.worker.of("start")) == 5


async def test_an_input_without_an_orchestrator_left_is_told_in_the_status():
    async with stream_network() as streams:
        told = await streams.started()
        async with anyio.create_task_group() as tasks, subscriber(told["subscribe_url"]) as incoming:
            tasks.start_soon(flow, streams, streams.url("ts"))
            await anext(incoming)
            await streams.http.delete(told["publish_url"])
            await streams.until_ended()
            tasks.cancel_scope.cancel()

        error = (await streams.status()).json()["error"]
        assert error["error_message"] == "no orchestrators available, ending stream"


async def test_an_orchestrator_that_goes_down_ends_the_stream():
    async with stream_network(stream_retry_seconds=0.1) as streams:
        await streams.started()

        await streams.net.restart_orchestrator()

        while streams.net._gateway.stream_ends.get("s-1") is None:
            await anyio.lowlevel.checkpoint()


class SlowOrchestrator:
    """An orchestrator whose input channel takes the first bytes of a segment, and never acknowledges any."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.url = ""
        self.segments: set[str] = set()
        self.stopped = anyio.Event()
        self.reason = b""
        self.events_url: str | None = None
        self.trickle = TrickleServer(autocreate=False)
        self.app = Starlette(
            routes=[
                Route("/process/token", self._token),
                Route("/ai/stream/start", self._start, methods=["POST"]),
                Route("/ai/stream/stop", self._stop, methods=["POST"]),
                Route("/slow/next", self._next),
                Route("/slow/{seq}", self._take, methods=["POST"]),
                Mount("/ai/trickle", app=self.trickle),
            ]
        )

    async def _token(self, _: Request) -> Response:
        return JSONResponse({"service_addr": self.url, "available_capacity": 1})

    async def _start(self, _: Request) -> Response:
        urls = {}
        for name in ("Control", "Events"):
            self.trickle.create(name, "application/json")
            urls[f"X-{name}-Url"] = f"{self.url}/ai/trickle/{name}"
        if self.events_url is not None:
            urls["X-Events-Url"] = self.events_url
        return Response(headers=urls | {"X-Publish-Url": f"{self.url}/slow"})

    async def _stop(self, request: Request) -> Response:
        self.reason = self.reason or await request.body()
        self.stopped.set()
        return Response()

    async def _next(self, _: Request) -> Response:
        return Response("0", headers={"Lp-Trickle-Latest": "0"})

    async def _take(self, request: Request) -> Response:
        with suppress(ClientDisconnect):
            async for part in request.stream():
                if part:
                    self.segments.add(request.path_params["seq"])
            await anyio.sleep_forever()
        return Response()


@asynccontextmanager
async def slow_orchestrator() -> AsyncIterator[SlowOrchestrator]:
    async with httpx2.AsyncClient(trust_env=False, timeout=None) as http:
        slow = SlowOrchestrator(http)
        async with serving(slow.app) as server:
            slow.url = server.url
            yield slow


@pytest.mark.parametrize(
    "url", ["", "nonsense://x/y", "http://", "http://host", "http://u:p@host/x", "http://host:0/x"]
)
async def test_an_orchestrator_without_usable_channels_ends_the_stream(url: str):
    async with slow_orchestrator() as slow, serving(Gateway([slow.url], timings=FAST).app) as gateway:
        slow.events_url = url
        start = {"headers": {"Livepeer": job_header()}, "json": {"stream_id": "s"}}

        assert (await slow.http.post(gateway.url + "/process/stream/start", **start)).status_code == 200

        await slow.stopped.wait()
        assert slow.reason == b"stream ended"
        assert (await slow.http.get(gateway.url + "/process/stream/s/status")).status_code == 200


async def test_a_channel_url_without_a_host_is_the_orchestrators():
    async with slow_orchestrator() as slow, serving(Gateway([slow.url], timings=FAST).app) as gateway:
        slow.events_url = "/ai/trickle/Events"
        start = {"headers": {"Livepeer": job_header()}, "json": {"stream_id": "s"}}
        await slow.http.post(gateway.url + "/process/stream/start", **start)
        status: dict[str, object] = {}
        async with publisher(f"{slow.url}/ai/trickle/Events") as events:
            while status.get("state") != "ONLINE":
                await events.publish(b'{"type": "status", "state": "ONLINE"}')
                status = (await slow.http.get(gateway.url + "/process/stream/s/status")).json()
