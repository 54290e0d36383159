"""Serves any capability over the Livepeer worker contract."""

from typing import TYPE_CHECKING, Any

from ._byoc import BYOCRegistrar
from ._card import Card
from ._documents import Documents
from ._inline_worker import InlineWorker
from ._lifecycle import Lifecycle
from ._live_runner import LiveRunnerRegistrar
from ._networks import AutoRegistrar, make_registrar
from ._options import RegistrationOptions, ServerOptions
from ._process_worker import ProcessWorker
from ._run import bind, listening, run
from ._runner_offer import runner_offer, static_runners
from ._server import Server
from ._worker import Worker, WorkerState

if TYPE_CHECKING:
    from ._environment import Settings, SettingsError
    from ._serve import serve_target

__all__ = [
    "AutoRegistrar",
    "BYOCRegistrar",
    "Card",
    "Documents",
    "InlineWorker",
    "Lifecycle",
    "LiveRunnerRegistrar",
    "ProcessWorker",
    "RegistrationOptions",
    "Server",
    "ServerOptions",
    "Settings",
    "SettingsError",
    "Worker",
    "WorkerState",
    "bind",
    "listening",
    "make_registrar",
    "run",
    "runner_offer",
    "serve_target",
    "static_runners",
]


def __getattr__(name: str) -> Any:
    # The environment is read at an entry only, and pydantic-settings is imported there only.
    if name == "serve_target":
        from ._serve import serve_target

        return serve_target
    if name in ("Settings", "SettingsError"):
        from . import _environment

        return getattr(_environment, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
