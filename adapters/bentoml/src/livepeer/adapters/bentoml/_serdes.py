"""How BentoML reads bodies, but for what it would download: our guard does that."""

import json
import tempfile
from functools import cache
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.requests import Request

from livepeer.fetch import FetchError, fetch_async, fetch_limits_from_environment

from . import _sdk

_IN_MEMORY_BYTES = 1024 * 1024


async def fetch_upload(url: str) -> UploadFile:
    """Download what a caller names by URL, as if it had been uploaded.

    Raises:
        FetchError: If the guard refuses the URL, or it cannot be had.
    """
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - the request's end closes it
    try:
        fetched = await fetch_async(url, file, limits=fetch_limits_from_environment())  # pyright: ignore[reportArgumentType]
    except BaseException:
        file.close()
        raise
    file.seek(0)
    headers = Headers({"content-type": fetched.media_type})
    return UploadFile(file, size=fetched.size, filename=fetched.filename, headers=headers)  # pyright: ignore[reportArgumentType]


class GuardedJSONSerde(_sdk.JSONSerde):
    """BentoML's JSON; a body that is the URL of a file is downloaded under our guard."""

    async def parse_request(self, request: Request, cls: Any) -> Any:
        """Read a request into a model."""
        body = await request.body()
        if issubclass(cls, _sdk.IORootModel):
            if cls.multipart_fields and _sdk.is_http_url(url := body.decode("utf-8", "ignore")):
                body = await (await _fetched(url)).read()
            return cls.model_validate(body if _takes_text(cls) else json.loads(body or b"{}"))
        return self.deserialize_model(_sdk.Payload((body,), metadata=request.headers), cls)


@cache
def _takes_text(spec: Any) -> bool:
    """Whether a body is the value itself, and no JSON; BentoML derives the JSON Schema for every body to find it."""
    return spec.model_json_schema().get("type") in ("string", "file")


class GuardedMultipartSerde(_sdk.MultipartSerde):
    """BentoML's multipart and forms; a text in place of a file is a URL, downloaded under our guard."""

    @staticmethod
    async def ensure_file(obj: str | UploadFile) -> UploadFile:
        """The file that a field holds or names."""
        if isinstance(obj, UploadFile):
            return obj
        url = obj.strip("\"'")
        if not _sdk.is_http_url(url):
            raise _sdk.BadInput("a file is expected, or the http or https URL of one")
        return await _fetched(url)


async def _fetched(url: str) -> UploadFile:
    try:
        return await fetch_upload(url)
    except FetchError as error:
        raise _sdk.BadInput(error.detail) from error


def serde_for(media_type: str) -> Any:
    """What reads bodies of a media type, which is given without its parameters.

    Raises:
        BentoMLException: If it is pickle, which runs whatever its sender likes.
    """
    if media_type == _sdk.PICKLE_MEDIA_TYPE:
        raise _sdk.BentoMLException(
            f"{media_type} is not allowed in main server", error_code=HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        )
    return _SERDES.get(media_type, GuardedJSONSerde)()


_SERDES: dict[str, Any] = {
    "multipart/form-data": GuardedMultipartSerde,
    "application/x-www-form-urlencoded": GuardedMultipartSerde,
}
