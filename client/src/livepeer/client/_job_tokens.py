"""What BYOC orchestrators say about one capability, as a gateway asks before a job (BYOC contract, section 3)."""

import base64
import json
from collections.abc import Mapping
from typing import Any, cast

from ._capability import Capability, Price
from ._errors import ProtocolError
from ._exchange import Exchange, Reply, Request
from ._signing import Signer

_LOOKUP_SECONDS = 5.0


def find_on_byoc(
    name: str, orchestrator_urls: tuple[str, ...], signer: Signer, headers: Mapping[str, str]
) -> Exchange[list[Capability]]:
    """Ask orchestrators, all at once, for a capability by its registered name.

    One that says no more than that it has no free slot may not know it at all, and is left out, as is one that does not
    answer.
    """
    if not (name.isascii() and name.isprintable()):
        return []  # no header can hold it
    own = {**headers, "Livepeer-Eth-Address": _sender(signer), "Livepeer-Capability": name}
    outcomes = yield tuple(
        Request(method="GET", url=f"{url}/process/token", headers=own, timeout_seconds=_LOOKUP_SECONDS)
        for url in orchestrator_urls
    )
    answers = zip(orchestrator_urls, outcomes, strict=True)
    found = [_capability(name, url, reply) for url, reply in answers if isinstance(reply, Reply)]
    return [capability for capability in found if capability is not None]


def _sender(signer: Signer) -> str:
    address = signer.sign("", "").sender
    proof = signer.sign(address, "")
    return base64.b64encode(json.dumps({"addr": proof.sender, "sig": proof.sig}).encode()).decode("ascii")


def _capability(name: str, url: str, reply: Reply) -> Capability | None:
    try:
        token = reply.json_object("the job token") if reply.is_success else {}
    except ProtocolError:
        return None
    available, price = token.get("available_capacity"), _price(token.get("price"))
    if not isinstance(available, int) or isinstance(available, bool) or (available <= 0 and price is None):
        return None
    return Capability(
        name=name,
        network="byoc",
        app=name,
        url=url,
        orchestrator_url=url,
        capacity_available=max(0, available),
        price=price,
    )


def _price(document: object) -> Price | None:
    members = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    price, units = members.get("pricePerUnit"), members.get("pixelsPerUnit", 1)
    if not isinstance(price, int) or not isinstance(units, int) or price <= 0 or units <= 0:
        return None
    return Price(price=price / units, currency="wei", unit="seconds")
