"""Cases of several predictions at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cog_server import Server

from .asking import answer, in_background, post, refused, succeeded, until
from .failures import FULL
from .health import READY, health
from .records import Ask, Case, Difference, Either, Model
from .setups import health_and_prediction, in_cogs_words, setup_failed


def meet(name: str, count: int) -> Ask:
    """So many at once, each of which waits for the others."""

    def ask(server: Server) -> list[Any]:
        def one(index: int) -> Any:
            document = {"input": {"name": f"{name}{index}", "others": count}}
            return answer(post(server, document)).body.get("output")

        with ThreadPoolExecutor(count) as executor:
            outputs = list(executor.map(one, range(count)))
        for each in server.project.glob("*.here"):
            each.unlink()
        return outputs

    return ask


def one_too_many(name: str, room: int) -> Ask:
    """What the call after the last slot gets, and the status then."""

    def ask(server: Server) -> list[Any]:
        documents = [{"input": {"name": f"{name}{index}", "others": room + 1}} for index in range(room)]
        with ThreadPoolExecutor(room) as executor:
            running = [executor.submit(post, server, each) for each in documents]
            until(lambda: len(list(server.project.glob("*.here"))) == room, "all slots taken")
            status = health(server)["status"]
            refused = answer(server.client.post("/predictions", json={"input": {"name": "late"}}))
            (server.project / f"{name}.here").touch()
            outputs = [each.result().json()["output"] for each in running]
        for each in server.project.glob("*.here"):
            each.unlink()
        return [status, refused, outputs]

    return ask


def two_of_a_kind(server: Server) -> list[str]:
    """What becomes of two at once, in no order."""

    def one(index: int) -> str:
        body = answer(server.client.post("/predictions", json={"input": {"name": f"d{index}"}})).body
        return str(body.get("output", "full"))

    with ThreadPoolExecutor(2) as executor:
        return sorted(executor.map(one, range(2)))


def while_busy(server: Server) -> list[Any]:
    with in_background(lambda: answer(post(server, {"input": {"name": "first", "seconds": 0.5}}))) as result:
        until((server.project / "first.here").exists, "the first")
        refused = answer(server.client.post("/predictions", json={"input": {"name": "second"}}))
        return [refused, result()]


def one_after_another(server: Server) -> str:
    """Whether a caller that never has two at once is ever refused."""
    statuses = {server.client.post("/predictions", json={"input": {"name": "n"}}).status_code for _ in range(150)}
    return "always taken" if statuses == {200} else "sometimes refused"


MODELS = (
    Model(
        name="three at once",
        file="concurrency.py",
        target="Meeting",
        yaml={"concurrency": {"max": 3}},
        cases=[
            Case(name="three meet", ask=meet("m", 3), cog=["m0 met", "m1 met", "m2 met"]),
            Case(
                name="a fourth is refused", ask=one_too_many("n", 3), cog=["BUSY", FULL, ["n0 met", "n1 met", "n2 met"]]
            ),
        ],
    ),
    Model(
        name="two at once by the environment",
        file="concurrency.py",
        target="Meeting",
        yaml={"concurrency": {"max": 5}},
        environment={"COG_MAX_CONCURRENCY": "2"},
        cases=[Case(name="a third is refused", ask=one_too_many("o", 2), cog=["BUSY", FULL, ["o0 met", "o1 met"]])],
    ),
    Model(
        name="two at once by the decorator",
        file="decorated.py",
        target="Decorated",
        since="0.22",
        cases=[
            Case(
                name="two meet",
                ask=two_of_a_kind,
                cog=["full", "was alone"],
                ours=["met", "met"],
                because=Difference.DECORATED,
            )
        ],
    ),
    Model(
        name="one at a time",
        file="concurrency.py",
        target="Sync",
        cases=[
            Case(name="a second is refused", ask=while_busy, cog=[FULL, succeeded("first")]),
            Case(
                name="one after another",
                ask=one_after_another,
                cog=Either("sometimes refused", "always taken"),
                ours="always taken",
                because=Difference.SLOT,
            ),
        ],
    ),
    Model(
        name="three at once of a sync model",
        file="concurrency.py",
        target="Sync",
        since="0.22",
        yaml={"concurrency": {"max": 3}},
        cases=[
            Case(
                name="health and prediction",
                ask=health_and_prediction,
                cog=setup_failed(
                    in_cogs_words("setup failed: COG_MAX_CONCURRENCY > 1 requires an async run() or predict() method")
                ),
                ours=[READY, refused(("name", "Field required"))],
                because=Difference.SYNC,
            )
        ],
    ),
)
