"""Serves any capability over the Livepeer worker contract."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._binding import bind
    from ._byoc import BYOCRegistrar
    from ._card import Card
    from ._documents import Documents
    from ._environment import Settings, SettingsError
    from ._inline_worker import InlineWorker
    from ._lifecycle import Lifecycle
    from ._live_runner import LiveRunnerRegistrar
    from ._networks import AutoRegistrar, make_registrar
    from ._options import RegistrationOptions, ServerOptions
    from ._process_worker import ProcessWorker
    from ._replicas import ReplicatedWorker
    from ._run import listening, run
    from ._runner_offer import runner_offer, static_runners
    from ._serve import serve_target
    from ._server import Server
    from ._worker import Worker, WorkerState

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
    "ReplicatedWorker",
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


_HOMES = {
    "AutoRegistrar": "_networks",
    "BYOCRegistrar": "_byoc",
    "Card": "_card",
    "Documents": "_documents",
    "InlineWorker": "_inline_worker",
    "Lifecycle": "_lifecycle",
    "LiveRunnerRegistrar": "_live_runner",
    "ProcessWorker": "_process_worker",
    "RegistrationOptions": "_options",
    "ReplicatedWorker": "_replicas",
    "Server": "_server",
    "ServerOptions": "_options",
    "Settings": "_environment",
    "SettingsError": "_environment",
    "Worker": "_worker",
    "WorkerState": "_worker",
    "bind": "_binding",
    "listening": "_run",
    "make_registrar": "_networks",
    "run": "_run",
    "runner_offer": "_runner_offer",
    "serve_target": "_serve",
    "static_runners": "_runner_offer",
}


def __getattr__(name: str) -> Any:
    # Each on its first use: a server starts the model's process before it imports its own HTTP, and one that
    # announces nothing needs no HTTP client.
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
