import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from face_harness import LATER, SSE, Faced, Gate, eventually, serving_face


class Hook:
    """A host that takes webhooks."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook?a=b"
        self.statuses: list[int] = []
        """What the next ones are answered; 200 if there is none, no answer for 0."""

        self.heads: list[bytes] = []
        self.documents: list[dict[str, Any]] = []

    async def serve(self, stream: anyio.abc.SocketStream) -> None:
        async with stream:
            received = b""
            while b"\r\n\r\n" not in received:
                received += await stream.receive()
            head, _, body = received.partition(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            while len(body) < int(length.partition(b":")[2]):
                body += await stream.receive()
            self.heads.append(head.lower())
            self.documents.append(json.loads(body))
            status = self.statuses.pop(0) if self.statuses else 200
            if not status:
                await anyio.sleep_forever()
            await stream.send(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)

    async def completed(self) -> dict[str, Any]:
        terminal = ("succeeded", "failed", "canceled")
        await eventually(lambda: bool(self.documents) and self.documents[-1]["status"] in terminal)
        return self.documents[-1]

    @property
    def outline(self) -> list[tuple[str, str, Any]]:
        return [(one["status"], one["logs"], one.get("output")) for one in self.documents]


@asynccontextmanager
async def listening() -> AsyncIterator[Hook]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    hook = Hook(listener.extra(anyio.abc.SocketAttribute.local_port))
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, hook.serve)
        yield hook
        group.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def allow_private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


async def predict(faced: Faced, hook: Hook, *, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    events = fields.pop("events", None)
    document = {"id": "w", "input": fields, "webhook": hook.url}
    if events is not None:
        document["webhook_events_filter"] = events
    return await faced.client.post("/predictions", json=document, headers=headers)


async def test_a_webhook_hears_of_the_start_the_output_and_the_end() -> None:
    async with listening() as hook, serving_face("Told") as faced:
        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b"}
        assert (await predict(faced, hook, text="x", mode="log", headers=LATER | trace)).status_code == 202
        await hook.completed()
        output = {"a": {}, "b": "x"}
        assert hook.outline == [
            ("processing", "", None),
            ("processing", "out\nerr\n", [output]),
            ("succeeded", "out\nerr\n", output),
        ]
        assert hook.documents[-1]["metrics"].pop("predict_time") > 0
        assert hook.documents[-1] == {
            "id": "w",
            "logs": "out\nerr\n",
            "metrics": {"a": {"b": 1}, "tags": ["x"]},
            "output": output,
            "status": "succeeded",
        }
        head = hook.heads[0]
        assert head.startswith(b"post /hook?a=b http/1.1")
        for line in (
            b"content-type: application/json",
            b"user-agent: coglet/",
            b"tracestate: a=b",
            b"traceparent: 00-",
        ):
            assert b"\r\n" + line in head


async def test_every_item_of_a_stream_or_a_list_is_told() -> None:
    async with listening() as hook, serving_face("Items") as faced:
        await predict(faced, hook, headers=SSE, events=["output"])
        await eventually(lambda: len(hook.documents) == 2)
        assert [one["output"] for one in hook.documents] == [["item 0"], ["item 0", "item 1"]]
    async with listening() as hook, serving_face("Told") as faced:
        await predict(faced, hook, text="x", mode="list")
        await hook.completed()
        assert [output for _, _, output in hook.outline] == [None, ["x"], ["x", "x"], ["x", "x"]]


async def test_a_webhook_hears_only_of_what_it_asked_for() -> None:
    async with listening() as hook, serving_face("Told") as faced:
        await predict(faced, hook, text="x", events=[])
        await predict(faced, hook, text="x", events=["completed"])
        await hook.completed()
        assert len(hook.documents) == 1


async def test_lines_are_held_back_for_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    for interval, count in (("0", 2), ("20", 1)):
        monkeypatch.setenv("COG_THROTTLE_RESPONSE_INTERVAL", interval)
        async with listening() as hook, serving_face("Told") as faced:
            await predict(faced, hook, text="x", mode="log", events=["logs", "completed"])
            await hook.completed()
            assert [logs for _, logs, _ in hook.outline[:-1]] == ["out\n", "out\nerr\n"][:count]


async def test_a_failure_and_a_cancellation_are_told(gate: Gate) -> None:
    async with listening() as hook, serving_face("Told") as faced:
        await predict(faced, hook, text="x", mode="fail", headers=LATER)
        failed = await hook.completed()
        assert failed["error"] == "Prediction failed: Prediction failed: ValueError: boom"
        assert failed["logs"] == "about to fail\n"
        await faced.until("READY")
        await predict(faced, hook, text="x", mode="wait", gate=str(gate), headers=LATER)
        await gate.reached()
        await faced.cancel("w")
        await eventually(lambda: hook.documents[-1]["status"] == "canceled")


async def test_the_last_one_is_sent_until_it_is_taken() -> None:
    async with listening() as hook, serving_face("Told") as faced:
        hook.statuses = [503, 429, 200]
        await predict(faced, hook, text="x", events=["completed"])
        await eventually(lambda: len(hook.documents) == 3)
        assert hook.documents[0] == hook.documents[2]


async def test_a_host_that_does_not_want_it_is_left_alone() -> None:
    async with listening() as hook, serving_face("Told") as faced:
        hook.statuses = [404, 302]
        await predict(faced, hook, text="x", events=["completed"])
        await eventually(lambda: not hook.statuses[1:])
        await predict(faced, hook, text="y", events=["completed"])
    assert [one["output"]["b"] for one in hook.documents] == ["x", "y"]


async def test_one_that_hangs_keeps_back_neither_the_answer_nor_the_last_one() -> None:
    async with listening() as hook, serving_face("Told") as faced:
        hook.statuses = [0]
        with anyio.fail_after(4):
            assert (await predict(faced, hook, text="x")).json()["status"] == "succeeded"
        assert [one["status"] for one in hook.documents] in ([], ["processing"])
        assert (await hook.completed())["status"] == "succeeded"


async def test_what_runs_when_the_model_is_torn_down_is_told_as_cancelled(gate: Gate) -> None:
    async with listening() as hook:
        async with serving_face("Told") as faced:
            await predict(faced, hook, text="x", mode="wait", gate=str(gate), headers=LATER)
            await gate.reached()
        # The server has stopped, and it waited for this.
        assert (await hook.completed())["status"] == "canceled"


async def test_a_webhook_to_a_private_address_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVEPEER_FETCH_ALLOW_PRIVATE")
    async with listening() as hook:
        async with serving_face("Told") as faced:
            assert (await predict(faced, hook, text="x")).json()["status"] == "succeeded"
        assert hook.documents == []


@pytest.mark.parametrize("url", ["nonsense", "file:///etc/passwd", "", "http://"])
async def test_a_webhook_that_is_no_url_changes_nothing(url: str) -> None:
    async with serving_face("Told") as faced:
        response = await faced.client.post("/predictions", json={"input": {"text": "x"}, "webhook": url})
        assert response.json()["status"] == "succeeded"


async def test_the_operators_own_words_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COG_USER_AGENT", "mine/1")
    monkeypatch.setenv("WEBHOOK_AUTH_TOKEN", "token")
    async with listening() as hook, serving_face("Told") as faced:
        await predict(faced, hook, text="x", events=["completed"])
        await hook.completed()
        assert b"\r\nuser-agent: mine/1" in hook.heads[0]
        assert b"\r\nauthorization: bearer token" in hook.heads[0]
