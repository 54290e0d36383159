"""Serving a pipeline from Python."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from livepeer.core import Capability
from livepeer.server import InlineWorker, Server, ServerOptions, serve_target

from ._adapter import make_capability
from ._carry import carry


def serve(
    pipeline: Any,
    *,
    host: str | None = None,
    port: int | None = None,
    python: str | None = None,
    worker: Literal["process", "inline"] = "process",
    **settings: Any,
) -> None:
    """Serve a pipeline until SIGTERM or Ctrl-C.

    Args:
        pipeline: A `Pipeline` or `LivePipeline` class, an instance, or a function. Another process loads it
            again, so in a script call this under ``if __name__ == "__main__":``.
        host: Address to bind; `LIVEPEER_HOST` or 0.0.0.0 if None.
        port: Port to bind, 0 for any; `LIVEPEER_PORT` or 5000 if None.
        python: Interpreter of another virtual environment that holds the model's framework.
        worker: ``"process"`` keeps the model in a process of its own; ``"inline"`` in this one.
        settings: Fields of `livepeer.server.Settings`; the environment fills in the others.

    Raises:
        TargetError: If the pipeline cannot be carried to the other process.
    """
    if worker == "inline":
        serve_target("", worker=InlineWorker(_maker(pipeline)), host=host, port=port, **settings)
        return
    with tempfile.TemporaryDirectory(prefix="livepeer-") as directory:
        target = carry(pipeline, Path(directory))
        # The host finds modules where this process does, also those beside a script.
        path = {} if python else {"PYTHONPATH": os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)}
        serve_target(target, host=host, port=port, python=python, environment=path, **settings)


def make_app(pipeline: Any, *, options: ServerOptions | None = None) -> Server:
    """The ASGI application for a pipeline, run on a thread of this process: for tests, notebooks, embedding.

    Args:
        pipeline: A `Pipeline` or `LivePipeline` class, an instance, or a function.
        options: How to serve.
    """
    return Server(InlineWorker(_maker(pipeline)), options=options)


def _maker(pipeline: Any) -> Callable[[], Capability]:
    return lambda: make_capability(pipeline)
