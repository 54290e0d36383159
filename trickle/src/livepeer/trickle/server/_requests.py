"""Answers requests about channels (trickle, table 1)."""

from dataclasses import dataclass
from html import escape

from ._asgi import Receive, Scope
from ._channel import Channel
from ._channels import Channels
from ._gets import send_next, send_segment
from ._hooks import Hook, refusal
from ._posts import Patience, take_segment
from ._replies import HANG_UP, TEXT, Reply
from ._routing import BadPathError, Redirect, find_target, raw_path, segment_number

_CHANNEL_METHODS = "DELETE, POST"
_SEGMENT_METHODS = "DELETE, GET, HEAD, POST"

# The largest number is Go's; the one after a posted segment's must be one too. The reference panics at lower ones.
_READABLE = range(-2, 2**63)
_NUMBERS = {"GET": _READABLE, "HEAD": _READABLE, "POST": range(-1, 2**63 - 1), "DELETE": range(2**63)}


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Answers every request to one server."""

    channels: Channels
    path: str
    autocreate: bool
    patience: Patience
    before_create: Hook | None
    before_delete: Hook | None

    async def answer(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Answer one request."""
        base = scope.get("root_path", "") + self.path
        try:
            target = find_target(raw_path(scope), base.encode())
        except BadPathError:
            await reply.whole(400, [TEXT, HANG_UP], b"400 Bad Request")
            return
        if target is None:
            await reply.error(404, "404 page not found")
        elif isinstance(target, Redirect):
            await _redirect(target, scope, reply)
        elif target.item is None:
            await self._answer_channel(target.name, scope, reply)
        elif scope["method"] in _NUMBERS:
            await self._answer_item(target.name, target.item, scope, receive, reply)
        else:
            await _refuse_method(_SEGMENT_METHODS, reply)

    async def _answer_channel(self, name: str, scope: Scope, reply: Reply) -> None:
        match scope["method"]:
            case "POST":
                await self._create(name, scope, reply)
            case "DELETE":
                await self._delete(name, scope, reply)
            case _:
                await _refuse_method(_CHANNEL_METHODS, reply)

    async def _create(self, name: str, scope: Scope, reply: Reply) -> None:
        if refused := await refusal(self.before_create, name, scope):
            await reply.error(*refused)
        elif self._wanted(name, _header(scope, b"expect-content")) is None:
            await reply.error(404, "Stream not found")
        else:
            await reply.whole(200, [])

    async def _delete(self, name: str, scope: Scope, reply: Reply) -> None:
        if refused := await refusal(self.before_delete, name, scope):
            await reply.error(*refused)
        elif not self.channels.delete(name):
            await reply.error(400, "Invalid stream")
        else:
            await reply.whole(200, [])

    async def _answer_item(self, name: str, item: str, scope: Scope, receive: Receive, reply: Reply) -> None:
        method: str = scope["method"]
        posting = method == "POST"
        channel = self._wanted(name, _header(scope, b"content-type")) if posting else self.channels.get(name)
        if channel is None:
            # Hanging up wakes a publisher that has connected ahead of its data (trickle, table 1, row 3).
            await reply.error(404, "Stream not found", *([HANG_UP] if posting else []))
        elif item == "next" and method in ("GET", "HEAD"):
            await send_next(channel, reply)
        elif (seq := segment_number(item, _NUMBERS[method])) is None:
            await reply.error(400, "Invalid idx")
        elif posting:
            await self._post(channel, seq, scope, receive, reply)
        elif method == "DELETE":
            await _end_segment(channel, seq, reply)
        else:
            await send_segment(channel, seq, receive, reply, only_head=method == "HEAD")

    def _wanted(self, name: str, content_type: str) -> Channel | None:
        """Return a channel that is posted to: a new one if there is none, where posts may make them."""
        return self.channels.create(name, content_type) if self.autocreate else self.channels.get(name)

    async def _post(self, channel: Channel, seq: int, scope: Scope, receive: Receive, reply: Reply) -> None:
        segment = channel.segment_to_write(seq)
        if _header(scope, b"lp-trickle-reset"):
            channel.close_before(segment.seq)
        await take_segment(channel, segment, receive, reply, patience=self.patience)


async def _end_segment(channel: Channel, seq: int, reply: Reply) -> None:
    segment = channel.held(seq)
    if segment is None:
        await reply.error(400, "Nonexistent segment")
    else:
        segment.close()
        await reply.whole(200, [])


async def _redirect(target: Redirect, scope: Scope, reply: Reply) -> None:
    query = scope.get("query_string", b"").decode("latin-1")
    location = f"{target.location}?{query}" if query else target.location
    header = (b"location", location.encode("latin-1"))
    if scope["method"] in ("GET", "HEAD"):
        page = f'<a href="{escape(location)}">Temporary Redirect</a>.\n\n'.encode()
        await reply.whole(307, [header, (b"content-type", b"text/html; charset=utf-8")], page)
    else:
        await reply.whole(307, [header])


async def _refuse_method(allowed: str, reply: Reply) -> None:
    await reply.error(405, "Method Not Allowed", (b"allow", allowed.encode()))


def _header(scope: Scope, name: bytes) -> str:
    """Return the first value of a header, "" if there is none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
