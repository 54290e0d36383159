"""Sets up this checkout and runs it: `python3 dev.py demo`, or `python3 dev.py test [tox arguments]`.

Needs Python 3.11 with pip, and nothing else. Both commands make what they miss and keep it for the next time:
`.venv-dev` holds uv and tox, `.venv` the workspace, `.tox` an environment for each kind of test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".venv-dev"
WORKSPACE = ROOT / ".venv"
UV_REQUIREMENT = "uv>=0.13"
ALONE = ("trickle-faults", "faults", "e2e")


def main(arguments: Sequence[str]) -> int:
    """Run one of the two commands.

    Returns:
        The exit status of what ran.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 -- this file is run by whatever python3 there is
        stop(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    command, *rest = arguments or [""]
    if command == "demo" and not rest:
        return demo()
    if command == "test":
        return test(rest)
    return stop("use it as `dev.py demo`, or `dev.py test [tox arguments]`", status=2)


def demo() -> int:
    """A dev network, an example that it serves, a call and a streamed call."""
    make_tools()
    say("installing the workspace into .venv")
    uv("sync", "--all-packages", "--all-extras", "--inexact", environment=WORKSPACE)
    return run(program(WORKSPACE, "python"), "examples/quickstart.py")


def test(tox_arguments: Sequence[str]) -> int:
    """Every environment of tox.ini side by side, then alone those that look at the clock; pytest's summary comes last.

    Args:
        tox_arguments: Given to one `tox run` instead, when there are any.
    """
    make_tools()
    say("installing tox into .venv-dev")
    uv("sync", "--only-group", "tox", "--inexact", environment=TOOLS)
    tox = program(TOOLS, "tox")
    if tox_arguments:
        return run(tox, "run", *tox_arguments)
    status = run(tox, "run-parallel", "--parallel-no-spinner", TOX_SKIP_ENV=f"^({'|'.join(ALONE)})$")
    for environment in ALONE:
        if status:
            say(f"FAILED, as said above (exit status {status}); {environment} is still to run")
        status = run(tox, "run", "-qq", "-e", environment) or status
    return status


def make_tools() -> None:
    """Make sure that .venv-dev holds uv."""
    if program(TOOLS, "uv").exists():
        return
    say("making .venv-dev")
    venv.create(TOOLS, clear=True, symlinks=True)
    # Debian's Python cannot give a new environment a pip, but its own pip can install into one.
    pip = [sys.executable, "-m", "pip", "--python", str(program(TOOLS, "python")), "--disable-pip-version-check"]
    if run(*pip, "install", "--quiet", UV_REQUIREMENT):
        stop(f"{sys.executable} could not install {UV_REQUIREMENT} with pip: it needs pip 22.3 or newer, and PyPI")


def uv(command: str, *arguments: str, environment: Path) -> None:
    """Run uv on the lockfile as it stands; end here if it fails."""
    present = program(environment, "python")
    python = present if present.exists() else sys.executable
    locked = [program(TOOLS, "uv"), command, "--locked", "--quiet", "--python", python]
    status = run(*locked, *arguments, UV_PROJECT_ENVIRONMENT=str(environment))
    if status:
        stop(f"uv could not make {environment.name} from uv.lock", status=status)


def program(environment: Path, name: str) -> Path:
    """Where a virtual environment keeps a program."""
    return environment / "bin" / name


def run(*command: str | Path, **variables: str) -> int:
    """Run a program at the root of this checkout; its exit status."""
    # An activated environment of the caller's is none of these programs' business.
    inherited = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    sys.stdout.flush()
    return subprocess.run(command, cwd=ROOT, env={**inherited, **variables}, check=False).returncode


def say(message: str) -> None:
    """Tell on stderr what happens."""
    print(f"dev.py: {message}", file=sys.stderr, flush=True)


def stop(message: str, *, status: int = 1) -> NoReturn:
    """End with a message."""
    say(message)
    raise SystemExit(status)


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
