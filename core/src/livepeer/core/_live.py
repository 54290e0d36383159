"""Sessions over trickle channels: what a capability does that lives on (BYOC contract, section 5)."""

from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from ._call import Call
from ._description import LiveDescription


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SessionStart(_Frozen):
    """What a session begins with. Any of the channels may be missing: the session then does without."""

    stream_id: str
    """The network's name for it."""

    subscribe_url: str | None = None
    """Channel of the media that comes in, MPEG-TS."""

    publish_url: str | None = None
    """Channel of the media that goes out, MPEG-TS."""

    control_url: str | None = None
    """Channel of the caller's messages, one JSON document a segment."""

    events_url: str | None = None
    """Channel of what the session reports, one JSON object a segment."""

    data_url: str | None = None
    """Channel of the data that it makes, JSON lines."""

    params: Any = None
    """As the caller gave them, not validated."""

    verify_tls: bool = True
    """Whether the certificate of the channels' server is checked."""


class SessionReport(_Frozen):
    """How a session stands."""

    state: Literal["running", "ended"]
    reason: (
        Literal["stopped", "input_ended", "channel_closed", "idle", "watchdog", "hook_failed", "failed", "cancelled"]
        | None
    ) = None
    """Why it has ended."""

    detail: str | None = None
    """The same in words, where there is more to say."""


class Live(Protocol):
    """Runs sessions. All of it is called on the host's event loop; media never crosses the seam."""

    @property
    def description(self) -> LiveDescription:
        """What the edge, and every document that it serves, knows of it."""
        ...

    def run(self, start: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
        """Run a session to its end, everything cleaned up.

        Closing or cancelling the iterator stops the session, and returns when it is cleaned up.

        Args:
            start: What it begins with.
            call: The request that began it; its deadline is not the session's.

        Returns:
            A report as soon as the session runs; one, the last, when it has ended.

        Raises:
            CallError: In place of the first report: why it does not start. InvalidInputError if it is the params.
        """
        ...

    async def update(self, stream_id: str, params: Any) -> Any:
        """Give a running session other params.

        Returns:
            Those in force now, as JSON has them.

        Raises:
            UnknownSessionError: If no such session runs.
            InvalidInputError: If they do not fit; the old ones stay.
        """
        ...

    async def stop(self, stream_id: str, reason: str) -> None:
        """End a session, and return when it is cleaned up; nothing happens if no such session runs."""
        ...


@runtime_checkable
class Living(Protocol):
    """A capability that runs sessions; it may have no operations."""

    @property
    def live(self) -> Live:
        """What runs them."""
        ...
