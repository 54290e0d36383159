"""A live pipeline behind the server, as an orchestrator begins, changes and ends its streams (contract, section 5)."""

from pathlib import Path
from typing import Any

import anyio
import httpx2
import numpy as np
from edge_harness import Served, serve_with

from livepeer.core import SessionStart
from livepeer.server import ProcessWorker, ServerOptions
from livepeer.trickle import AsyncPublisher

from .clips import RATE, look_into, make_clip
from .streams import Channel, Network, cut

OVERLAY = Path(__file__).parents[4] / "examples" / "live_overlay"
WHOLE = {"x": 0, "y": 0, "width": 1, "height": 1, "colour": "#00ff00"}


async def post(served: Served, route: str, **content: Any) -> httpx2.Response:
    return await served.client.post(f"/stream/{route}", headers={"x-stream-id": "cam"}, **content)


async def begin(served: Served, start: SessionStart, **params: Any) -> httpx2.Response:
    channels = start.model_dump(exclude_none=True, exclude={"stream_id", "params", "verify_tls"})
    return await post(served, "start", json={"gateway_request_id": "cam", "params": params, **channels})


async def test_an_orchestrator_runs_a_stream_in_a_process_of_its_own(network: Network) -> None:
    start = network.open("subscribe", "publish", "control", "events")
    events = Channel(start.events_url or "")
    options = ServerOptions(channel_origins=(network.base_url,))
    async with (
        serve_with(ProcessWorker(str(OVERLAY)), options=options) as served,
        anyio.create_task_group() as tasks,
        AsyncPublisher(start.subscribe_url or "", create=False) as publisher,
    ):
        await tasks.start(events.read)
        assert (await begin(served, start, opacity=7)).status_code == 422
        elsewhere = start.model_copy(update={"events_url": f"{network.base_url}/nobody-made-it"})
        assert (await begin(served, elsewhere)).status_code == 502
        assert (await served.health())["status"] == "IDLE"
        assert (await begin(served, start, opacity=0)).status_code == 200
        assert (await served.health())["status"] == "OK"
        assert (await begin(served, start)).status_code == 409
        refused = await post(served, "params", json={"opacity": 7})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "opacity")
        assert (await post(served, "params", json=WHOLE | {"opacity": 1})).status_code == 200
        await network.feed(publisher, start.subscribe_url, cut(make_clip(1.0, audio=True)))
        await events.wait_for(type="notice", kind="output_started")
        assert (await post(served, "stop", content=b"enough")).status_code == 200
        assert (await events.wait_for_end())["reason"] == "stopped"
        await served.until("IDLE")
        tasks.cancel_scope.cancel()
    content = look_into(network.content(start.publish_url))
    assert 0 < len(content.pictures) <= RATE
    np.testing.assert_allclose(content.mean(0), [0, 255, 0], atol=12)
