"""`livepeer conformance network`: the suite against a network's URLs."""

import json
import logging
import shlex
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from livepeer.cli._errors import CommandError, UsageError
from livepeer.conformance import Result

from ._network import Network, NetworkError, network_client
from ._report import progress, report
from ._suite import check_network


def check_facts(
    *,
    gateway_url: str,
    orch_urls: Sequence[str],
    secret_file: Path,
    signer_url: str | None,
    orch_cli_url: str | None,
    restart_command: str | None,
    worker_host: str,
    only: Sequence[str],
    as_json: bool,
) -> None:
    """Check a network, and print what came of each fact.

    Args:
        gateway_url: The gateway.
        orch_urls: The orchestrators behind it.
        secret_file: Holds the secret that workers register with.
        signer_url: The remote signer that pays; None for none.
        orch_cli_url: The first orchestrator's own server for its operator; None for none.
        restart_command: Restarts the first orchestrator; None if it must not be.
        worker_host: The address of this machine at which the orchestrators reach workers.
        only: Ids of the facts to check; empty for all.
        as_json: Whether to print JSON.

    Raises:
        UsageError: If the secret cannot be read, or a fact is none.
        CommandError: If the network cannot be asked at all.
        typer.Exit: With 1, if a fact does not hold.
    """
    network = Network(
        gateway_url=gateway_url.rstrip("/"),
        orch_urls=tuple(url.rstrip("/") for url in orch_urls),
        secret=_read_secret(secret_file),
        signer_url=signer_url and signer_url.rstrip("/"),
        restart=None if restart_command is None else partial(_restart, shlex.split(restart_command)),
        add_static=None if orch_cli_url is None else _adder_of_static_runners(orch_cli_url.rstrip("/")),
        worker_host=worker_host,
    )
    report(_check(network, only), as_json=as_json)


def _check(network: Network, only: Sequence[str]) -> list[Result]:
    for name in ("livepeer", "uvicorn"):
        # The workers of the checks fail on purpose; what they log would hide what the command says.
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        with progress() as on_result:
            return anyio.run(partial(check_network, network, only=only, on_result=on_result))
    except NetworkError as error:
        raise CommandError(str(error)) from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def _read_secret(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the secret cannot be read: {error}") from error


async def _restart(command: list[str]) -> None:
    try:
        await anyio.run_process(command)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NetworkError(f"the orchestrator was not restarted: {error}") from error


def _adder_of_static_runners(url: str) -> Callable[[Mapping[str, Any]], Awaitable[None]]:
    async def add(document: Mapping[str, Any]) -> None:
        async with network_client() as http:
            answer = await http.post(f"{url}/registerLiveRunners", content=json.dumps(document))
            if answer.is_error:
                raise NetworkError(f"static runners were refused: {answer.status_code} {answer.text.strip()}")

    return add
