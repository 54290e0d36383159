"""Services that are a command of their own, which BentoML starts and stands before as a proxy.

BentoML's own proxy does that here too: it is among the service's mounted applications. What it leaves out is said here:
that it needs FastAPI, and that the command has ended, or is ill.
"""

import importlib.util
from typing import Any

from livepeer.core import TargetError

from . import _sdk

_HEALTH_PATH = "/health"
"""Where BentoML asks a command whether it is well, unless the service's `endpoints` say otherwise."""


def check_command(service: Any) -> None:
    """Make sure that a service's command can be stood before, if it has one.

    Raises:
        TargetError: If BentoML's proxy cannot be made.
    """
    if service.has_custom_command() and importlib.util.find_spec("fastapi") is None:
        raise TargetError(
            f"{service.name} has a command of its own, and BentoML's proxy needs FastAPI: pip install fastapi"
        )


async def command_failure(service: Any) -> str | None:
    """What is wrong with a service's command; None if nothing is, or it has none."""
    process, client = (service.context.state.get(name) for name in ("proc", "client"))
    if not service.has_custom_command() or client is None:
        return None
    reason = await _ask(client, service.config.get("endpoints", {}).get("livez", _HEALTH_PATH))
    if process is not None and process.returncode is not None:
        return f"the service's command has ended with exit code {process.returncode}"
    return reason


async def _ask(client: Any, path: str) -> str | None:
    try:
        answer = await client.get(path)
    except _sdk.HTTPError as error:
        return f"the service's command does not answer at {path}: {error}"
    return f"the service's command answers {answer.status_code} at {path}" if answer.is_error else None
