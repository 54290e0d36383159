"""`livepeer call`: one call of a capability on the network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livepeer.client import Event, Gateway, InputError, LivepeerError, ProtocolError, SettingsError, UnreachableError

from ._errors import CommandError, UsageError
from ._inputs import Inputs
from ._output import Output


def call(
    capability: str,
    items: Sequence[str],
    *,
    gateway_url: str,
    orch_url: str | None,
    signer_url: str | None,
    stream: bool,
    timeout_seconds: float,
    route: str,
    output_path: Path | None,
    verify: bool,
) -> None:
    """Call a capability and print its answer.

    Args:
        capability: Its name on the network.
        items: What `-i` said.
        gateway_url: The gateway to ask.
        orch_url: An orchestrator to ask instead; None for the gateway.
        signer_url: Who pays at the orchestrator; None for nobody.
        stream: Whether to print the answer piece by piece.
        timeout_seconds: How long the call may take.
        route: The operation's path.
        output_path: Where the answer goes; None for standard output.
        verify: Whether TLS certificates are verified.

    Raises:
        UsageError: If the call cannot be made as asked.
        CommandError: If it fails.
    """
    document = Inputs(items).document()
    if signer_url is not None and orch_url is None:
        raise UsageError("--signer goes with --orch: a gateway pays by itself")
    gateway_or_none = gateway_url if orch_url is None else None
    try:
        with (
            Gateway(gateway_url=gateway_or_none, orch_url=orch_url, signer_url=signer_url, verify=verify) as gateway,
            Output(output_path) as output,
        ):
            if stream:
                with gateway.stream(capability, document, route=route, timeout_seconds=timeout_seconds) as events:
                    for event in events:
                        output.item(_content(event))
            else:
                output.value(gateway.run(capability, document, route=route, timeout_seconds=timeout_seconds))
    except (SettingsError, InputError) as error:
        raise UsageError(str(error)) from error
    except UnreachableError as error:
        raise CommandError(f"{error} (livepeer dev runs a network on this machine)") from error
    except LivepeerError as error:
        raise CommandError(f"{capability}: {error}") from error


def _content(event: Event) -> Any:
    try:
        return event.json()
    except ProtocolError:
        return event.data  # somebody else's worker may stream plain text
