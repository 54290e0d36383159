"""Makes a prediction of a request, or says why there is none."""

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio

from livepeer.core import Call, InvalidInputError, current_call
from livepeer.fetch import Poster, fetch_limits_from_environment, guarded_poster

from ._answers import AT_CAPACITY, NO_STREAM, NOT_READY, RefusedError, json_answer
from ._events import EventLog, replay_capacity
from ._health import installed_version
from ._prediction import Prediction
from ._request import Headers, Mode, PredictionRequest
from ._webhook import Webhook, webhook_headers

if TYPE_CHECKING:
    from livepeer.adapters.cog._model import CogModel
_CREDENTIALS = (b"authorization", b"cookie", b"proxy-authorization")
_WEBHOOK_SECONDS = 30.0
_TRACE = ("traceparent", "tracestate")
_MISSING = "Field required"


class Starting:
    """What stands between a request and a prediction: readiness, the schema, a free slot.

    Args:
        model: Predicts.
        stopping: Set once nothing is started any more.
    """

    def __init__(self, model: "CogModel", *, stopping: asyncio.Event) -> None:
        self._model = model
        self._stopping = stopping
        self._poster: Poster | None = None
        self._replay = replay_capacity()
        self._secret = {parameter.name: parameter.type.is_secret for parameter in model.inputs.parameters}

    async def prepare(self, request: PredictionRequest, *, id: str | None, mode: Mode, headers: Headers) -> Prediction:
        """Make a prediction that holds a permit.

        Raises:
            RefusedError: If the model is not ready, cannot stream, every slot is taken, or the input does not fit.
        """
        if self._model.setup_state.status != "ready" or self._stopping.is_set():
            raise RefusedError(NOT_READY)
        streams = self._model.output.streams
        if mode is Mode.STREAM and not streams:
            raise RefusedError(NO_STREAM)
        try:
            inputs = self._model.inputs.check(request.input)
        except InvalidInputError as error:
            raise _invalid(error) from None
        webhook = None if request.webhook is None else await self._webhook(request, request.webhook, headers)
        id = id if id is not None else request.id
        id = id if id is not None else f"pred_{secrets.token_hex(16)}"
        prediction = Prediction(
            id=id,
            document=request.input,
            inputs=inputs,
            streams=streams,
            call=_call(id, headers),
            context=request.context,
            events=EventLog(asyncio.get_running_loop(), replay=self._replay) if streams else None,
            webhook=webhook,
        )
        prediction.cancels_unread = mode is Mode.STREAM
        if not self._model.permits.take():
            raise RefusedError(AT_CAPACITY)
        return prediction

    def shown(self, document: Any) -> dict[str, Any]:
        """The inputs that the model knows, without their secrets."""
        return {
            name: "**********" if self._secret[name] else value
            for name, value in document.items()
            if name in self._secret
        }

    async def aclose(self) -> None:
        """Close the connections of the webhooks."""
        if self._poster is not None:
            await self._poster.aclose()

    async def _webhook(self, request: PredictionRequest, url: str, headers: Headers) -> Webhook:
        if self._poster is None:
            # In a thread, since it loads an HTTP client.
            self._poster = await anyio.to_thread.run_sync(_make_poster)
        trace = {name: headers[name.encode()].decode("latin-1") for name in _TRACE if name.encode() in headers}
        return Webhook(url, events=request.webhook_events, poster=self._poster, headers=trace, stopping=self._stopping)


def _make_poster() -> Poster:
    limits = replace(fetch_limits_from_environment(), seconds=_WEBHOOK_SECONDS)
    return guarded_poster(limits=limits, headers=webhook_headers(installed_version("coglet")))


def _call(id: str, headers: Headers) -> Call:
    """What the prediction carries; the lines that it prints bear the id of the request, if the host gave it one."""
    outer = current_call()
    lines = b"\n".join(b"%b:%b" % line for line in headers.items() if line[0] not in _CREDENTIALS)
    return Call(id=id if outer is None else outer.id, headers=lines)


def _invalid(error: InvalidInputError) -> RefusedError:
    """The list that Cog answers, what is missing last; its words are those of the errors already."""
    detail = [
        {
            "loc": ["body", "input", wrong.field.replace(".", "/") or "__root__"],
            "msg": wrong.reason,
            "type": "value_error.missing" if wrong.reason == _MISSING else "value_error",
        }
        for wrong in sorted(error.errors, key=lambda wrong: wrong.reason == _MISSING)
    ]
    return RefusedError(json_answer(422, {"detail": detail}))
