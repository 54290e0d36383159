"""What a target says of itself, and as what it would be announced."""

from typing import Any

import anyio

from livepeer.core import Description
from livepeer.server import RegistrationOptions, Settings, SettingsError

from ._errors import UsageError
from ._loading import load
from ._terminal import ModelOutput

_NOBODY = "unused"


def described(target: str, *, python: str | None, adapter: str | None) -> Description:
    """Import a target in a process of its own, and stop before it is set up.

    Args:
        target: What to describe.
        python: Interpreter of the model's own virtual environment.
        adapter: Entry-point name of the adapter.

    Raises:
        CommandError: If it cannot be imported.
    """

    async def describe() -> Description:
        async with load(target, output, python=python, adapter=adapter) as model:
            with output.loading():
                return await model.described()

    with ModelOutput() as output:
        return anyio.run(describe)


def registration_options(*, needs_url: bool = False, **given: Any) -> RegistrationOptions:
    """As what a capability would be announced: what is given, and the environment; no orchestrator is asked.

    Args:
        needs_url: Whether it matters where the capability is reached.
        given: Fields of `Settings`; None leaves one to the environment.

    Raises:
        UsageError: If a setting does not fit, or is missing.
    """
    try:
        settings = Settings.read(**given)
        if needs_url and settings.capability_url is None:
            raise UsageError("give --capability-url: where the orchestrator reaches the server")
        # Nothing is registered, so the orchestrator and the secrets of a registration may be anything.
        url = settings.capability_url or f"http://127.0.0.1:{settings.port}"
        settings = settings.model_copy(update={"orch_url": _NOBODY, "orch_token": _NOBODY, "capability_url": url})
        options = settings.registration_options(_NOBODY, port=settings.port)
    except SettingsError as error:
        raise UsageError(str(error)) from error
    assert options is not None
    return options
