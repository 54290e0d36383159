"""What is paid, when, through whom, and what happens where it is not."""

import json
import threading
from typing import Any

import anyio
import anyio.to_thread
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from livepeer.client import (
    Bill,
    Exchange,
    Gateway,
    InsufficientBalanceError,
    LivepeerError,
    Payment,
    PaymentRequiredError,
    PriceTooHighError,
    ProtocolError,
    RefusedError,
    RemoteSigner,
    SignerError,
    ask,
)
from livepeer.client import (
    Request as Asked,
)

from .live_runner import FIXED, PAYER_ADDRESS, SECONDS


async def echo(request: Request) -> Response:
    return JSONResponse(await request.json())


def refused(status: int) -> Response:
    return JSONResponse({"error": {"message": f"refused with {status}"}}, status)


async def test_a_single_shot_call_is_paid_for_with_its_challenges_terms(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=FIXED)
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    assert await caller.run(gateway, "model", {"n": 1}) == {"n": 1}
    challenge, paid = orchestrator.seen[1:]
    assert challenge.headers["livepeer-payer-address"] == PAYER_ADDRESS
    assert (challenge.body, paid.body) == (b"", b'{"n":1}')
    assert signer.asked == [{"orchestrator": "params of manifest-2", "type": "fixed", "ManifestID": "manifest-2"}]
    assert orchestrator.payments == [{"manifest_id": "manifest-2", "number": 1}]
    assert await caller.run(gateway, "model", 2) == 2
    assert "state" not in signer.asked[1]
    assert len(signer.headers) == 3  # the address is asked for once


@pytest.mark.parametrize(("unit", "kind"), [("seconds", "live"), ("720p-pixel-seconds", "lv2v"), ("fixed", "fixed")])
async def test_the_prices_unit_says_what_kind_of_payment_it_is(server: Any, caller: Any, unit: str, kind: str) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, mode="persistent", price_info={**SECONDS, "unit": unit})
    assert await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=signer.url), "model", 1) == 1
    assert [wish["type"] for wish in signer.asked] == [kind]
    assert orchestrator.stopped == [signer.asked[0]["ManifestID"]]


async def test_a_price_that_discovery_did_not_tell_is_paid_all_the_same(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=FIXED)
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    (found,) = await caller.discover(gateway)
    hidden = type(found)(
        name="m", network="live-runner", app=found.app, url=found.url, orchestrator_url=found.orchestrator_url
    )
    assert await caller.run(gateway, hidden, 1) == 1
    assert [wish["type"] for wish in signer.asked] == ["live"]


async def test_a_runner_that_has_become_free_is_called_all_the_same(server: Any, caller: Any) -> None:
    async def size(request: Request) -> Response:
        return JSONResponse(len(await request.body()))

    orchestrator, signer = server.live_orchestrator(), server.signer()
    runner = orchestrator.add(size, price_info=SECONDS)
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    (found,) = await caller.discover(gateway)
    del runner.entry["price_info"]
    assert await caller.run(gateway, found, 1234) == 4
    assert signer.asked == []


async def test_a_free_runner_is_called_without_the_signer(server: Any, caller: Any, dead_url: str) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo)
    assert await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=dead_url), "model", 1) == 1


async def test_a_session_pays_again_while_it_lasts_and_says_what_was_paid_before(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()

    async def answer(request: Request) -> Response:
        assert await anyio.to_thread.run_sync(orchestrator.paid_again.wait, 5)
        return JSONResponse("paid")

    orchestrator.add(answer, mode="persistent", price_info=SECONDS)
    orchestrator.challenge = {"payment_interval_ms": 20}
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    assert await caller.in_session(gateway, "model", runs=[1]) == ["paid"]
    session = orchestrator.sessions[0]
    assert {payment["manifest_id"] for payment in orchestrator.payments} == {session}
    assert signer.asked[1]["state"] == {"State": "state-1", "Sig": ""}
    assert orchestrator.stopped == [session]


async def test_a_long_call_pays_again_before_its_answer_begins(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()

    async def answer(request: Request) -> Response:
        assert await anyio.to_thread.run_sync(orchestrator.paid_again.wait, 5)
        return JSONResponse("paid")

    orchestrator.add(answer, price_info=SECONDS)
    orchestrator.challenge = {"payment_interval_ms": 20}
    assert await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=signer.url), "model") == "paid"


async def test_nothing_is_paid_after_the_end(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=SECONDS)
    orchestrator.challenge = {"payment_interval_ms": 20}
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    assert await caller.run(gateway, "model", 1) == 1
    await _no_payments_left()
    orchestrator.runners["runner-0"].refuses = PlainTextResponse("full", 503)
    with pytest.raises(LivepeerError):
        await caller.run(gateway, "model", 1)
    await _no_payments_left()


async def _no_payments_left() -> None:
    for thread in threading.enumerate():
        if thread.name == "livepeer-payments":
            await anyio.to_thread.run_sync(thread.join, 5)
            assert not thread.is_alive()


async def test_an_unpaid_session_tells_why_the_payment_failed(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()

    async def answer(request: Request) -> Response:
        signer.refusals = [refused(500)] * 100
        for _ in range(2):  # the second refusal is after the first one was noted
            assert await anyio.to_thread.run_sync(lambda: signer.refused.acquire(timeout=5))
        return PlainTextResponse("context canceled", 502)

    orchestrator.add(answer, price_info=SECONDS)
    orchestrator.challenge = {"payment_interval_ms": 20}
    with pytest.raises(SignerError, match="refused with 500"):
        await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=signer.url), "model")


async def test_a_payment_for_a_session_that_is_over_ends_the_payments(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.payment_answer = PlainTextResponse("runner session not found", 404)

    async def answer(request: Request) -> Response:
        await _no_payments_left()
        return PlainTextResponse("runner session not found", 404)

    orchestrator.add(answer, mode="persistent", price_info=SECONDS)
    orchestrator.challenge = {"payment_interval_ms": 20}
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    with pytest.raises(RefusedError, match="session not found"):
        await caller.in_session(gateway, "model", runs=[1])
    assert len(signer.asked) == 2


async def test_a_cycle_in_which_nothing_is_due_is_skipped_and_old_terms_are_renewed(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()

    async def answer(request: Request) -> Response:
        signer.refusals = [refused(482), refused(480)]
        refused_before_a_payment = True
        while refused_before_a_payment:  # One may be under way that was asked for before.
            refused_before_a_payment = bool(signer.refusals)
            orchestrator.paid_again.clear()
            assert await anyio.to_thread.run_sync(orchestrator.paid_again.wait, 5)
        return JSONResponse("paid")

    orchestrator.add(answer, mode="persistent", price_info=SECONDS)
    orchestrator.challenge = {"payment_interval_ms": 20}
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    assert await caller.in_session(gateway, "model", runs=[1]) == ["paid"]
    assert len({wish["ManifestID"] for wish in signer.asked}) == 1
    assert len({wish["orchestrator"] for wish in signer.asked}) == 2


async def test_a_challenge_that_is_too_old_is_fetched_anew(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=FIXED)
    signer.refusals = [refused(480)]
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    assert await caller.run(gateway, "model", 1) == 1
    first, second = signer.asked
    assert first["ManifestID"] != second["ManifestID"] == orchestrator.payments[0]["manifest_id"]


async def test_a_signer_that_never_takes_the_challenge_is_given_up(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=FIXED)
    signer.refusals = [refused(480)] * 100
    with pytest.raises(SignerError, match="too old"):
        await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=signer.url), "model", 1)
    assert len(signer.asked) == 3


async def test_a_price_that_the_signer_does_not_pay_leads_to_the_next_runner(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=SECONDS)
    gateway = caller.gateway(orch_url=orchestrator.url, signer_url=signer.url)
    signer.refusals = [refused(481)]
    with pytest.raises(PriceTooHighError, match=r"7 wei \(seconds\).*refused with 481") as caught:
        await caller.run(gateway, "model", 1)
    assert caught.value.status == 481
    other = server.live_orchestrator()
    other.add(echo, price_info=FIXED)
    signer.refusals = [refused(481)]
    both = caller.gateway(orch_url=[orchestrator.url, other.url], signer_url=signer.url)
    assert await caller.run(both, "model", 2) == 2


async def test_without_a_payer_the_error_says_what_to_give(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo, price_info=FIXED)
    with pytest.raises(PaymentRequiredError, match="signer_url") as caught:
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model", 1)
    assert isinstance(caught.value, InsufficientBalanceError)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refused(403), "refused with 403"),
        (PlainTextResponse("oops", 500), "oops"),
        (PlainTextResponse("no json"), "no JSON|not JSON"),
        (JSONResponse({"payment": "", "segCreds": "x"}), "no payment"),
        (JSONResponse({"payment": "a\nb", "segCreds": "x"}), "no payment"),
        (JSONResponse({"payment": "a", "segCreds": 5}), "no segCreds"),
    ],
)
async def test_a_signer_that_does_not_pay_is_told_from_the_worker(
    server: Any, caller: Any, answer: Response, message: str
) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=FIXED)
    signer.refusals = [answer]
    with pytest.raises(SignerError, match=message) as caught:
        await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=signer.url), "model", 1)
    assert "signer at http://" in str(caught.value)


async def test_a_signer_that_is_down_is_told_from_the_worker(server: Any, caller: Any, dead_url: str) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo, price_info=FIXED)
    with pytest.raises(SignerError, match="cannot connect") as caught:
        await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=dead_url), "model", 1)
    assert caught.value.retryable


async def test_a_challenge_without_terms_is_a_protocol_error(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=FIXED)
    orchestrator.challenge = {"manifest_id": 5}
    with pytest.raises(ProtocolError, match="manifest_id"):
        await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=signer.url), "model", 1)


async def test_a_payment_that_is_not_taken_is_the_orchestrators_refusal(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()

    async def answer(request: Request) -> Response:
        return PlainTextResponse("invalid ticket", 400)

    orchestrator.add(answer, price_info=FIXED)
    with pytest.raises(RefusedError, match="invalid ticket"):
        await caller.run(caller.gateway(orch_url=orchestrator.url, signer_url=signer.url), "model", 1)


async def test_the_signers_headers_are_seen_by_nobody_else(server: Any, caller: Any) -> None:
    orchestrator, signer = server.live_orchestrator(), server.signer()
    orchestrator.add(echo, price_info=FIXED)
    gateway = caller.gateway(
        orch_url=orchestrator.url,
        signer_url=signer.url,
        signer_headers={"X-Key": "for-the-signer"},
        headers={"X-Caller": "for-workers"},
    )
    assert await caller.run(gateway, "model", 1) == 1
    assert all(headers["x-key"] == "for-the-signer" and "x-caller" not in headers for headers in signer.headers)
    assert all(seen.headers["x-caller"] == "for-workers" and "x-key" not in seen.headers for seen in orchestrator.seen)


class Wallet:
    """A payer that asks somebody else over HTTP, and pays itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bills: list[Bill] = []

    def address(self) -> Exchange[str]:
        reply = yield from ask(Asked(method="GET", url=self.url, headers={}))
        return reply.json_object("the address")["address"]

    def pay(self, bill: Bill) -> Exchange[Payment]:
        yield from ()
        self.bills.append(bill)
        return Payment(
            payment=json.dumps({"manifest_id": bill.manifest_id}), segment="credentials", state=len(self.bills)
        )


async def test_another_payer_pays_in_both_faces(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo, price_info=FIXED)
    wallet = Wallet(server.add(JSONResponse({"address": PAYER_ADDRESS})) + "/address")
    assert await caller.run(caller.gateway(orch_url=orchestrator.url, signer=wallet), "model", 1) == 1
    (bill,) = wallet.bills
    assert (bill.unit, bill.state) == ("fixed", None)
    assert orchestrator.payments == [{"manifest_id": bill.manifest_id}]


def test_what_is_private_is_in_no_repr() -> None:
    headers = {"Authorization": "Bearer very-secret"}
    with Gateway(signer_url="https://signer.example", signer_headers=headers) as gateway:
        for value in (gateway, RemoteSigner("https://signer.example", headers=headers), *vars(gateway).values()):
            assert "very-secret" not in repr(value)
