"""Cases of predictions that are cancelled, by a request or by leaving."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any

from cog_server import Server

from .asking import answer, in_background, opened_stream, post, succeeded, until
from .loopback import webhook
from .records import Answer, Ask, Case, Model


def marked(server: Server, name: str) -> Callable[[], bool]:
    return (server.project / name).exists


def started(server: Server, name: str) -> None:
    until(marked(server, f"{name}.started"), f"{name} started")


def cancel(server: Server, name: str) -> Answer:
    return answer(server.client.post(f"/predictions/{name}/cancel"))


def cancelled(name: str, *marks: str, **inputs: Any) -> Ask:
    """Cancels a prediction that runs: the answers to both requests, whether it left marks, and the next answer."""

    def ask(server: Server) -> dict[str, Any]:
        document = {"id": name, "input": {"name": name, **inputs}}
        freed(server)
        with in_background(lambda: answer(post(server, document))) as result:
            started(server, name)
            request = cancel(server, name)
            prediction = result()
        for mark in marks:
            until(marked(server, f"{name}.{mark}"), mark)
        mistaken = marked(server, f"{name}.mistaken")()
        again = cancel(server, name)
        return {"request": request, "prediction": prediction, "mistaken": mistaken, "again": again}

    return ask


def left(name: str, mark: str) -> Ask:
    """Whether a prediction ends when its caller goes away, and the server then takes another."""

    def ask(server: Server) -> list[Any]:
        leave(server, {"id": name, "input": {"name": name}}, name)
        until(marked(server, f"{name}.{mark}"), f"{name} ended")
        return [mark, freed(server)]

    return ask


def leave(server: Server, document: dict[str, Any], name: str, *, headers: str = "") -> None:
    """Send a request and close the connection once the prediction runs."""
    freed(server)  # Cog gives a slot back a moment after its answer
    body = json.dumps(document).encode()
    host, port = server.url.removeprefix("http://").split(":")
    head = f"POST /predictions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{headers}"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        started(server, name)


def freed(server: Server) -> str:
    until(lambda: server.client.get("/health-check").json()["status"] == "READY", "a free slot")
    return "free"


def left_stream(name: str) -> Ask:
    def ask(server: Server) -> list[Any]:
        with opened_stream(server, {"id": name, "input": {"name": name}}) as events:
            for event, _ in events:
                if event == "output":
                    break
        until(marked(server, f"{name}.ended"), f"{name} ended")
        return ["ended", freed(server)]

    return ask


def left_alone(name: str) -> Ask:
    """A prediction that nobody waits for goes on when its caller leaves."""

    def ask(server: Server) -> list[Any]:
        calls = webhook()
        # The end alone is asked for: Cog's webhooks may overtake each other.
        document = {"id": name, "webhook": calls.url, "webhook_events_filter": ["completed"]}
        document["input"] = {"name": name, "seconds": 0.5}
        accepted = answer(post(server, document, headers={"prefer": "respond-async"}))
        return [accepted, calls.until_done()[-1]["status"]]

    return ask


def cancelled_in_background(name: str) -> Ask:
    def ask(server: Server) -> list[Any]:
        calls = webhook()
        document = {"id": name, "webhook": calls.url, "webhook_events_filter": ["completed"], "input": {"name": name}}
        post(server, document, headers={"prefer": "respond-async"})
        started(server, name)
        return [cancel(server, name), calls.until_done()]

    return ask


def cancelled_stream(name: str) -> Ask:
    """The events of a stream that is cancelled after its first chunk: the first, the last."""

    def ask(server: Server) -> list[Any]:
        seen: list[Any] = []
        with opened_stream(server, {"id": name, "input": {"name": name}}) as events:
            for event in events:
                if event[0] == "output" and len(seen) == 1:
                    cancel(server, name)
                seen.append(event)
        last = dict(seen[-1][1])
        chunks = last.pop("output", None)
        return [seen[0], seen[1], seen[-1][0], last, bool(chunks)]

    return ask


def returned_first(server: Server) -> dict[str, Any]:
    """Whether a call into C is waited for."""
    begun = time.monotonic()
    outcome = cancelled("b1")(server)
    return {"prediction": outcome["prediction"], "waited": time.monotonic() - begun > 0.9}


def canceled(name: str, **more: Any) -> Answer:
    return Answer(
        status=200,
        body={"id": name, "logs": "", "status": "canceled", "metrics": {"predict_time": "<seconds>"}, **more},
    )


def accepted(name: str) -> Answer:
    return Answer(status=202, body={"id": name, "status": "starting"})


def outcome(name: str, prediction: Any = None) -> dict[str, Any]:
    return {
        "request": Answer(status=200, body={}),
        "prediction": prediction or canceled(name),
        "mistaken": False,
        "again": Answer(status=404, body={}),
    }


MODELS = (
    Model(
        name="a loop",
        file="cancelling.py",
        target="Loop",
        cases=[
            Case(name="cancelled", ask=cancelled("l1", "ended"), cog=outcome("l1")),
            Case(name="cancelled again", ask=cancelled("l2", "ended"), cog=outcome("l2")),
            Case(name="left", ask=left("l3", "ended"), cog=["ended", "free"]),
            Case(name="nobody waits", ask=left_alone("l4"), cog=[accepted("l4"), "succeeded"]),
            Case(
                name="cancelled in the background",
                ask=cancelled_in_background("l5"),
                cog=[Answer(status=200, body={}), [canceled("l5").body]],
            ),
            Case(name="no such prediction", ask=lambda server: cancel(server, "none"), cog=Answer(status=404, body={})),
            Case(
                name="the next one works",
                ask=lambda server: answer(post(server, {"input": {"name": "l6", "seconds": 0.0}})),
                cog=succeeded("l6"),
            ),
        ],
    ),
    Model(
        name="one that catches the cancellation",
        file="cancelling.py",
        target="Catching",
        cases=[
            Case(name="and passes it on", ask=cancelled("c1", "cancelled"), cog=outcome("c1")),
            Case(
                name="and swallows it", ask=cancelled("c2", "cancelled", swallow=True), cog=outcome("c2"), since="0.23"
            ),
        ],
    ),
    Model(
        name="one that blocks",
        file="cancelling.py",
        target="Blocking",
        cases=[Case(name="returns first", ask=returned_first, cog={"prediction": canceled("b1"), "waited": True})],
    ),
    Model(
        name="an async one",
        file="cancelling.py",
        target="Sleeping",
        cases=[
            Case(name="cancelled", ask=cancelled("s1", "cancelled"), cog=outcome("s1")),
            Case(name="left", ask=left("s2", "cancelled"), cog=["cancelled", "free"]),
        ],
    ),
    Model(
        name="one that yields",
        file="cancelling.py",
        target="Yielding",
        streaming=True,
        cases=[
            Case(name="cancelled", ask=cancelled("y1", "ended"), cog=outcome("y1")),
            Case(name="left", ask=left("y2", "ended"), cog=["ended", "free"]),
            Case(name="left while it streams", ask=left_stream("y3"), cog=["ended", "free"]),
            Case(
                name="cancelled while it streams",
                ask=cancelled_stream("y4"),
                cog=[
                    ("start", {"id": "y4", "status": "processing"}),
                    ("output", {"chunk": 0, "index": 0}),
                    "completed",
                    canceled("y4").body,
                    True,
                ],
            ),
        ],
    ),
    Model(
        name="an async one that yields",
        file="cancelling.py",
        target="YieldingLater",
        streaming=True,
        cases=[
            Case(name="cancelled", ask=cancelled("z1", "ended"), cog=outcome("z1")),
            Case(name="left", ask=left("z2", "ended"), cog=["ended", "free"]),
        ],
    ),
)
