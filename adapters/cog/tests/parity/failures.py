"""Cases of predictions that end badly."""

import httpx2
from cog_server import Server

from .asking import answer, failed, fails, post, succeeded, succeeds, until
from .records import Answer, Ask, Case, Difference, Expected, Matching, Model


def breaks(how: str, error: str, **more: object) -> Case:
    return fails(how, {"how": how}, error, **more)


OK = succeeds("ok", {"how": "ok"}, "ok")


def exceptions(words: str) -> list[Case]:
    return [
        OK,
        breaks("value", f"{words}: ValueError: no such thing"),
        breaks("custom", f"{words}: Refused: ('not today', 7)"),
        breaks("no message", f"{words}: RuntimeError: "),
        breaks("chained", f"{words}: RuntimeError: outer"),
        breaks("lines", f"{words}: ValueError: first line\nsecond line"),
        breaks("assert", f"{words}: AssertionError: not empty"),
        breaks("recursion", f"{words}: RecursionError: maximum recursion depth exceeded"),
    ]


EXITS = [
    breaks("exit", "Prediction failed: SystemExit: 3"),
    breaks("exit without status", "Prediction failed: SystemExit: "),
    breaks("exit with text", "Prediction failed: SystemExit: goodbye"),
    breaks("interrupt", "Prediction failed: KeyboardInterrupt: "),
    breaks("base", "Prediction failed: BaseException: very base"),
    succeeds("ok after all that", {"how": "ok"}, "ok"),
]


def exit_later(server: Server) -> list[Answer | str]:
    """The answers of a call that exits and of the next; Cog has none."""
    return [answer_soon(server, how) for how in ("exit", "ok")]


def answer_soon(server: Server, how: str) -> Answer | str:
    """The answer, but for that of a server that is full for ever."""
    try:
        given = answer(server.client.post("/predictions", json={"input": {"how": how}}, timeout=2))
    except httpx2.ReadTimeout:
        return "no answer"
    return "no answer" if given.status == 409 else given


def crash(how: str) -> Ask:
    def ask(server: Server) -> dict[str, object]:
        """What the call gets that crashes, what the health is then, and what the next call gets."""
        crashed = answer(post(server, {"input": {"how": how}}))
        if server.name == "ours":
            until(lambda: server.client.get("/health").json()["status"] == "IDLE", "the next host")
        health = server.client.get("/health-check").json()["status"]
        following = answer(server.client.post("/predictions", json={"input": {"how": "ok"}}))
        return {"crashed": crashed, "health": health, "following": following}

    return ask


FULL = Answer(status=409, body={"error": "At capacity - all prediction slots busy", "status": "failed"})
DEAD = {
    "crashed": Expected(fields={"status": "failed", "error": "Worker crashed"}),
    "health": "UNHEALTHY",
    "following": FULL,
}


def alive(how: str) -> dict[str, object]:
    """The network's contract wants a 500 for it, so that nobody is charged."""
    return {
        "crashed": Answer(status=500, body=Matching(f'"code":"host_crashed".*{how}')),
        "health": "READY",
        "following": succeeded("ok"),
    }


MODELS = (
    Model(name="exceptions", file="failures.py", target="Failing", cases=[*exceptions("Prediction failed"), *EXITS]),
    Model(
        name="exceptions of an async model",
        file="failures.py",
        target="FailingLater",
        cases=[
            *exceptions("Async prediction failed"),
            Case(
                name="exit",
                ask=exit_later,
                cog=["no answer", "no answer"],
                ours=[failed("Async prediction failed: SystemExit: 3"), succeeded("ok")],
                because=Difference.EXITING,
            ),
        ],
    ),
    Model(
        name="a hard exit",
        file="failures.py",
        target="Dying",
        cases=[
            Case(name="hard exit", ask=crash("hard exit"), cog=DEAD, ours=alive("exit code 7"), because=Difference.DEAD)
        ],
    ),
    Model(
        name="a segfault",
        file="failures.py",
        target="Crashing",
        cases=[Case(name="segfault", ask=crash("segfault"), cog=DEAD, ours=alive("SIGSEGV"), because=Difference.DEAD)],
    ),
)
