"""Where a request goes, as Go's router decides it (trickle, table 1, rows 36 and 37)."""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from ._asgi import Scope

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_NUMBER = re.compile(r"[+-]?0*[0-9]{1,19}", re.ASCII)
# What Go leaves as it is in a path, beside letters and digits.
_SAFE = "$&+,/:;=@"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a path names."""

    name: str
    """The channel's name; bytes that are not UTF-8 are kept as lone surrogates."""
    item: str | None = None
    """What of the channel: a segment's number or `next`; None for the channel itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Redirect:
    """A path that has a cleaner form."""

    location: str


class BadPathError(Exception):
    """Raised when a path has an escape that is none."""


def raw_path(scope: Scope) -> bytes:
    """Return the path of a request as it came, root path and all."""
    return scope.get("raw_path") or quote(scope["path"]).encode()


def find_target(path: bytes, base: bytes) -> Target | Redirect | None:
    """Return what a path under a base, which ends with a slash, names; None for nothing.

    Raises:
        BadPathError: The path has an escape that is none.
    """
    if b"%" in path and _BAD_ESCAPE.search(path):
        raise BadPathError
    if b"//" in path or b"/." in path:
        clean = _cleaned(path.decode("latin-1"))
        if clean.encode("latin-1") != path:
            return Redirect(location=quote(clean, safe=_SAFE, encoding="latin-1"))
    if not path.startswith(base):
        return None
    name, slash, item = path[len(base) :].partition(b"/")
    if not name or b"/" in item or (slash and not item) or b"%2F" in (name.upper(), item.upper()):
        return None
    return Target(name=_decoded(name), item=_decoded(item) if slash else None)


def segment_number(text: str, allowed: range) -> int | None:
    """Return the number that names a segment, None if it is none, or none of those allowed."""
    if not _NUMBER.fullmatch(text):
        return None
    seq = int(text)
    return seq if seq in allowed else None


def _cleaned(path: str) -> str:
    # Python keeps two slashes at the beginning, as POSIX wants it.
    clean = "/" + posixpath.normpath(path).lstrip("/")
    return clean + "/" if path.endswith("/") and clean != "/" else clean


def _decoded(part: bytes) -> str:
    return (unquote_to_bytes(part) if b"%" in part else part).decode("utf-8", "surrogateescape")
