"""The files of one prediction: downloaded before it, removed after it."""

import io
import mimetypes
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import unquote_plus, urlsplit

from livepeer.core import Call
from livepeer.fetch import FetchLimits, fetch, read_data_uri

from . import _sdk

URL_PATTERN = r"^([hH][tT][tT][pP][sS]?://|[dD][aA][tT][aA]:)"
"""What the value of a file input must look like. Anything else Cog would hand on as text, and a model would open it:
a path of this machine, say."""

_LONGEST_NAME_BYTES = 200


class Downloads:
    """Fetches the file inputs of one prediction into a directory of its own.

    Args:
        limits: What all of them together may take, and where they may come from.
        call: Whose deadline holds for downloads, too.
        cancelled: Asked now and then; once it says True, a download ends.
    """

    def __init__(self, limits: FetchLimits, call: Call, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._directory: Path | None = None
        self._open: list[IO[bytes]] = []
        remaining = call.remaining_seconds
        self._limits = limits if remaining is None else replace(limits, seconds=min(limits.seconds, remaining))
        self._room = limits.most_bytes

    def save(self, url: str) -> Path:
        """A file with what `url` names, as Cog names it: ``tmp``, something random, and the URL's own name.

        Raises:
            FetchError: If it cannot be had, or is too large together with the others.
            CallCancelledError: If the prediction was cancelled meanwhile.
        """
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="livepeer-cog-"))
        is_data = url[:5].lower() == "data:"
        content, name = self._read_data(url) if is_data else (None, _name_in_url(url))
        with tempfile.NamedTemporaryFile(dir=self._directory, suffix=name, delete=False) as file:
            if content is None:
                self._fetch(url, file)
            else:
                file.write(content)
        return _sdk.Path(file.name)

    def open(self, url: str) -> IO[bytes]:
        """An open file with what `url` names.

        Cog opens a URL when the model first reads, unguarded. Here it is downloaded before, as every other input.

        Raises:
            FetchError: If it cannot be had, or is too large together with the others.
            CallCancelledError: If the prediction was cancelled meanwhile.
        """
        if url[:5].lower() == "data:":
            return io.BytesIO(self._read_data(url)[0])
        file = self.save(url).open("rb")
        self._open.append(file)
        return file

    def remove(self) -> None:
        """Remove all of them."""
        for file in self._open:
            file.close()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _fetch(self, url: str, into: IO[bytes]) -> None:
        fetched = fetch(
            url, cast("BinaryIO", into), limits=self._rest(), cancelled=self._cancelled, user_agent=_user_agent()
        )
        self._room -= fetched.size

    def _read_data(self, uri: str) -> tuple[bytes, str]:
        content, media_type = read_data_uri(uri, limits=self._rest())
        self._room -= len(content)
        return content, "file" + (mimetypes.guess_extension(media_type) or "")

    def _rest(self) -> FetchLimits:
        """The limits of the next file: what most files may have, less what the ones before have taken."""
        return replace(self._limits, most_bytes=self._room)


def _user_agent() -> str:
    return os.environ.get("COG_USER_AGENT") or "livepeer-gateway-cog"


def _name_in_url(url: str) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""  # the download will say what is wrong with it
    name = unquote_plus(Path(path).name).replace("/", "_").replace("\0", "_")
    if len(name.encode()) <= _LONGEST_NAME_BYTES:
        return name
    extension = _shortened(Path(name).suffix, _LONGEST_NAME_BYTES // 2)
    return f"{_shortened(name, _LONGEST_NAME_BYTES - len(extension.encode()) - 1)}~{extension}"


def _shortened(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")
