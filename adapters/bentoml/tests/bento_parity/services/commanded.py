"""A service that is a command: a server of its own, behind BentoML's proxy."""

from __future__ import annotations

import os
import sys

import bentoml


@bentoml.service(
    http={"proxy_port": int(os.environ["COMMAND_PORT"])},
    cmd=[sys.executable, "-m", "uvicorn", "command:app", "--port", "$COMMAND_PORT"],
    workers=1,
    endpoints={"livez": "/well"},
)
class Commanded:
    """Nothing of its own."""
