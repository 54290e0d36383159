"""Cases of a model's own healthcheck."""

from typing import Any

from cog_server import Server

from .asking import Prediction, in_background, post, steady, until
from .records import Ask, Case, Expected, Model


def health(server: Server) -> dict[str, Any]:
    """Cog's health document, without versions and times, and of the logs only what the model wrote."""
    document = server.client.get("/health-check").json()
    document.pop("version", None)
    setup = document.get("setup", {})
    if "logs" in setup:
        setup["logs"] = "".join(written(line) for line in setup["logs"].splitlines(True))
    if not setup.get("logs", True):
        del setup["logs"]  # neither server has the field when there is nothing to tell
    return steady(document)


def written(line: str) -> str:
    """A line of a setup's log, nothing if Cog wrote it."""
    marked = line.removeprefix("[coglet::setup] ")
    return "" if marked.startswith("[coglet") or "DeprecationWarning: " in marked else marked


def health_after(state: str) -> Ask:
    def ask(server: Server) -> dict[str, Any]:
        post(server, {"input": {"state": state}})
        if server.name == "cog" and state != "slow":
            until(lambda: health(server)["status"] != "BUSY", "the slot given back")
        return health(server)

    return ask


def health_while_busy(server: Server) -> list[str]:
    """The status while a prediction runs, and after it."""
    with in_background(lambda: post(server, {"input": {"state": "well", "seconds": 0.5}})) as result:
        busy = until(lambda: health(server)["status"] == "BUSY" and "BUSY", "busy")
        result()
    return [busy, until(lambda: health(server)["status"] == "READY" and "READY", "ready again")]


READY = {"setup": {"completed_at": "<time>", "started_at": "<time>", "status": "succeeded"}, "status": "READY"}


def ill(error: str) -> dict[str, Any]:
    return {**READY, "status": "UNHEALTHY", "user_healthcheck_error": error}


SLOW = "Healthcheck failed: user-defined healthcheck timed out after 5.0 seconds"
SAYS_ILL = "Healthcheck failed: user-defined healthcheck returned False"

MODELS = (
    Model(
        name="a healthcheck",
        file="health.py",
        target="Healthy",
        repeatable=False,  # `/predict` is closed for as long as the server, which looks now and then, finds it ill
        cases=[
            Case(name="well", ask=health, cog=READY),
            Case(name="ill", ask=health_after("ill"), cog=ill(SAYS_ILL)),
            Case(name="well again", ask=health_after("well"), cog=READY),
            Case(name="raising", ask=health_after("raising"), cog=ill("Healthcheck failed: ValueError: feeling bad")),
            Case(name="no answer", ask=health_after("none"), cog=READY),
            Case(name="text", ask=health_after("text"), cog=READY),
            Case(name="zero", ask=health_after("zero"), cog=READY),
            Case(name="while a prediction runs", ask=health_while_busy, cog=["BUSY", "READY"]),
            Case(
                name="it may be ill and serve",
                ask=Prediction(input={"state": "ill"}),
                cog=Expected(fields={"status": "succeeded", "output": "ill"}),
            ),
            Case(name="slow", ask=health_after("slow"), cog=ill(SLOW)),
        ],
    ),
    Model(
        name="an async healthcheck",
        file="health.py",
        target="HealthyLater",
        cases=[
            Case(name="well", ask=health, cog=READY),
            Case(name="ill", ask=health_after("ill"), cog=ill(SAYS_ILL)),
            Case(name="raising", ask=health_after("raising"), cog=ill("Healthcheck failed: ValueError: feeling bad")),
            Case(name="well again", ask=health_after("well"), cog=READY),
            Case(name="slow", ask=health_after("slow"), cog=ill(SLOW)),
        ],
    ),
)
