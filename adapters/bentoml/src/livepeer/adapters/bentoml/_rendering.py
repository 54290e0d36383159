"""Values as BentoML's answers, with what BentoML works out for every answer anew worked out once."""

from functools import cache
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from . import _sdk


async def render(spec: Any, value: Any, serde: Any) -> Response:
    """The answer that holds a value.

    Args:
        spec: The api's `output_spec`.
        value: What the api has returned.
        serde: What read the request.
    """
    if isinstance(value, Response):
        return value
    if isinstance(value, BaseModel) and not issubclass(spec, _sdk.IORootModel) and not spec.multipart_fields:
        # What BentoML comes to after all its other cases.
        (body,) = serde.serialize_model(value).data
        return Response(body, media_type=spec.mime_type())
    return await _settled(spec).to_http_response(value, serde)


@cache
def _settled(spec: Any) -> Any:
    """The same spec, which knows its media type: BentoML's own derives the JSON Schema to find it."""
    if not issubclass(spec, _sdk.IORootModel):
        return spec
    media_type: str = spec.mime_type()
    return type(spec)(
        spec.__name__, (spec,), {"__module__": spec.__module__, "mime_type": staticmethod(lambda: media_type)}
    )
