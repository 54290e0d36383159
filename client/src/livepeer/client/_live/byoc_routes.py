"""The ways to a live stream over BYOC, without their I/O (BYOC contract, section 5)."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from livepeer.client._errors import (
    BusyError,
    LivepeerError,
    NoOrchestratorError,
    ProtocolError,
    StreamOverError,
    UnreachableError,
)
from livepeer.client._exchange import Exchange, Reply, Request, ask
from livepeer.client._inputs import JSON_MEDIA_TYPE
from livepeer.client._jobs import Job
from livepeer.client._problems import error_from_reply
from livepeer.client._routes import ByocRoute, is_no_route

from .orders import Channels, GatewayDoors, Order

UPDATE_SECONDS = 30.0
"""How long a worker may take to accept other params."""

STOP_SECONDS = 10.0
"""How long the end of a stream may take; after that the network ends it in its own time."""

_GRACE_SECONDS = 5.0
_NO_CAPACITY = b"No capacity available"
"""What an orchestrator says of a capability that is full, or that it does not know, with a 400."""

_LONGEST_STOP_SECONDS = STOP_SECONDS / 2


class _ByocLiveRoute(ByocRoute, ABC):
    """What both hops have in common: the id is the caller's, so whatever may run can be stopped."""

    _order: Order | None = None
    """What may be running."""

    def end(self) -> Exchange[None]:
        """Stop the stream, if it may be running; where that fails, the network ends it in its own time."""
        if self._order is not None:
            yield (self._stop_request(self._order),)
            self._order = None  # Not before: what is broken off is sent again.

    def allows_another(self, failure: LivepeerError) -> bool:
        """Whether another orchestrator may be asked."""
        return super().allows_another(failure) or (self.hop == "orchestrator" and isinstance(failure, BusyError))

    @abstractmethod
    def _stop_request(self, order: Order) -> Request:
        """What ends the stream."""

    def _ask_to_start(self, order: Order, request: Request) -> Exchange[Reply]:
        self._order = order
        try:
            reply = yield from ask(request)
        except UnreachableError:
            self._order = None
            raise
        if not reply.is_success:
            self._order = None
            if self.hop == "orchestrator" and is_no_route(reply):
                raise NoOrchestratorError(self._explain(order.job), status=404, orchestrator_url=self.url)
            if reply.status == 400 and _NO_CAPACITY in reply.body:
                raise BusyError(
                    "no slot is free, or no worker is registered under that name",
                    status=400,
                    orchestrator_url=self.orchestrator_url,
                )
            raise error_from_reply(reply, orchestrator_url=self.orchestrator_url)
        return reply

    def _request(self, path: str, job: Job, body: bytes, timeout_seconds: float) -> Request:
        return Request(
            url=f"{self.url}{path}",
            headers={**self._headers, "Livepeer": self._header(job), "Content-Type": JSON_MEDIA_TYPE},
            body=body,
            timeout_seconds=timeout_seconds,
        )

    def _update_at(self, path: str, params: str) -> Exchange[Any]:
        if self._order is None:
            raise StreamOverError("the stream is over")
        job = self._order.job_within(UPDATE_SECONDS)
        reply = yield from ask(self._request(path, job, params.encode(), UPDATE_SECONDS + _GRACE_SECONDS))
        if not reply.is_success:
            raise error_from_reply(reply, orchestrator_url=self.orchestrator_url)
        return json_or_none(reply)


class OrchestratorLiveRoute(_ByocLiveRoute):
    """Straight at an orchestrator, which gives out the channels."""

    def start(self, order: Order) -> Exchange[Channels]:
        """Have the worker start.

        Raises:
            LivepeerError: It does not.
        """
        body = b'{"params":%s}' % order.params.encode()
        request = self._request("/ai/stream/start", order.job, body, order.job.whole_seconds + _GRACE_SECONDS)
        return _channels(order, (yield from self._ask_to_start(order, request)))

    def update(self, params: str) -> Exchange[Any]:
        """Give the worker other params."""
        return (yield from self._update_at("/ai/stream/update", params))

    def _stop_request(self, order: Order) -> Request:
        job = order.job_within(_LONGEST_STOP_SECONDS)
        return self._request("/ai/stream/stop", job, b"{}", STOP_SECONDS)


class GatewayLiveRoute(_ByocLiveRoute):
    """Through a gateway, which keeps the channels to itself."""

    def start(self, order: Order) -> Exchange[GatewayDoors]:
        """Have the stream set up; the worker starts a moment later, or does not, and the gateway does not say why."""
        # The gateway wants the params as a string, and no string where there are none.
        params = order.params if order.params != "null" else ""
        body = json.dumps({"stream_name": "", "rtmp_output": "", "stream_id": order.stream_id, "params": params})
        request = self._request(
            "/process/stream/start", order.job, body.encode(), order.job.whole_seconds + _GRACE_SECONDS
        )
        reply = yield from self._ask_to_start(order, request)
        document = reply.json_object("the stream that was set up")
        stream_id = document.get("stream_id")
        if not isinstance(stream_id, str) or not stream_id:
            raise ProtocolError("the stream that was set up has no stream_id")
        self._order = order.renamed(stream_id)
        return self._doors(stream_id, document)

    def update(self, params: str) -> Exchange[Any]:
        """Give the worker other params."""
        return (yield from self._update_at(f"{_path(self._order)}/update", params))

    def _stop_request(self, order: Order) -> Request:
        return self._request(f"{_path(order)}/stop", order.job, b"{}", STOP_SECONDS)

    def _doors(self, stream_id: str, document: Mapping[str, Any]) -> GatewayDoors:
        return GatewayDoors(
            stream_id=stream_id,
            # The URLs in the answer say https whatever the gateway listens on: what is known of it serves instead.
            url=f"{self.url}{_path(self._order)}",
            has_data=bool(document.get("data_url")),
            has_media=bool(document.get("ts_url")),
            whip_url=_text(document.get("whip_url")),
            rtmp_url=_text(document.get("rtmp_url")),
        )


def json_or_none(reply: Reply) -> Any:
    """Decode an answer that may have no body."""
    return reply.json("the answer") if reply.body.strip() else None


def _channels(order: Order, reply: Reply) -> Channels:
    headers = reply.headers
    return Channels(
        stream_id=order.stream_id,
        publish_url=headers.get("X-Publish-Url") or None,
        subscribe_url=headers.get("X-Subscribe-Url") or None,
        control_url=headers.get("X-Control-Url") or None,
        events_url=headers.get("X-Events-Url") or None,
        data_url=headers.get("X-Data-Url") or None,
    )


def _path(order: Order | None) -> str:
    return f"/process/stream/{quote(order.stream_id if order is not None else '', safe='')}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
