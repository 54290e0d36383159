"""From a target to a running server: what `serve()`, the command and `python -m livepeer.server` share."""

import logging
from collections.abc import Mapping
from typing import Any

from ._environment import Settings
from ._networks import make_registrar
from ._process_worker import ProcessWorker
from ._run import bind, configure_logging, run
from ._server import Server
from ._worker import Worker

logger = logging.getLogger("livepeer.server")


def serve_target(
    target: str, *, worker: Worker | None = None, environment: Mapping[str, str] | None = None, **settings: Any
) -> None:
    """Serve a target until SIGTERM or Ctrl-C.

    Args:
        target: What to serve: `module:attribute`, a file or a directory.
        worker: What runs it; None for a process of its own.
        environment: Variables for that process, on top of this one's own.
        settings: Fields of `Settings`, which win over the environment; None means unset.

    Raises:
        SettingsError: If a setting does not fit, or is missing.
        OSError: If the port cannot be had.
    """
    configure_logging()
    found = Settings.read(**settings)
    options = found.server_options()
    sock = bind(found.host, found.port)
    registration = found.registration_options(options.token, port=sock.getsockname()[1])
    server = Server(
        worker
        or ProcessWorker(target, adapter=found.adapter, python=found.python, environment=dict(environment or {})),
        options=options,
        registrar=None if registration is None else lambda lifecycle: make_registrar(lifecycle, registration),
    )
    logger.info("listening at http://%s:%d", found.host, sock.getsockname()[1])
    run(server, sock)
