"""Services that are a server of another kind, which BentoML starts and stands before."""

import os
import sys
from pathlib import Path

import bentoml

SERVER = str(Path(__file__).parent / "bento_commanded.py")
PORT = int(os.environ["BENTO_COMMAND_PORT"])
HTTP = {"proxy_port": PORT}


@bentoml.service(cmd=[sys.executable, SERVER, "$BENTO_COMMAND_PORT"], http=HTTP)
class Commanded:
    """A command in the decorator."""


@bentoml.service(http=HTTP, endpoints={"livez": "/well"})
class Commanding:
    """A command of the service's own making, and an api beside it."""

    def __command__(self) -> list[str]:
        return [sys.executable, SERVER, str(PORT), "/well"]

    @bentoml.api
    def shout(self, text: str) -> str:
        return text.upper()


@bentoml.service(cmd=[sys.executable, "-c", "raise SystemExit(3)"], http=HTTP)
class Failing:
    """A command that ends at once."""
