"""Contract, section 7: calls that are to be paid, and the signer that pays for them."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from livepeer.devnet import DevNet, PaymentRefusal, PaymentRequest, Timings

from .kit import Network, Worker, running_network, until

PAYER = "0x" + "1" * 40
HOUR = {"price": "3.6", "currency": "USD", "unit": "hour"}
FIXED = {"price": 0.5, "unit": "fixed"}
VIDEO = {"price": 1, "unit": "720p"}

# Charged often; the first payment is soon used up, a later one covers a second at least.
QUICK = Timings(payment_interval_seconds=0.02, prepaid_seconds=0.1, prepaid_720p_seconds=0.1)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with running_network(paid=True, timings=Timings()) as running:
        yield running


@dataclass
class Wallet:
    """A caller's side of the payments for one session."""

    network: Network
    challenge: dict[str, str]
    type: str
    state: object = None

    async def ask(self, **fields: object) -> httpx2.Response:
        body = {
            "orchestrator": self.challenge["payment_params"],
            "type": self.type,
            "ManifestID": self.challenge["manifest_id"],
            "state": self.state,
        } | fields
        return await self.network.http.post(self.network.net.signer_url + "/generate-live-payment", json=body)

    async def pay(self) -> dict[str, str]:
        """Return the headers of a new payment."""
        answer = await self.ask()
        assert answer.status_code == 200, answer.text
        self.state = answer.json()["state"]
        return {"Livepeer-Payment": answer.json()["payment"], "Livepeer-Segment": answer.json()["segCreds"]}


async def register(network: Network, worker: Worker, price: dict[str, object], **fields: object) -> str:
    """Register a runner and return the URL that callers pay for."""
    answer = await network.heartbeat(worker, runner_id="r", price_info=price, **fields)
    assert answer.status_code == 200, answer.text
    path = "app/" if fields.get("mode") == "single-shot" else "session"
    return f"{network.net.orchestrator_url}/apps/r/{path}"


async def open_wallet(network: Network, url: str, payment_type: str = "live") -> Wallet:
    signer = (await network.http.post(network.net.signer_url + "/sign-orchestrator-info", json={})).json()
    answer = await network.http.post(url, headers={"Livepeer-Payer-Address": signer["address"].upper()[2:]})
    assert answer.status_code == 402
    return Wallet(network, answer.json(), payment_type)


def used(network: Network) -> int:
    return len(network.net.runners["r"].session_ids)


def change(header: str, **fields: object) -> str:
    values = json.loads(base64.b64decode(header)) | fields
    return base64.b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    ("price", "message"),
    [
        (None, "price_info.price is required"),
        ({}, "price_info.price is required"),
        ({"price": 0}, "price_info.price must be a positive decimal"),
        ({"price": -1}, "price_info.price must be a positive decimal"),
        ({"price": "NaN"}, "price_info.price must be a positive decimal"),
        ({"price": 1, "currency": "wei"}, "price_info.currency must be usd"),
        ({"price": 1, "unit": "second"}, "price_info.unit must be hour, 720p, or fixed"),
    ],
)
async def test_a_runner_without_a_price_that_can_be_converted_is_400(
    network: Network, worker: Worker, price: object, message: str
):
    answer = await network.heartbeat(worker, price_info=price)

    assert (answer.status_code, answer.text) == (400, message + "\n")


async def test_discovery_tells_prices_in_wei(network: Network, worker: Worker):
    for index, price in enumerate((HOUR, VIDEO, FIXED)):
        await network.heartbeat(worker, runner_id=str(index), price_info=price)

    prices = [card["price_info"] for card in await network.discover()]
    assert prices == [
        {"price": 400_000_000_000, "currency": "wei", "unit": "seconds"},
        {"price": 4018, "currency": "wei", "unit": "720p-pixel-seconds"},
        {"price": 200_000_000_000_000, "currency": "wei", "unit": "fixed"},
    ]


@pytest.mark.parametrize("price", ["0.0000000000001", "1e-999999999", "1e999999999", "1e20"])
async def test_a_price_that_makes_no_sum_of_wei_is_not_told_and_calls_are_503(
    network: Network, worker: Worker, price: str
):
    url = await register(network, worker, {"price": price})

    assert "price_info" not in (await network.discover())[0]
    assert (await network.http.post(url)).status_code == 503


@pytest.mark.parametrize("mode", ["persistent", "single-shot"])
async def test_a_call_without_payment_is_402_and_says_what_to_pay(network: Network, worker: Worker, mode: str):
    url = await register(network, worker, HOUR, mode=mode)

    answer = await network.http.post(url, headers={"Livepeer-Payer-Address": PAYER}, content=b"job")

    base, fields = network.net.orchestrator_url, answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (402, "application/json")
    assert sorted(fields) == ["manifest_id", "orchestrator", "payment_params", "payment_url"]
    assert fields["orchestrator"] == base
    assert fields["payment_url"] == f"{base}/apps/r/session/{fields['manifest_id']}/payment"
    assert base64.b64decode(fields["payment_params"], validate=True)
    assert not worker.calls
    assert used(network) == 0


@pytest.mark.parametrize("address", [None, "", "0x12", "x" * 42])
async def test_a_call_that_names_no_payer_is_402_without_terms(network: Network, worker: Worker, address: str | None):
    url = await register(network, worker, HOUR)

    answer = await network.http.post(url, headers={} if address is None else {"Livepeer-Payer-Address": address})

    assert answer.status_code == 402
    assert answer.json() == {"error": {"message": "invalid live runner payment signer address"}}


async def test_the_same_call_with_a_payment_is_served_under_the_id_of_its_manifest(network: Network, worker: Worker):
    url = await register(network, worker, HOUR, mode="single-shot")
    wallet = await open_wallet(network, url + "echo")

    answer = await network.http.post(url + "echo", headers=await wallet.pay(), content=b"job")

    assert (answer.status_code, answer.json()["body"]) == (200, "job")
    assert dict(worker.calls[0]["headers"])["livepeer-session-id"] == wallet.challenge["manifest_id"]


async def test_a_payment_is_good_once(network: Network, worker: Worker):
    url = await register(network, worker, HOUR, mode="single-shot")
    headers = await (await open_wallet(network, url)).pay()

    first, again = [await network.http.post(url, headers=headers) for _ in range(2)]

    assert (first.status_code, again.status_code) == (200, 400)
    assert "senderNonce" in again.text
    assert used(network) == 0


async def test_a_second_payment_for_a_session_that_runs_is_409_where_it_would_begin(network: Network, worker: Worker):
    url = await register(network, worker, HOUR, capacity=2)
    wallet = await open_wallet(network, url)
    assert (await network.http.post(url, headers=await wallet.pay())).json()["session_id"] == (
        wallet.challenge["manifest_id"]
    )

    answer = await network.http.post(url, headers=await wallet.pay())

    assert (answer.status_code, answer.text) == (409, "session already exists\n")


async def test_a_full_runner_is_503_and_keeps_no_money(network: Network, worker: Worker):
    url = await register(network, worker, FIXED)
    wallets = [await open_wallet(network, url, "fixed") for _ in range(2)]
    first, second = [await wallet.pay() for wallet in wallets]
    session = (await network.http.post(url, headers=first)).json()

    assert (await network.http.post(url, headers=second)).status_code == 503
    await network.http.post(session["control_url"] + "/stop")
    assert (await network.http.post(url, headers=second)).status_code == 200


async def test_headers_that_do_not_hold_are_refused(network: Network, worker: Worker):
    url = await register(network, worker, HOUR)
    wallet, other = await open_wallet(network, url), await open_wallet(network, url)
    headers = await wallet.pay()
    payment, credentials = headers["Livepeer-Payment"], headers["Livepeer-Segment"]
    foreign = (await other.pay())["Livepeer-Segment"]
    terms = json.loads(base64.b64decode(credentials))["terms"]

    cases = [
        (402, "payment decode error", {"Livepeer-Payment": "%"}),
        (402, "payment decode error", {"Livepeer-Payment": base64.b64encode(b"[]").decode()}),
        (402, "payment decode error", {"Livepeer-Payment": change(payment, value=-1)}),
        (403, "ErrorSegEncoding", {"Livepeer-Segment": "%"}),
        (403, "ErrSegSig", {"Livepeer-Payment": ""}),
        (403, "ErrSegSig", {"Livepeer-Payment": change(payment, payer="0x" + "2" * 40)}),
        (403, "invalid auth token", {"Livepeer-Segment": change(credentials, terms=change(terms, price=1))}),
        (403, "invalid auth token", {"Livepeer-Segment": change(credentials, terms=change(terms, expires=2**40))}),
        (403, "mismatched manifest and auth token", {"Livepeer-Segment": change(credentials, manifest_id="other")}),
        (400, "invalid ticket", {"Livepeer-Segment": foreign}),
        (400, "invalid ticket", {"Livepeer-Payment": change(payment, price=1)}),
    ]
    for status, message, changed in cases:
        answer = await network.http.post(url, headers=headers | changed)
        assert (answer.status_code, answer.text.startswith(message)) == (status, True), answer.text
    assert used(network) == 0
    assert (await network.http.post(url, headers=headers)).status_code == 200


async def test_terms_for_another_payer_are_of_no_use(network: Network, worker: Worker):
    url = await register(network, worker, HOUR)
    challenge = (await network.http.post(url, headers={"Livepeer-Payer-Address": PAYER})).json()

    answer = await network.http.post(url, headers=await Wallet(network, challenge, "live").pay())

    assert (answer.status_code, answer.text) == (400, "invalid ticket: the payment is for other terms\n")


async def test_a_fixed_price_that_has_changed_meanwhile_is_400(network: Network, worker: Worker):
    secret = (await network.heartbeat(worker, runner_id="r", price_info=FIXED)).json()["heartbeat_secret"]
    url = network.net.orchestrator_url + "/apps/r/session"
    headers = await (await open_wallet(network, url, "fixed")).pay()
    await network.heartbeat(worker, runner_id="r", secret=secret, price_info=FIXED | {"price": 0.6})

    answer = await network.http.post(url, headers=headers)

    assert (answer.status_code, answer.text) == (400, "payment price does not match live runner price\n")


async def test_a_fixed_price_is_paid_once(network: Network, worker: Worker):
    url = await register(network, worker, FIXED)
    wallet = await open_wallet(network, url, "fixed")
    assert (await network.http.post(url, headers=await wallet.pay())).status_code == 200

    answer = await network.http.post(wallet.challenge["payment_url"], headers=await wallet.pay())

    assert answer.status_code == 409
    assert answer.text == "fixed-price live runner sessions do not accept follow-up payments\n"


async def test_too_little_for_a_fixed_price_is_400_and_reserves_nothing(network: Network, worker: Worker):
    url = await register(network, worker, FIXED)
    headers = await (await open_wallet(network, url, "fixed")).pay()
    headers["Livepeer-Payment"] = change(headers["Livepeer-Payment"], value=1)

    answer = await network.http.post(url, headers=headers)

    assert (answer.status_code, answer.text.split(",")[0]) == (400, "insufficient balance")
    assert used(network) == 0


@pytest.mark.parametrize(("price", "payment_type"), [(HOUR, "live"), (VIDEO, "lv2v")])
async def test_a_session_that_nobody_pays_for_any_more_is_released(
    worker: Worker, price: dict[str, object], payment_type: str
):
    async with running_network(paid=True, timings=QUICK) as network:
        url = await register(network, worker, price)
        wallet = await open_wallet(network, url, payment_type)
        await network.http.post(url, headers=await wallet.pay())
        assert used(network) == 1

        await until(lambda: used(network) == 0)

        late = await network.http.post(wallet.challenge["payment_url"], headers=await wallet.pay())
        assert (late.status_code, late.text) == (404, "runner session not found\n")


async def test_a_session_that_is_paid_for_goes_on(worker: Worker):
    async with running_network(paid=True, timings=QUICK) as network:
        url = await register(network, worker, HOUR)
        wallet = await open_wallet(network, url)
        await network.http.post(url, headers=await wallet.pay())
        later = await network.http.post(wallet.challenge["payment_url"], headers=await wallet.pay())
        assert later.status_code == 200

        with anyio.move_on_after(0.4):
            await until(lambda: used(network) == 0)

        assert used(network) == 1


async def test_a_payment_for_another_session_is_403(network: Network, worker: Worker):
    url = await register(network, worker, HOUR, capacity=2)
    one, other = await open_wallet(network, url), await open_wallet(network, url)
    for wallet in (one, other):
        await network.http.post(url, headers=await wallet.pay())

    answer = await network.http.post(one.challenge["payment_url"], headers=await other.pay())

    assert (answer.status_code, answer.text) == (403, "mismatched session and payment manifest\n")


async def test_a_call_that_nobody_pays_for_any_more_is_broken_off(worker: Worker):
    async with running_network(paid=True, timings=QUICK) as network:
        url = await register(network, worker, HOUR, mode="single-shot")

        answer = await network.http.post(url + "hang", headers=await (await open_wallet(network, url)).pay())
        assert (answer.status_code, answer.text) == (502, "context canceled\n")
        await worker.left.wait()

        wallet = await open_wallet(network, url)
        async with network.http.stream("POST", url + "gated", headers=await wallet.pay()) as begun:
            with pytest.raises(httpx2.RequestError):
                await begun.aread()
        assert used(network) == 0


async def test_a_websocket_is_paid_for_like_any_call(worker: Worker):
    async with running_network(paid=True, timings=QUICK) as network:
        url = await register(network, worker, HOUR, mode="single-shot")
        socket_url = url.replace("http", "ws") + "talk"
        with pytest.raises(InvalidStatus) as caught:
            await connect(socket_url, proxy=None, additional_headers={"Livepeer-Payer-Address": PAYER})
        assert caught.value.response.status_code == 402
        assert "payment_params" in json.loads(bytes(caught.value.response.body or b""))

        headers = await (await open_wallet(network, url)).pay()
        async with connect(socket_url, proxy=None, additional_headers=headers) as socket:
            await socket.send("paid")
            assert await socket.recv() == "paid"
            await socket.wait_closed()
            assert socket.close_code == 1006


async def test_the_signer_has_one_address_and_a_signature(network: Network):
    answers = [await network.http.post(network.net.signer_url + "/sign-orchestrator-info", json={}) for _ in range(2)]

    for answer in answers:
        assert len(bytes.fromhex(answer.json()["address"].removeprefix("0x"))) == 20
        assert len(bytes.fromhex(answer.json()["signature"].removeprefix("0x"))) == 65
    assert answers[0].json()["address"] == answers[1].json()["address"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"orchestrator": ""}, "missing orchestrator"),
        ({"orchestrator": base64.b64encode(b"{}").decode()}, "missing or zero priceInfo"),
        ({"type": ""}, "invalid job type"),
        ({"type": "other"}, "invalid job type"),
        ({"maxPrice": {"price": 0}}, "maxPrice.price must be a positive decimal"),
        ({"maxPrice": {"price": "x"}}, "maxPrice.price must be a positive decimal"),
        ({"state": {"State": "e30=", "Sig": "e30="}}, "invalid sig"),
        ({"state": {"State": "%"}}, "invalid sig"),
    ],
)
async def test_a_payment_that_cannot_be_made_is_400_and_says_why(
    network: Network, worker: Worker, fields: dict[str, object], message: str
):
    wallet = await open_wallet(network, await register(network, worker, HOUR))

    answer = await wallet.ask(**fields)

    assert (answer.status_code, answer.json()) == (400, {"error": {"message": message}})


async def test_a_signer_goes_on_only_from_its_own_state(network: Network, worker: Worker):
    url = await register(network, worker, HOUR)
    wallet = await open_wallet(network, url)
    await wallet.pay()

    for fields, message in (({"type": "lv2v"}, "job type mismatch"), ({"ManifestID": ""}, "missing manifestID")):
        answer = await wallet.ask(**fields)
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


async def test_a_signer_pays_no_more_than_at_first_or_than_it_may(network: Network, worker: Worker):
    secret = (await network.heartbeat(worker, runner_id="r", price_info=HOUR)).json()["heartbeat_secret"]
    url = network.net.orchestrator_url + "/apps/r/session"
    wallet = await open_wallet(network, url)
    assert (await wallet.ask(maxPrice={"price": 1, "currency": "wei", "unit": "seconds"})).status_code == 481
    await wallet.pay()
    await network.heartbeat(worker, runner_id="r", secret=secret, price_info=HOUR | {"price": 4})
    wallet.challenge = (await open_wallet(network, url)).challenge

    assert (await wallet.ask()).status_code == 481


async def test_terms_that_are_about_to_end_are_to_be_asked_for_anew(network: Network, worker: Worker):
    wallet = await open_wallet(network, await register(network, worker, HOUR))
    wallet.challenge["payment_params"] = change(wallet.challenge["payment_params"], expires=0)

    answer = await wallet.ask()

    assert answer.status_code == 480
    assert answer.headers["Livepeer-Orchestrator-URL"] == network.net.orchestrator_url


async def test_another_payer_decides_what_is_paid(worker: Worker):
    seen: list[PaymentRequest] = []

    class Miser:
        def judge(self, request: PaymentRequest) -> PaymentRefusal | None:
            seen.append(request)
            return PaymentRefusal(status=482, reason="no tickets") if request.sequence else None

    async with running_network(paid=True, payer=Miser()) as network:
        wallet = await open_wallet(network, await register(network, worker, HOUR))
        await wallet.pay()
        answer = await wallet.ask()

    assert (answer.status_code, answer.json()) == (482, {"error": {"message": "no tickets"}})
    assert [request.manifest_id for request in seen] == [wallet.challenge["manifest_id"]] * 2
    assert seen[0].value == 10 * seen[0].price


async def test_the_signer_tells_of_runners_that_can_be_paid(worker: Worker):
    async with running_network(paid=True, orchestrators=2) as network:
        url = network.net.signer_url + "/discover-orchestrators"
        assert (await network.http.get(url)).status_code == 503
        await network.heartbeat(worker, at=1, runner_id="r", price_info=HOUR)

        [entry] = (await network.http.get(url)).json()

        assert entry == {
            "address": network.net.orchestrator_urls[1],
            "score": 1.0,
            "capabilities": ["me/model"],
            "runners": await network.discover(at=1),
        }
        for query, count in (("?caps=me/model&caps=x", 1), ("?caps=x", 0), ("?caps=", 1)):
            assert len((await network.http.get(url + query)).json()) == count


async def test_without_payments_there_is_no_signer_and_no_price(worker: Worker):
    async with running_network() as network:
        with pytest.raises(RuntimeError, match="nothing is to be paid"):
            _ = network.net.signer_url
        await network.heartbeat(worker, price_info=HOUR)
        assert "price_info" not in (await network.discover())[0]
    with pytest.raises(RuntimeError, match="not running"):
        _ = DevNet(paid=True).signer_url


async def test_after_a_restart_earlier_terms_are_worth_nothing(network: Network, worker: Worker):
    url = await register(network, worker, HOUR)
    headers = await (await open_wallet(network, url)).pay()

    await network.net.restart_orchestrator()
    await register(network, worker, HOUR)

    answer = await network.http.post(url, headers=headers)
    assert (answer.status_code, answer.text) == (403, "invalid auth token\n")
