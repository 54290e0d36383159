"""Another virtual environment's interpreter, looked at before a host runs in it."""

import importlib.metadata
import subprocess

import anyio

from livepeer.core import NotReadyError

_QUESTION = "import importlib.metadata as m; print(m.version('livepeer-core'))"


async def check_interpreter(python: str | None) -> None:
    """Make sure that a host can run under `python`.

    Raises:
        NotReadyError: If it is no interpreter, or holds no `livepeer-core` of this version.
    """
    if python is None:
        return
    ours = importlib.metadata.version("livepeer-core")
    try:
        result = await anyio.run_process([python, "-c", _QUESTION], check=False, stderr=subprocess.PIPE)
    except OSError as error:
        raise NotReadyError(f"{python} cannot be run: {error.strerror}") from error
    theirs = result.stdout.decode().strip()
    if result.returncode != 0:
        raise NotReadyError(f"{python} has no livepeer-core; install livepeer-core=={ours} and the adapter there")
    if theirs != ours:
        raise NotReadyError(f"{python} has livepeer-core {theirs}, this server {ours}; install the same in both")
