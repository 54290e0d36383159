"""What a remote signer must remember of a session, kept by the caller and signed by the signer.

(Live Runner, contract section 7.)
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from ._fields import integer_field, load_object, object_field, text_field


@dataclass(frozen=True, kw_only=True)
class SignerState:
    """What was paid so far for one session."""

    orchestrator: str
    """The base URL of who is paid."""

    type: str
    """`live`, `lv2v` or `fixed`."""

    price: int
    """Wei for one unit at the first payment; a later price must not be higher."""

    sequence: int = 0
    """How many payments came before."""

    paid_at_ms: int = 0
    """The Unix time of the last payment, in milliseconds."""

    def to_document(self, key: bytes) -> dict[str, object]:
        """Return the state as it travels: bytes and a signature, both in base64."""
        state = json.dumps(asdict(self), separators=(",", ":")).encode()
        signature = hmac.digest(key, state, hashlib.sha256)
        return {"State": base64.b64encode(state).decode(), "Sig": base64.b64encode(signature).decode()}


def parse_state(fields: dict[str, object], key: bytes) -> SignerState | None:
    """Read the state out of a request; None if there is none.

    Args:
        fields: The body of the request.
        key: The key of the signer.

    Raises:
        ValueError: The state is not one of this signer's.
    """
    document = object_field(fields, "state")
    state, signature = (_decode(document, name) for name in ("State", "Sig"))
    if not state and not signature:
        return None
    if not hmac.compare_digest(hmac.digest(key, state, hashlib.sha256), signature):
        raise ValueError("invalid sig")
    values = load_object(state)
    return SignerState(
        orchestrator=text_field(values, "orchestrator"),
        type=text_field(values, "type"),
        price=integer_field(values, "price"),
        sequence=integer_field(values, "sequence"),
        paid_at_ms=integer_field(values, "paid_at_ms"),
    )


def _decode(document: dict[str, object], name: str) -> bytes:
    try:
        return base64.b64decode(text_field(document, name), validate=True)
    except binascii.Error:
        raise ValueError("invalid sig") from None
