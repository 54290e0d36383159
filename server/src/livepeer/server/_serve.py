"""From a target to a running server: what `serve()`, the command and `python -m livepeer.server` share."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from livepeer.core import Registrar

from ._binding import bind
from ._environment import Settings, SettingsError
from ._host_process import HostProcess
from ._inline_worker import InlineWorker
from ._lifecycle import Lifecycle
from ._options import RegistrationOptions
from ._process_worker import ProcessWorker
from ._worker import Worker

logger = logging.getLogger("livepeer.server")


def serve_target(
    target: str,
    *,
    worker: Worker | Literal["process", "inline"] | None = None,
    environment: Mapping[str, str] | None = None,
    started: HostProcess | None = None,
    **settings: Any,
) -> None:
    """Serve a target until SIGTERM or Ctrl-C.

    Args:
        target: What to serve: `module:attribute`, a file or a directory.
        worker: What runs it; "process" or "inline" for one of the two kinds, None for what the environment says.
        environment: Variables for the model's own process, on top of this one's.
        started: A process that was started for the model already; ended if the settings want another.
        settings: Fields of `Settings`, which win over the environment; None means unset.

    Raises:
        SettingsError: If a setting does not fit, or is missing.
        OSError: If the port cannot be had.
    """
    _configure_logging()
    if isinstance(worker, str):
        settings["worker"], worker = worker, None
    found = Settings.read(**settings)
    options = found.server_options()
    worker = worker or _make_worker(target, found, environment or {}, started)
    sock = bind(found.host, found.port)
    registration = found.registration_options(options.token, port=sock.getsockname()[1])
    if isinstance(worker, ProcessWorker):
        worker.launch()
    # Only now: what serves HTTP takes as long to import as the model's process takes to begin.
    from ._run import run
    from ._server import Server

    registrar = None if registration is None else partial(_make_registrar, options=registration)
    server = Server(worker, options=options, registrar=registrar)
    logger.info("listening at http://%s:%d", found.host, sock.getsockname()[1])
    run(server, sock)


def _make_registrar(lifecycle: Lifecycle, options: RegistrationOptions) -> Registrar:
    # It loads an HTTP client, which a server that announces nothing does without.
    from ._networks import make_registrar

    return make_registrar(lifecycle, options)


def _make_worker(
    target: str, settings: Settings, environment: Mapping[str, str], started: HostProcess | None
) -> Worker:
    own = settings.worker == "inline" or settings.python is not None or environment or settings.replicas > 1
    if started is not None and own:
        started.end()
        started = None

    def make(variables: dict[str, str]) -> ProcessWorker:
        return ProcessWorker(
            target,
            adapter=settings.adapter,
            python=settings.python,
            environment=variables,
            started=started,
        )

    if settings.worker == "process":
        if settings.replicas == 1:
            return make(dict(environment))
        from ._replicas import replicate

        return replicate(settings.replicas, make, environment)
    if settings.python is not None:
        raise SettingsError("worker is inline: the model runs under this interpreter, so leave python unset")
    if settings.replicas > 1:
        raise SettingsError("worker is inline: this process holds the model once, so leave replicas unset")
    return InlineWorker(target, adapter=settings.adapter)


def _configure_logging() -> None:
    """Log to standard error, as a program's entry does."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
