"""Schemas, without the I/O of fetching them (Live Runner, contract section 9)."""

import hashlib
from typing import Any

from ._capability import Capability
from ._errors import ProtocolError, SettingsError
from ._exchange import Exchange, Request, ask
from ._problems import error_from_reply

_LONGEST_BYTES = 16 * 1024 * 1024


def fetch_schema(capability: Capability) -> Exchange[dict[str, Any]]:
    """Fetch the schema that a card names, and check that it is the one that it vouches for.

    Raises:
        SettingsError: The card names none.
        ProtocolError: It is another document, or none.
        LivepeerError: It cannot be had.
    """
    url, promised = capability.card.schema_url, capability.card.schema_sha256
    if url is None or not url.startswith(("http://", "https://")):
        raise SettingsError(f"{capability.name} names no schema_url")
    # Nothing of the caller's goes along: the worker may name anybody's URL.
    reply = yield from ask(Request(method="GET", url=url, headers={}, max_bytes=_LONGEST_BYTES))
    if not reply.is_success:
        raise error_from_reply(reply)
    actual = hashlib.sha256(reply.body).hexdigest()
    if promised is not None and actual != promised.lower():
        raise ProtocolError(
            f"the schema of {capability.name} is not the one that its card vouches for: "
            f"its SHA-256 is {actual}, not {promised}",
            code="schema_mismatch",
        )
    return reply.json_object("the schema")
