import json
from pathlib import Path

import anyio
import pytest
from face_harness import LATER, Gate, eventually, serving_face

BUSY = {"error": "At capacity - all prediction slots busy", "status": "failed"}
NOT_READY = {
    "error": "Setup has not finished yet. Wait until it has finished, or GET /health-check for status.",
    "status": "failed",
}


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


async def test_a_failure_is_data_with_cogs_words() -> None:
    async with serving_face("Told") as faced:
        response = await faced.predict(text="x", mode="fail", id="f")
        document = response.json()
        assert response.status_code == 200
        assert document.pop("metrics")["predict_time"] > 0
        assert document == {
            "error": "Prediction failed: Prediction failed: ValueError: boom",
            "id": "f",
            "logs": "",
            "status": "failed",
        }
        assert (await faced.predict(text="x", mode="exit")).json()["error"].endswith(": SystemExit: 3")
        assert (await faced.predict(text="x")).json()["status"] == "succeeded"


async def test_logs_and_metrics_are_in_the_answer() -> None:
    async with serving_face("Told") as faced:
        document = (await faced.predict(text="x", mode="log")).json()
        assert document["logs"] == "out\nerr\n"
        assert document["metrics"] | {"predict_time": 0} == {"a": {"b": 1}, "tags": ["x"], "predict_time": 0}


async def test_a_metric_that_json_has_not_fails_nothing() -> None:
    async with serving_face("Told") as faced:
        document = (await faced.predict(text="x", mode="odd")).json()
        assert (document["status"], document["output"]) == ("succeeded", "?")
        assert (document["metrics"]["odd"], document["metrics"]["deep"]) == (None, ["object", {"1": None}])
        assert (await faced.predict(text="x")).status_code == 200


async def test_the_outputs_of_a_generator_are_a_list() -> None:
    async with serving_face("Items") as faced:
        assert (await faced.predict()).json()["output"] == ["item 0", "item 1"]
        assert (await faced.predict(count=0)).json()["output"] == []
        failed = (await faced.predict(fail=True)).json()
        assert failed["error"] == "Prediction failed: Generator iteration error: ValueError: boom"
        assert "output" not in failed


async def test_a_sync_model_stays_on_one_thread() -> None:
    async with serving_face("Told") as faced:
        names = {(await faced.predict(text="x", mode="thread")).json()["output"] for _ in range(3)}
        assert names == {"livepeer-predictions"}


async def test_a_caller_that_asks_in_turn_never_meets_its_own_slot() -> None:
    async with serving_face("Told") as faced:
        for _ in range(200):
            assert (await faced.predict(text="x")).status_code == 200


async def test_a_second_prediction_is_refused_while_one_runs(gate: Gate) -> None:
    async with serving_face("Told") as faced, anyio.create_task_group() as group:
        group.start_soon(lambda: faced.predict(text="x", mode="wait", gate=str(gate)))
        await gate.reached()
        refused = await faced.predict(text="x")
        assert (refused.status_code, refused.json()) == (409, BUSY)
        # What is wrong with a request is told before that there is no room for it.
        assert (await faced.predict()).status_code == 422
        assert (await faced.health())["status"] == "BUSY"
        gate.open()
    # The group has ended, and with it the prediction.


async def test_the_native_operation_and_this_one_share_a_slot(gate: Gate) -> None:
    async with serving_face("Told") as faced:
        permits = faced.permits
        assert permits.take()
        assert (await faced.predict(text="x")).status_code == 409
        permits.give_back()
        assert (await faced.predict(text="x")).status_code == 200


async def test_a_put_runs_once_while_it_runs_and_again_after(gate: Gate) -> None:
    async with serving_face("Told") as faced:
        answers: list[dict[str, object]] = []

        async def put() -> None:
            response = await faced.put("p 1%2Fa", text="x", mode="wait", gate=str(gate), key="secret", unknown=1)
            answers.append(response.json())

        async with anyio.create_task_group() as group:
            group.start_soon(put)
            await gate.reached()
            again = await faced.put("p 1%2Fa", text="another")
            gate.open()
        assert again.status_code == 202
        assert again.json() == {
            "id": "p 1/a",
            "input": {"text": "x", "mode": "wait", "gate": str(gate), "key": "**********"},
            "logs": "waiting\n",
            "metrics": {},
            "status": "processing",
        }
        assert (answers[0]["id"], answers[0]["status"]) == ("p 1/a", "succeeded")
        after = await faced.put("p 1%2Fa", text="y")
        assert (after.status_code, after.json()["output"]["b"]) == (200, "y")


async def test_a_put_with_another_id_in_its_body_is_refused() -> None:
    async with serving_face("Told") as faced:
        response = await faced.client.put("/predictions/p", json={"id": "q", "input": {"text": "x"}})
        assert response.status_code == 422
        message = "prediction ID must match the ID supplied in the URL"
        assert response.json() == {"detail": [{"loc": ["body", "id"], "msg": message, "type": "value_error"}]}
        same = await faced.client.put("/predictions/p", json={"id": "p", "input": {"text": "x"}})
        assert same.json()["id"] == "p"


@pytest.mark.parametrize("mode", ["wait", "swallow"])
async def test_a_cancelled_prediction_says_so_also_if_the_model_swallows_it(gate: Gate, mode: str) -> None:
    async with serving_face("Told") as faced:
        answers: list[dict[str, object]] = []

        async def predict() -> None:
            answers.append((await faced.predict(text="x", mode=mode, gate=str(gate), id="c")).json())

        async with anyio.create_task_group() as group:
            group.start_soon(predict)
            await gate.reached()
            response = await faced.cancel("c")
            assert (response.status_code, response.json()) == (200, {})
        assert answers[0].pop("metrics")
        assert answers == [{"id": "c", "logs": "", "status": "canceled"}]
        assert (await faced.predict(text="x")).status_code == 200


async def test_what_does_not_run_cannot_be_cancelled() -> None:
    async with serving_face("Told") as faced:
        await faced.predict(text="x", id="over")
        for id in ("over", "never"):
            response = await faced.cancel(id)
            assert (response.status_code, response.json()) == (404, {})


@pytest.mark.parametrize("method", [b"POST /predictions", b"PUT /predictions/d"])
async def test_a_caller_that_leaves_cancels_its_prediction(gate: Gate, method: bytes) -> None:
    async with serving_face("Told") as faced:
        body = json.dumps({"input": {"text": "x", "mode": "wait", "gate": str(gate)}}).encode()
        head = b"%b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        async with await faced.connect(head % (method, len(body)) + body):
            await gate.reached()
        await faced.until("READY")
        assert not gate.path.exists()


async def test_a_prediction_for_later_is_answered_at_once_and_runs_on(gate: Gate) -> None:
    async with serving_face("Told") as faced:
        response = await faced.predict(text="x", mode="wait", gate=str(gate), id="later", headers=LATER)
        assert (response.status_code, response.json()) == (202, {"id": "later", "status": "starting"})
        await gate.reached()
        assert (await faced.put("later", text="y")).json()["status"] == "processing"
        gate.open()
        await faced.until("READY")
        assert (await faced.cancel("later")).status_code == 404


@pytest.mark.parametrize("prefer", ["respond-async, wait=5", "Respond-Async", "wait"])
async def test_only_cogs_own_words_ask_for_an_answer_at_once(prefer: str) -> None:
    async with serving_face("Told") as faced:
        assert (await faced.predict(text="x", headers={"prefer": prefer})).status_code == 200


async def test_a_prediction_for_later_is_cancelled_when_the_model_is_torn_down(gate: Gate) -> None:
    async with serving_face("Told") as faced:
        await faced.predict(text="x", mode="wait", gate=str(gate), headers=LATER)
        await gate.reached()
    # The server has waited for the request, though nobody has opened the gate.
    assert faced.permits.free == 1


@pytest.mark.parametrize("lifespan", ["on", "off"])
async def test_nothing_is_started_once_it_stops(lifespan: str) -> None:
    async with serving_face("Told", lifespan=lifespan) as faced:
        await faced.predict(text="x")
        faced.capability.mounts[0].app.stop()
        response = await faced.predict(text="x")
        assert (response.status_code, response.json()) == (503, NOT_READY)


async def test_nothing_is_predicted_before_the_model_is_ready() -> None:
    async with serving_face("Told", set_up=False) as faced:
        for response in (await faced.predict(text="x"), await faced.predict(), await faced.put("p", text="x")):
            assert (response.status_code, response.json()) == (503, NOT_READY)


async def test_async_predictions_run_side_by_side(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COG_MAX_CONCURRENCY", "2")
    async with serving_face("AsyncTold") as faced, anyio.create_task_group() as group:
        for text in ("one", "two"):
            group.start_soon(lambda text=text: faced.predict(text=text, gate=f"{gate}{text}", id=text))
            await gate.reached(text)
        assert (await faced.predict(text="three")).status_code == 409
        assert (await faced.cancel("one")).status_code == 200
        await faced.until("READY")
        failed = (await faced.predict(text="x", fail=True)).json()
        assert failed["error"] == "Prediction failed: Async prediction failed: ValueError: boom"
        again = await faced.put("two", text="y")
        assert (again.status_code, again.json()["logs"]) == (202, "async two\n")
        gate.open("two")


async def test_a_later_prediction_of_the_same_id_takes_the_place_of_the_first(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COG_MAX_CONCURRENCY", "2")
    async with serving_face("AsyncTold") as faced, anyio.create_task_group() as group:
        for text in ("one", "two"):
            group.start_soon(lambda text=text: faced.predict(text=text, gate=f"{gate}{text}", id="same"))
            await gate.reached(text)
        gate.open("one")
        await faced.until("READY")
        assert (await faced.put("same", text="x")).json()["input"]["text"] == "two"
        gate.open("two")


async def test_a_returned_list_stays_one_output() -> None:
    async with serving_face("Told") as faced:
        assert (await faced.predict(text="x", mode="list")).json()["output"] == ["x", "x"]


async def test_the_slot_is_free_after_each_way_to_end(gate: Gate) -> None:
    async with serving_face("Told") as faced:
        permits = faced.permits
        await faced.predict(text="x")
        await faced.predict(text="x", mode="fail")
        await faced.predict(text="x", mode="fail", headers=LATER)
        await eventually(lambda: permits.free == 1)
        async with await faced.connect(b"POST /predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{"):
            pass
        assert permits.free == 1
