"""Cases of getting ready."""

from typing import Any

from cog_server import Server

from .asking import answer, succeeded, succeeds, until
from .health import READY, health
from .records import Answer, Case, Difference, Either, Matching, Model

NOT_READY = Answer(
    status=503,
    body={
        "error": "Setup has not finished yet. Wait until it has finished, or GET /health-check for status.",
        "status": "failed",
    },
)


def setup_failed(logs: Any) -> list[Any]:
    """The health after a setup that failed, and what a prediction gets."""
    setup = {"started_at": "<time>", "completed_at": "<time>", "status": "failed", "logs": logs}
    return [{"status": "SETUP_FAILED", "setup": setup}, NOT_READY]


def in_cogs_words(error: str) -> str:
    return f"worker setup failed: worker setup failed (slot): Setup failed: {error}"


def health_and_prediction(server: Server) -> list[Any]:
    return [health(server), answer(server.client.post("/predictions", json={"input": {}}))]


def answering(server: Server) -> None:
    """Wait until setup has begun: our routes come with the model's process, a moment before."""
    until(lambda: "setup" in server.client.get("/health-check").json(), "a setup")


def while_starting(server: Server) -> list[Any]:
    """Asked before setup ends, and after it is let go."""
    answering(server)
    before = health_and_prediction(server)
    (server.project / "go").touch()
    until(lambda: server.client.get("/health-check").json()["status"] == "READY", "ready")
    return [*before, answer(server.client.post("/predictions", json={"input": {}}))]


def after_the_limit(server: Server) -> list[Any]:
    answering(server)
    until(lambda: server.client.get("/health-check").json()["status"] != "STARTING", "the setup given up")
    return health_and_prediction(server)


TALKED = {**READY, "setup": {**READY["setup"], "logs": "loading\nloaded\n"}}

MODELS = (
    Model(
        name="setup without weights",
        file="setups.py",
        target="Weights",
        cases=[succeeds("none", {}, ["NoneType", None])],
    ),
    Model(
        name="setup with weights",
        file="setups.py",
        target="Weights",
        environment={"COG_WEIGHTS": "https://example.com/weights.tar"},
        cases=[succeeds("as they are named", {}, ["str", "https://example.com/weights.tar"])],
    ),
    Model(
        name="an async setup",
        file="setups.py",
        target="Later",
        cases=[succeeds("one loop", {}, True), succeeds("the same loop again", {}, True)],
    ),
    Model(
        name="a setup that fails",
        file="setups.py",
        target="Failing",
        cases=[
            Case(
                name="health and prediction",
                ask=health_and_prediction,
                cog=setup_failed(in_cogs_words("setup failed: RuntimeError: no weights here")),
                ours=setup_failed(Matching("about to fail\n(.*\n)*RuntimeError: no weights here")),
                because=Difference.SETUP_LOGS,
            )
        ],
    ),
    Model(
        name="a setup that exits",
        file="setups.py",
        target="Leaving",
        cases=[
            Case(
                name="health and prediction",
                ask=health_and_prediction,
                cog=setup_failed(in_cogs_words("setup failed: SystemExit: 1")),
                ours=setup_failed(Matching("SystemExit: 1")),
                because=Difference.SETUP_LOGS,
            )
        ],
    ),
    Model(
        name="a setup that talks",
        file="setups.py",
        target="Talking",
        cases=[
            Case(
                name="health and prediction",
                ask=health_and_prediction,
                cog=[Either(TALKED, READY), succeeded("ready")],
                ours=[TALKED, succeeded("ready")],
                because=Difference.SETUP_LINES,
            )
        ],
    ),
    Model(
        name="a slow setup",
        file="setups.py",
        target="Slow",
        wait=False,
        cases=[
            Case(
                name="before and after",
                ask=while_starting,
                cog=[
                    {"status": "STARTING", "setup": {"started_at": "<time>", "status": "starting"}},
                    NOT_READY,
                    succeeded("ready at last"),
                ],
            )
        ],
    ),
    Model(
        name="a setup past its limit",
        file="setups.py",
        target="Endless",
        environment={"COG_SETUP_TIMEOUT": "1"},
        wait=False,
        cases=[
            Case(
                name="health and prediction",
                ask=after_the_limit,
                cog=setup_failed("worker setup timed out"),
                ours=setup_failed(Matching("timed out|seconds")),
                because=Difference.SETUP_LOGS,
            )
        ],
    ),
    Model(
        name="no setup",
        file="setups.py",
        target="WithoutSetup",
        cases=[succeeds("one", {}, 1), succeeds("given", {"n": 2}, 2)],
    ),
)
