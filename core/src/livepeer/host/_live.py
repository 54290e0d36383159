"""Live sessions as calls: one that lasts as long as its session, one that changes it, one that ends it."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from pydantic import ValidationError

from livepeer.core import (
    Call,
    Capability,
    Encoded,
    Live,
    Living,
    MalformedBodyError,
    Operation,
    OperationDescription,
    SessionReport,
    SessionStart,
)

from ._wire import STREAM_ID_HEADER

_ANY: dict[str, Any] = {}


def all_operations(capability: Capability) -> Sequence[Operation]:
    """What calls name by number: the capability's own operations, then the three of its sessions, if it is live."""
    if not isinstance(capability, Living):
        return capability.operations
    live = capability.live
    return (*capability.operations, _Start(live), _Update(live), _Stop(live))


class _SessionOperation:
    is_async = True

    def __init__(self, live: Live) -> None:
        self._live = live

    def decode(self, body: bytes, media_type: str) -> Any:
        try:
            return json.loads(body) if body else None
        except ValueError as error:
            raise MalformedBodyError(f"the body is no JSON: {error}") from None

    def encode(self, value: Any) -> Encoded:
        return Encoded(json.dumps(value, separators=(",", ":")).encode(), "application/json")


class _Start(_SessionOperation):
    """The call lasts as long as the session, and its events are the session's reports."""

    @property
    def description(self) -> OperationDescription:
        return _described("start", self._live.description.capacity, streams=True)

    def decode(self, body: bytes, media_type: str) -> SessionStart:
        try:
            return SessionStart.model_validate_json(body)
        except ValidationError as error:
            raise MalformedBodyError(f"this starts no session: {error}") from None

    def invoke(self, value: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
        return self._live.run(value, call)

    def encode(self, value: SessionReport) -> Encoded:
        return Encoded(value.model_dump_json(exclude_none=True).encode(), "application/json")


class _Update(_SessionOperation):
    @property
    def description(self) -> OperationDescription:
        return _described("params", self._live.description.capacity)

    async def invoke(self, value: Any, call: Call) -> Any:
        return await self._live.update(call.headers[STREAM_ID_HEADER], value)


class _Stop(_SessionOperation):
    @property
    def description(self) -> OperationDescription:
        return _described("stop", self._live.description.capacity)

    def decode(self, body: bytes, media_type: str) -> str:
        return body.decode(errors="replace")

    async def invoke(self, value: str, call: Call) -> None:
        await self._live.stop(call.headers[STREAM_ID_HEADER], value)


def _described(name: str, capacity: int, *, streams: bool = False) -> OperationDescription:
    return OperationDescription(
        name=name,
        path=f"/stream/{name}",
        input_schema=_ANY,
        output_schema=_ANY,
        capacity=capacity,
        streams=streams,
    )
