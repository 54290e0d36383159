"""The signer that go-livepeer offers as a service of its own."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ._errors import LivepeerError, PriceTooHighError, SignerError
from ._exchange import Exchange, Reply, Request, ask
from ._failures import origin
from ._payments import Bill, Payment
from ._problems import error_from_reply
from ._urls import base_url, checked_headers

_TYPES = {"seconds": "live", "720p-pixel-seconds": "lv2v", "fixed": "fixed"}
_PRICE_TOO_HIGH = 481
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HEADER_VALUE = re.compile(r"[!-~]+")


class RemoteSigner:
    """Pays through go-livepeer's remote signer (Live Runner, contract section 7); a `Payer`.

    Args:
        signer_url: Its base URL.
        headers: Sent with every request to it, and to nobody else, such as its ``Authorization``.

    Raises:
        SettingsError: The URL or a header is none.
    """

    def __init__(self, signer_url: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.url = base_url(signer_url)
        """Its base URL, without a final slash."""

        self._headers = checked_headers("signer_headers", headers)
        self._address: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({origin(self.url)!r})"

    def address(self) -> Exchange[str]:
        """Say who pays; the signer is asked once."""
        if self._address is None:
            document = yield from self._post("/sign-orchestrator-info", {})
            address = document.get("address")
            if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
                raise self._error("gave no Ethereum address")
            self._address = address
        return self._address

    def pay(self, bill: Bill) -> Exchange[Payment]:
        """Have a payment made."""
        if bill.unit not in _TYPES:
            raise SignerError(f"the worker's price is for a unit that no signer knows: {bill.unit!r}")
        document: dict[str, object] = {
            "orchestrator": bill.payment_params,
            "type": _TYPES[bill.unit],
            "ManifestID": bill.manifest_id,
        }
        if bill.state is not None:
            document["state"] = bill.state
        answer = yield from self._post("/generate-live-payment", document, bill)
        payment, segment = answer.get("payment"), answer.get("segCreds", "")
        if not isinstance(payment, str) or not _HEADER_VALUE.fullmatch(payment):
            raise self._error("gave no payment")
        if not isinstance(segment, str) or not _HEADER_VALUE.fullmatch(segment):
            raise self._error("gave no segCreds")
        return Payment(payment=payment, segment=segment, state=answer.get("state"))

    def _post(self, path: str, document: Mapping[str, object], bill: Bill | None = None) -> Exchange[dict[str, Any]]:
        headers = {**self._headers, "Content-Type": "application/json"}
        try:
            reply = yield from ask(Request(url=self.url + path, headers=headers, body=json.dumps(document).encode()))
            if reply.is_success:
                return reply.json_object("the answer")
        except LivepeerError as error:
            raise self._error(f"failed: {error}", retryable=error.retryable) from error
        raise self._refusal(reply, bill)

    def _refusal(self, reply: Reply, bill: Bill | None) -> SignerError:
        reason = str(error_from_reply(reply))
        if reply.status == _PRICE_TOO_HIGH:
            price = bill.price if bill is not None else None
            cost = f"{price.price} {price.currency} ({price.unit})" if price is not None else "the worker's price"
            return PriceTooHighError(f"the signer at {origin(self.url)} does not pay {cost}: {reason}", status=481)
        return self._error(f"refused: {reason}", status=reply.status, retryable=reply.status >= 500)

    def _error(self, what: str, **details: Any) -> SignerError:
        return SignerError(f"the signer at {origin(self.url)} {what}", **details)
