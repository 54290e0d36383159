"""Services that are a command: BentoML's own proxy stands before it."""

import socket

import psutil
import pytest
from bento_serving import serving
from edge_harness import eventually

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio

MODELS = "bento_commands.py"


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        found = listener.getsockname()[1]
    monkeypatch.setenv("BENTO_COMMAND_PORT", str(found))
    return found


async def test_the_commands_own_http_is_served(port: int) -> None:
    async with serving(f"{MODELS}:Commanded", kind="process") as served:
        answer = await served.client.get("/hello")
        assert (answer.status_code, answer.text) == (200, "/hello")
        answer = await served.client.post("/some/where?a=b", content=b"body")
        assert (answer.status_code, answer.text) == (201, "/some/where?a=b body")
        assert (await served.client.get("/nothing")).status_code == 404
        assert (await served.client.get("/metrics")).text == "Not Found"
        answer = await served.client.post("/predict", json={"path": "/chat", "body": {"a": 1}})
        assert (answer.status_code, answer.text) == (201, '/chat? {"a":1}')
        assert (await served.health())["status"] == "IDLE"
        [command] = commands(str(port))
    await eventually(lambda: not command.is_running(), "the command's end")


async def test_a_command_of_the_services_own_making_stands_beside_its_apis() -> None:
    async with serving(f"{MODELS}:Commanding", kind="process") as served:
        assert (await served.client.get("/hello")).text == "/hello"
        assert (await served.client.post("/predict", json={"text": "a"})).json() == "A"
        assert (await served.client.post("/shout", json={"text": "a"})).text == "A"


async def test_a_command_that_has_ended_is_an_error() -> None:
    async with serving(f"{MODELS}:Commanded", kind="process", options=ServerOptions(drain_seconds=1)) as served:
        assert (await served.client.get("/exit")).status_code == 503
        ended = "the service's command has ended with exit code 3"
        await eventually(lambda: served.worker.reason == ended, ended, seconds=30)
        assert (await served.health())["status"] == "ERROR"


async def test_a_command_that_never_gets_well_fails_the_start() -> None:
    async with serving(f"{MODELS}:Failing", kind="process", wait=False) as served:
        health = await served.until("ERROR")
        assert "exited before becoming healthy" in health["reason"]


def commands(word: str) -> list[psutil.Process]:
    """The processes below this one that were started with a word."""
    family = psutil.Process().children(recursive=True)
    return [each for each in family if word in (line := each.cmdline()) and "bento_commanded.py" in " ".join(line)]
