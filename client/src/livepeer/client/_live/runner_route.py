"""The way to a live stream over Live Runner, without its I/O: a session at a persistent runner (section 7)."""

from typing import Any, cast

from livepeer.client._errors import ProtocolError, StreamOverError
from livepeer.client._exchange import Exchange, Reply, Request, ask
from livepeer.client._inputs import JSON_MEDIA_TYPE
from livepeer.client._problems import error_from_reply
from livepeer.client._runner_routes import SessionRoute

from .byoc_routes import UPDATE_SECONDS, json_or_none
from .orders import Channels, Order


class RunnerLiveRoute(SessionRoute):
    """A session that is reserved, paid for meanwhile, and stopped; the worker gives out the channels."""

    def start(self, order: Order) -> Exchange[Channels]:
        """Reserve a session, and have the worker start within it.

        Raises:
            LivepeerError: There is none, or the worker does not start.
        """
        yield from self.reserve()
        reply = yield from self._ask("/live", order.params, order.job.timeout_seconds)
        return _channels(reply)

    def update(self, params: str) -> Exchange[Any]:
        """Give the worker other params."""
        return json_or_none((yield from self._ask("/live/params", params, UPDATE_SECONDS)))

    def _ask(self, path: str, params: str, timeout_seconds: float) -> Exchange[Reply]:
        if self._lease is None:
            raise StreamOverError("the stream is over")
        request = Request(
            url=f"{self._lease.app_url}{path}",
            headers={**self._headers, "Content-Type": JSON_MEDIA_TYPE},
            body=b'{"params":%s}' % params.encode(),
            timeout_seconds=timeout_seconds,
        )
        reply = yield from ask(request)
        if not reply.is_success:
            raise error_from_reply(reply, orchestrator_url=self.orchestrator_url)
        return reply


def _channels(reply: Reply) -> Channels:
    document = reply.json_object("the worker's answer")
    names = ("stream_id", "subscribe_url", "publish_url", "control_url", "events_url", "data_url")
    texts = [document.get(name) for name in names]
    if not all(text is None or isinstance(text, str) for text in texts) or not texts[0]:
        raise ProtocolError("the worker's answer has no stream_id, or a channel that is no URL")
    stream_id, takes, gives, control, events, data = cast("list[str | None]", texts)
    # It names the channels as it sees them: what it subscribes to is where the caller publishes.
    return Channels(
        stream_id=stream_id or "",
        publish_url=takes or None,
        subscribe_url=gives or None,
        control_url=control or None,
        events_url=events or None,
        data_url=data or None,
    )
