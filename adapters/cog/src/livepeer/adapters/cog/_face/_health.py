"""How the model is, as Cog says it."""

import asyncio
import platform
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livepeer.adapters.cog._model import CogModel

_SETUP_STATUS = {"starting": "starting", "ready": "succeeded", "failed": "failed"}


class Health:
    """Answers for the model's health."""

    def __init__(self, model: "CogModel") -> None:
        self._model = model
        self._version = {
            name: found
            for name, found in {
                "coglet": installed_version("coglet"),
                "python_sdk": installed_version("cog"),
                "python": platform.python_version(),
            }.items()
            if found
        }
        self._asking: asyncio.Task[str | None] | None = None

    async def document(self) -> dict[str, Any]:
        """The state of the model, in Cog's words and order."""
        status = self._status()
        document: dict[str, Any] = {"status": status, **self._setup(), "version": self._version}
        if status in ("READY", "BUSY"):
            complaint = await self._ask()
            if complaint is not None:
                document |= {"status": "UNHEALTHY", "user_healthcheck_error": complaint}
        return document

    def _status(self) -> str:
        match self._model.setup_state.status:
            case "starting":
                return "STARTING"
            case "failed":
                return "SETUP_FAILED"
            case _:
                return "READY" if self._model.permits.free else "BUSY"

    def _setup(self) -> dict[str, Any]:
        state = self._model.setup_state
        if state.started_at is None:
            return {}
        setup = {"started_at": _iso(state.started_at)}
        if state.completed_at is not None:
            setup |= {"completed_at": _iso(state.completed_at), "status": _SETUP_STATUS[state.status]}
            return {"setup": {**setup, "logs": state.logs}}
        return {"setup": {**setup, "status": _SETUP_STATUS[state.status]}}

    async def _ask(self) -> str | None:
        # One question at a time, whose answer all who came meanwhile get: a check that hangs costs one thread.
        asking = self._asking
        if asking is None:
            asking = self._asking = asyncio.ensure_future(self._model.healthcheck())
            asking.add_done_callback(self._answered)
        return await asyncio.shield(asking)

    def _answered(self, _: asyncio.Task[str | None]) -> None:
        self._asking = None


def installed_version(distribution: str) -> str:
    """The version of an installed distribution, empty if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
