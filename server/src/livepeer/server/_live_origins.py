"""Where the channels of live sessions may be (contract, section 8)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from livepeer.core import CallError, SessionStart

CHANNEL_FIELDS = ("subscribe_url", "publish_url", "control_url", "events_url", "data_url")
"""The channels of a `SessionStart`."""


class ForeignChannelError(CallError):
    """Raised when a session's channel is not on the orchestrator (contract, section 8)."""

    status, code, title = 403, "foreign_channel", "The channel is not the orchestrator's"


def check_origins(start: SessionStart, origins: Sequence[str]) -> None:
    """Make sure that a session's channels are where they may be.

    Raises:
        ForeignChannelError: If one is not; names it.
    """
    for field in CHANNEL_FIELDS:
        url = getattr(start, field)
        if url is not None:
            check_origin(field, url, origins)


def check_origin(what: str, url: str, origins: Sequence[str]) -> None:
    """Make sure that a URL is where it may be.

    Raises:
        ForeignChannelError: If it is not.
    """
    found = origin(url)
    if found is None:
        raise ForeignChannelError(f"{what} is no http or https URL: {url[:200]!r}")
    if "*" not in origins and found not in {origin(allowed) for allowed in origins}:
        raise ForeignChannelError(
            f"{what} is at {found}, which is not the orchestrator that this capability is announced to; "
            "name it in LIVEPEER_CHANNEL_ORIGINS if it may be there"
        )


def origin(url: str) -> str | None:
    """Scheme, host and port of a URL, in one form; None if it is none of HTTP's."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return f"{parts.scheme}://{parts.hostname.lower()}:{port}" if parts.hostname else None
