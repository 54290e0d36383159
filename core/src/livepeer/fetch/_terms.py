"""What a download may cost, what it brings, and how it fails."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from livepeer.core import InvalidInputError

_Number = TypeVar("_Number", int, float)


class FetchError(InvalidInputError):
    """Raised when what a URL names cannot be had; the message names the host and the reason, never credentials."""

    status, code, title = 422, "fetch_failed", "An input cannot be fetched"


class FetchRefusedError(FetchError):
    """Raised when the guard refuses a URL or the address of its host: trying again changes nothing."""


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """What a download may cost, and where it may go."""

    most_bytes: int = 512 * 1024 * 1024
    """The largest file, counted after decompression."""

    seconds: float = 60.0
    """For the whole download: looking the name up, redirects and the body."""

    allow_private: bool = False
    """Whether loopback, private, link-local, reserved and multicast addresses may be reached."""

    most_redirects: int = 5


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a download brought."""

    media_type: str
    """As the server said it, without parameters; `application/octet-stream` if it said nothing."""

    filename: str
    """The last part of the URL's path, fit for a file's name; may be empty."""

    size: int
    """Bytes that were written."""


def fetch_limits_from_environment(environ: Mapping[str, str] = os.environ) -> FetchLimits:
    """Limits as `LIVEPEER_FETCH_MOST_BYTES`, `LIVEPEER_FETCH_SECONDS` and `LIVEPEER_FETCH_ALLOW_PRIVATE` set them.

    Raises:
        ValueError: If one of them is set and cannot be read; names it.
    """
    default = FetchLimits()
    return FetchLimits(
        most_bytes=_number(environ, "LIVEPEER_FETCH_MOST_BYTES", int, default.most_bytes),
        seconds=_number(environ, "LIVEPEER_FETCH_SECONDS", float, default.seconds),
        allow_private=_switch(environ, "LIVEPEER_FETCH_ALLOW_PRIVATE"),
    )


def too_large(where: str, limits: FetchLimits) -> FetchError:
    """The error for what is larger than the limits allow."""
    return FetchError(f"{where} is larger than {limits.most_bytes} bytes")


def _number(environ: Mapping[str, str], name: str, read: Callable[[str], _Number], default: _Number) -> _Number:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        number = read(text)
    except ValueError:
        raise ValueError(f"{name}={text!r} is no number") from None
    if not number > 0:
        raise ValueError(f"{name}={text!r} must be more than 0")
    return number


def _switch(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name, "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
        return False
    if text in ("1", "true", "yes", "on"):
        return True
    raise ValueError(f"{name}={text!r} is neither true nor false")
