"""URLs and headers as callers give them, checked before anything is sent."""

import re
from collections.abc import Mapping, Sequence
from typing import cast

import httpx2

from ._errors import SettingsError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")


def base_urls(urls: str | Sequence[str]) -> tuple[str, ...]:
    """Check one base URL or several.

    Raises:
        SettingsError: One of them is none, or there are none.
    """
    bases = tuple(base_url(url) for url in ([urls] if isinstance(urls, str) else urls))
    if not bases:
        raise SettingsError("orch_url is an empty list")
    return bases


def base_url(url: str) -> str:
    """Check a base URL and cut off its final slash.

    Raises:
        SettingsError: It is none.
    """
    if (parsed := _web_url(url)).query or parsed.fragment:
        raise SettingsError(f"{url!r} is no base URL, such as http://127.0.0.1:8935")
    return str(parsed).rstrip("/")


def document_url(url: str) -> str:
    """Check the URL of a document, which may have a query.

    Raises:
        SettingsError: It is none.
    """
    return str(_web_url(url))


def checked_headers(setting: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    """Check that headers can be sent; an error does not show their values.

    Raises:
        SettingsError: One of them cannot.
    """
    for name, value in cast("Mapping[object, object]", headers or {}).items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SettingsError(f"{setting} has a name that HTTP does not allow: {name!r}")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise SettingsError(f"{setting} has a value for {name} that HTTP does not allow")
    return dict(headers or {})


def _web_url(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise SettingsError(f"{url!r} is no URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise SettingsError(f"{url!r} is no base URL, such as http://127.0.0.1:8935")
    return parsed
