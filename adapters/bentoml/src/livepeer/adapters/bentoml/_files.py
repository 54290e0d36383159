"""The files of one call: named by data URI, by URL or in base64 in its document, and closed after it."""

import base64
import importlib
import io
import mimetypes
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import anyio
from starlette.datastructures import Headers, UploadFile

from livepeer.core import Call, FieldError
from livepeer.fetch import FetchError, FetchLimits, fetch_async, read_data_uri

from . import _sdk
from ._file_places import Place

USER_AGENT = "livepeer-gateway-bentoml"

_IN_MEMORY_BYTES = 1024 * 1024
_LONG_TEXT = 1024 * 1024
"""What takes so long to decode that other calls would notice."""


class Files:
    """Reads the files of one call.

    Args:
        limits: What all of them together may take, and where they may come from.
        call: Whose deadline holds for downloads, too.
    """

    def __init__(self, limits: FetchLimits, call: Call) -> None:
        remaining = call.remaining_seconds
        self._limits = limits if remaining is None else replace(limits, seconds=min(limits.seconds, remaining))
        self._room = limits.most_bytes
        self._call = call
        self._open = ExitStack()

    async def fill(self, places: Sequence[Place], errors: list[FieldError]) -> None:
        """Put files where a document names them. Within a request, if one of them is to be saved.

        Args:
            places: Where.
            errors: Gets those that cannot be had; their strings stay where they are.
        """
        for place in places:
            try:
                place.put(await self._value(place.kind, place.text))
            except FetchError as error:
                errors.append(FieldError(field=place.field, reason=str(error)))

    async def upload(self, text: str) -> UploadFile:
        """What a string stands for, as if it had been uploaded.

        Raises:
            FetchError: If it is no data: URI, no http(s) URL and no base64, or cannot be had.
            CallCancelledError: If the call was cancelled meanwhile.
        """
        scheme = text[:8].lower()
        if scheme.startswith(("http://", "https://")):
            return await self._download(text)
        read = partial(read_data_uri, limits=self._rest()) if scheme.startswith("data:") else self._read_base64
        content, media_type = read(text) if len(text) < _LONG_TEXT else await anyio.to_thread.run_sync(read, text)
        self._room -= len(content)
        return self._as_upload(io.BytesIO(content), len(content), "", media_type)

    def close(self) -> None:
        """Close all of them."""
        self._open.close()

    async def _value(self, kind: str, text: str) -> Any:
        upload = await self.upload(text)
        match kind:
            case "bytes":
                return upload.file.read()
            case "image":
                return _open_image(upload)
            case "path":
                return _save(upload)
            case _:
                return upload

    async def _download(self, url: str) -> UploadFile:
        file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES))  # noqa: SIM115 - close() does
        self._open.callback(file.close)
        fetched = await fetch_async(
            url, file, limits=self._rest(), cancelled=lambda: self._call.cancelled, user_agent=USER_AGENT
        )
        self._room -= fetched.size
        file.seek(0)
        return self._as_upload(file, fetched.size, fetched.filename, fetched.media_type)

    def _read_base64(self, text: str) -> tuple[bytes, str]:
        try:
            content = base64.b64decode("".join(text.split()), validate=True)
        except ValueError:
            raise FetchError("Must be a data: URI, an http(s) URL, or base64") from None
        if len(content) > self._room:
            raise FetchError(f"this is larger than {self._room} bytes")
        return content, ""

    def _as_upload(self, file: BinaryIO, size: int, filename: str, media_type: str) -> UploadFile:
        name = filename or f"file{mimetypes.guess_extension(media_type) or ''}"
        headers = Headers({"content-type": media_type} if media_type else {})
        return UploadFile(file, size=size, filename=name, headers=headers)

    def _rest(self) -> FetchLimits:
        """The limits of the next file: what all may take, less what the ones before have taken."""
        return replace(self._limits, most_bytes=self._room)


def _open_image(upload: UploadFile) -> Any:
    """An image, opened here: what BentoML raises for a broken one names no field."""
    # There is an api that takes one, so there is the library, which nothing else here needs.
    too_large: type[Exception] = importlib.import_module("PIL.Image").DecompressionBombError
    try:
        return _sdk.PILImageEncoder().decode(upload.file)
    except too_large:
        raise FetchError("this image is too large") from None
    except (OSError, ValueError, SyntaxError):
        raise FetchError("this is no image that can be read") from None


def _save(upload: UploadFile) -> Path:
    """A file in the temporary directory of the request."""
    with tempfile.NamedTemporaryFile(dir=_sdk.request_temp_dir(), suffix=upload.filename, delete=False) as file:
        file.write(upload.file.read())
    return Path(file.name)
