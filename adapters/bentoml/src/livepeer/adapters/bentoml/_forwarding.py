"""The operation of a service that has no api: a command, or mounted applications alone.

Over the Live Runner network its own paths are reached as they are. The BYOC network knows one path a capability, so
there the request is a document: its path, its method and its body.
"""

from collections.abc import Awaitable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.types import ASGIApp

from livepeer.core import JSON_MEDIA_TYPE, Call, Encoded, OperationDescription, encode_json, input_error

from ._requests import Body, HttpScope, scope_of
from ._responses import Sent

_CAPACITY = 32


class ForwardedRequest(BaseModel):
    """A request to the service's own HTTP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(pattern=r"^/[!-~]*$", description="Where, percent-encoded, with its query if it has one.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    body: Any = Field(None, description="What is sent as JSON; left out, nothing is.")


class ForwardOperation:
    """Asks a service's own HTTP on behalf of a caller, whose answer is the whole of what that says.

    Args:
        app: The service's HTTP.
        summary: What the service says of itself.
    """

    is_async = True

    def __init__(self, app: ASGIApp, *, summary: str = "") -> None:
        self._app = app
        self.description = OperationDescription(
            name="predict",
            path="/predict",
            summary=summary,
            input_schema=ForwardedRequest.model_json_schema(),
            output_schema={},
            capacity=_CAPACITY,
        )

    def decode(self, body: bytes, media_type: str = JSON_MEDIA_TYPE) -> ForwardedRequest:
        """Check a document.

        Raises:
            MalformedBodyError: If it is no JSON.
            InvalidInputError: If a field does not fit; names each.
        """
        try:
            return ForwardedRequest.model_validate_json(body or b"{}")
        except ValidationError as error:
            raise input_error(error) from None

    def invoke(self, value: ForwardedRequest, call: Call) -> Awaitable[Encoded]:
        """Ask, and wait for all of the answer."""
        return _ask(self._app, value, call)

    def encode(self, value: Encoded) -> Encoded:
        """Give the answer as it is."""
        return value


async def _ask(app: ASGIApp, asked: ForwardedRequest, call: Call) -> Encoded:
    body = encode_json(asked.body) if "body" in asked.model_fields_set else b""
    sent = Sent()
    await app(_scope(asked, call, body), Body(body).receive, sent.send)
    return sent.encoded()


def _scope(asked: ForwardedRequest, call: Call, body: bytes) -> HttpScope:
    headers = [(b"host", b"localhost"), (b"x-request-id", call.id.encode()), (b"accept", b"*/*")]
    if body:
        headers += [(b"content-type", JSON_MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    return {**scope_of(asked.method, asked.path, headers), "state": {}}
