"""The servers that the table is asked of: ours, or those that an environment variable names.

`LIVEPEER_TRICKLE_REFERENCE` is either the base URL of a server to ask instead of ours, which runs with autocreate, or
a program that takes the flags of `FLAGS` and prints its base URL, such as that of `trickle/tests/reference/main.go`.
Beside a base URL, `LIVEPEER_TRICKLE_REFERENCE_STRICT`, `_SWEPT`, `_CHANGEFEED` and `_HOOKED` name servers that run as
those flags say; the tests of a variable that is missing are skipped.
"""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livepeer.trickle.server import HookRequest

REFERENCE_VARIABLE = "LIVEPEER_TRICKLE_REFERENCE"
EXIT_SECONDS = 10.0

IDLE_SECONDS = 1.5
KEEPALIVE_SECONDS = 0.5
GRACE_SECONDS = 0.5

FLAGS = {
    "PLAIN": (),
    "STRICT": ("--no-autocreate", "--path", "/ai/trickle"),
    "SWEPT": ("--idle-seconds", str(IDLE_SECONDS), "--sweep-seconds", "0.1"),
    "CHANGEFEED": ("--changefeed",),
    "HOOKED": ("--hooks",),
}
"""How each server runs; `--hooks` refuses what carries the header `X-Refuse: STATUS MESSAGE`."""

HASTY_FLAGS = ("--keepalive-seconds", str(KEEPALIVE_SECONDS), "--abort-grace-seconds", str(GRACE_SECONDS))
"""How ours runs where its own limits are tested: the reference has none of them."""


class UnavailableError(Exception):
    """Raised when the environment names no server that runs so."""


def asks_the_reference() -> bool:
    """Whether another server than ours is tested."""
    return bool(os.environ.get(REFERENCE_VARIABLE))


@contextmanager
def serving(kind: str) -> Generator[str]:
    """Have a server of one of the kinds of `FLAGS`; gives its base URL, which ends with a slash.

    Raises:
        UnavailableError: When the environment variable that names it is missing.
    """
    named = os.environ.get(REFERENCE_VARIABLE, "")
    if named.startswith("http://"):
        yield named_base(kind)
    elif named:
        with started([named, "--port", "0", *FLAGS[kind]]) as base:
            yield base
    else:
        with serving_hooks() if kind == "HOOKED" else serving_ours(*FLAGS[kind]) as base:
            yield base


def serving_ours(*flags: str) -> AbstractContextManager[str]:
    """Have our server, as its command starts it."""
    return started([sys.executable, "-m", "livepeer.trickle.server", "--port", "0", *flags])


@contextmanager
def serving_hooks() -> Generator[str]:
    """Have our server with hooks, which its command cannot have."""
    # Imported here: another server can be tested where ours is not installed.
    from trickle_servers import running_server

    with running_server(before_create=refuse, before_delete=refuse) as server:
        yield f"{server.base_url}/"


def refuse(request: "HookRequest") -> None:
    """Refuse what carries `X-Refuse`, as the hooks of `trickle/tests/reference/main.go` do."""
    from livepeer.trickle.server import RefusedError

    status, _, message = request.headers.get("x-refuse", "").partition(" ")
    if status.isdigit():
        raise RefusedError(message, status=int(status))
    if status:
        raise RuntimeError(message)


def named_base(kind: str) -> str:
    """The base URL of a server that the environment names."""
    variable = REFERENCE_VARIABLE if kind == "PLAIN" else f"{REFERENCE_VARIABLE}_{kind}"
    base = os.environ.get(variable)
    if not base:
        raise UnavailableError(f"{variable} is not set: the base URL of a server with {' '.join(FLAGS[kind])}")
    return base.rstrip("/") + "/"


@contextmanager
def started(command: list[str]) -> Generator[str]:
    """Run a server until the end of the block; gives the base URL that it prints."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            base = server.stdout.readline().strip()
            assert base.startswith("http://"), f"{command} printed {base!r}"
            yield base.rstrip("/") + "/"
        finally:
            server.terminate()
            server.wait(EXIT_SECONDS)
