"""Requirements files, as pip reads them: what most frameworks' build files name."""

import re
from pathlib import Path

from ._errors import TargetError

_COMMENT = re.compile(r"(^|\s)#.*")
_NESTED = re.compile(r"(?:-r|--requirement)[ =]*(.+)")


def requirement_lines(text: str) -> list[str]:
    """The lines of a requirements file, without comments; options such as an index stay as pip reads them."""
    lines = (_COMMENT.sub("", line).strip() for line in text.replace("\\\n", "").splitlines())
    return [line for line in lines if line]


def read_requirements(path: Path, key: str) -> list[str]:
    """The lines of a requirements file, and of those that it includes.

    Args:
        path: The file.
        key: What names it, for the error.

    Raises:
        TargetError: If one of them cannot be read.
    """
    return _read(path, key, ())


def _read(path: Path, key: str, outer: tuple[Path, ...]) -> list[str]:
    path = path.resolve()
    if path in outer:
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"{key}: {path.name} cannot be read: {error}") from error
    found: list[str] = []
    for line in requirement_lines(text):
        nested = _NESTED.fullmatch(line)
        found += _read(path.parent / nested[1].strip(), key, (*outer, path)) if nested else [line]
    return found
