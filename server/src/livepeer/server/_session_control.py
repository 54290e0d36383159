"""Having an orchestrator make the channels of a reserved session (Live Runner, contract section 7)."""

from typing import Any

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from livepeer.core import CallError

_TIMEOUT_SECONDS = 10.0

_CHANNELS = {
    "subscribe_url": ("in", "video/MP2T"),
    "publish_url": ("out", "video/MP2T"),
    "control_url": ("control", "application/json"),
    "events_url": ("events", "application/json"),
    "data_url": ("data", "application/jsonl"),
}
"""What a session calls its channels, their names at the orchestrator, and their media types (contract, section 5)."""


class OrchestratorError(CallError):
    """Raised when the orchestrator does not make the channels of a session."""

    status, code, title, retryable = 502, "orchestrator_failed", "The orchestrator failed", True


class SessionChannel(BaseModel):
    """A channel as the orchestrator describes it (Live Runner, contract section 7)."""

    model_config = ConfigDict(extra="ignore")

    name: str
    url: str
    """Where the caller reaches it."""

    internal_url: str = ""
    """Where this server reaches it, if not there."""


class _Made(BaseModel):
    channels: list[SessionChannel]


class SessionControl:
    """The callbacks of one reserved session at its orchestrator.

    Args:
        url: The base that the orchestrator sends with each request, `Livepeer-Session-Control`.
        token: Its `Livepeer-Session-Token`.
        verify: Whether its certificate is checked.
    """

    def __init__(self, url: str, token: str, *, verify: bool) -> None:
        self._url = f"{url.rstrip('/')}/channels"
        self._client = httpx2.AsyncClient(
            headers={"livepeer-session-token": token}, timeout=_TIMEOUT_SECONDS, verify=verify, trust_env=False
        )

    async def make_channels(self) -> tuple[dict[str, str], dict[str, str]]:
        """Have the session's channels made; asked again it gives the same ones.

        Returns:
            Their URLs for this server, and for the caller, by the names of `SessionStart`.

        Raises:
            OrchestratorError: If it does not.
        """
        asked = [{"name": name, "mime_type": media_type} for name, media_type in _CHANNELS.values()]
        answer = await self._ask("POST", {"channels": asked})
        try:
            made = {channel.name: channel for channel in _Made.model_validate_json(answer.content).channels}
            found = {field: made[name] for field, (name, _) in _CHANNELS.items()}
        except (ValidationError, KeyError) as error:
            raise OrchestratorError(f"the orchestrator's answer holds no channels: {error}") from None
        own = {field: channel.internal_url or channel.url for field, channel in found.items()}
        return own, {field: channel.url for field, channel in found.items()}

    async def delete_channels(self) -> None:
        """End them: whoever reads one learns that there is no more.

        Raises:
            OrchestratorError: If it does not; most often the session has been released, and they are gone.
        """
        await self._ask("DELETE", {"channels": [name for name, _ in _CHANNELS.values()]})

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _ask(self, method: str, document: dict[str, Any]) -> httpx2.Response:
        try:
            answer = await self._client.request(method, self._url, json=document)
        except httpx2.HTTPError as error:
            raise OrchestratorError(f"the orchestrator cannot be reached: {error!r}") from None
        if answer.is_error:
            raise OrchestratorError(f"{method} channels: {answer.status_code} {answer.text.strip()[:200]}")
        return answer
