"""The token: where to look and who pays, in one string."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ._errors import SettingsError


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """What a token holds (Live Runner, contract section 7); all of it is private."""

    signer: str | None = field(default=None, repr=False)
    """Base URL of a remote signer."""

    signer_headers: Mapping[str, str] | None = field(default=None, repr=False)
    """For the signer alone."""

    discovery: str | None = field(default=None, repr=False)
    """URL of a discovery document."""

    discovery_headers: Mapping[str, str] | None = field(default=None, repr=False)
    """For the discovery alone."""

    orchestrators: tuple[str, ...] | None = field(default=None, repr=False)
    """Base URLs of orchestrators, in the order in which to try them."""


def decode_token(token: str) -> Token:
    """Read a token: base64 of a JSON object, all of whose members are optional.

    Raises:
        SettingsError: It is none. The message shows nothing of what it holds.
    """
    try:
        document = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, TypeError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SettingsError("token is not base64 of a JSON object") from None
    members = cast("dict[str, Any]", document)
    return Token(
        signer=_url(members, "signer"),
        signer_headers=_headers(members, "signer_headers"),
        discovery=_url(members, "discovery"),
        discovery_headers=_headers(members, "discovery_headers"),
        orchestrators=_orchestrators(members.get("orchestrators")),
    )


def _url(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise SettingsError(f"the token's {name} is no URL")
    return value or None


def _headers(members: dict[str, Any], name: str) -> Mapping[str, str] | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise SettingsError(f"the token's {name} are no object of strings")
    return cast("dict[str, str]", value)  # looked at as every header is


def _orchestrators(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(url, str) for url in cast("list[object]", value)):
        raise SettingsError("the token's orchestrators are no list of URLs")
    return tuple(cast("list[str]", value)) or None
