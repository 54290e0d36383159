"""Cases of outputs that come one by one, as JSON and as events."""

import time
from collections.abc import Mapping
from typing import Any

from cog_server import Server

from .asking import Request, Stream, answer, fails, opened_stream, retried, succeeds, until, until_status
from .records import Answer, Case, Difference, Matching, Model

BROKEN = "Generator iteration error: ValueError: broken in the middle"
LATER_BROKEN = "Async prediction failed: ValueError: broken in the middle"
Event = tuple[str, object]
START = ("start", {"id": "<generated>", "status": "processing"})
NOT_STREAMING = Answer(
    status=406,
    body={
        "error": "This model does not support streaming responses. Add @cog.streaming to predict() to enable SSE.",
    },
)


def completed(output: list[object], *, logs: str = "", metrics: Mapping[str, object] | None = None) -> Event:
    return ended(status="succeeded", output=output, logs=logs, metrics=metrics)


def broke(error: str, **more: object) -> Event:
    return ended(status="failed", error=f"Prediction failed: {error}", **more)


def ended(
    *, id: str = "<generated>", logs: str = "", metrics: Mapping[str, object] | None = None, **more: object
) -> Event:
    return (
        "completed",
        {"id": id, "logs": logs, "metrics": {**(metrics or {}), "predict_time": "<seconds>"}, **more},
    )


def chunks(*items: object) -> list[Event]:
    return [("output", {"chunk": item, "index": index}) for index, item in enumerate(items)]


def streams(name: str, document: object, *items: object, **more: object) -> Case:
    return Case(
        name=f"{name}, as events",
        ask=Stream(input=document),
        cog=[START, *chunks(*items), completed(list(items))],
        **more,
    )


def spread(server: Server) -> str:
    """Whether chunks that are made 0.3 s apart arrive apart."""
    arrivals = []
    with opened_stream(server, {"input": {"text": "a b c", "pause": 0.3}}) as events:
        for name, _ in events:
            if name == "output":
                arrivals.append(time.monotonic())
    return "as they are made" if arrivals[-1] - arrivals[0] > 0.3 else "at once"


def logged(data: str) -> Event:
    return ("log", {"source": "stdout", "data": data})


def measured(name: str, value: object, mode: str) -> Event:
    return ("metric", {"name": name, "value": value, "mode": mode})


TOLD = [
    START,
    logged("before\n"),
    measured("temperature", 0.5, "replace"),
    *chunks("one"),
    logged("between\n"),
    measured("tokens", 1, "increment"),
    measured("tags", "a", "append"),
    ("output", {"chunk": "two", "index": 1}),
    measured("tokens", 2, "increment"),
    completed(
        ["one", "two"],
        logs="before\nbetween\n",
        metrics={"temperature": 0.5, "tokens": 3, "tags": ["a"]},
    ),
]


def joined(server: Server) -> list[Any]:
    """The events that somebody gets who asks for a prediction that another began."""
    document = {"input": {"text": "a b", "pause": 0.3}}
    begun = until_status(202, lambda: put_later(server, document))
    with opened_stream(server, document, path="/predictions/shared", method="PUT") as events:
        return [begun, *events]


def put_later(server: Server, document: Any) -> Answer:
    return answer(server.client.put("/predictions/shared", json=document, headers={"prefer": "respond-async"}))


def joined_late(server: Server) -> list[Any]:
    """As `joined`, of a server that keeps fewer events than there were."""
    document = {"input": {"text": "a b c d", "pause": 0.2}}
    begun = put_later(server, document)
    until(lambda: len(server_outputs(server, document)) == 4, "the last output")
    with opened_stream(server, document, path="/predictions/shared", method="PUT") as events:
        return [begun, *events]


def server_outputs(server: Server, document: Any) -> list[Any]:
    return answer(server.client.put("/predictions/shared", json=document)).body.get("output", [])


def both(document: object, *items: object) -> list[Case]:
    return [succeeds("whole", document, list(items)), streams("whole", document, *items)]


MODELS = (
    Model(
        name="an iterator",
        file="iterators.py",
        target="Words",
        streaming=True,
        cases=[
            *both({"text": "a b c"}, "a", "b", "c"),
            succeeds("nothing yielded", {"text": ""}, []),
            streams("nothing yielded", {"text": ""}),
            succeeds("one item", {"text": "alone"}, ["alone"]),
            streams("characters of every kind", {"text": "é \U0001f600 data:"}, "é", "\U0001f600", "data:"),
            Case(name="spread", ask=spread, cog="as they are made"),
        ],
    ),
    Model(
        name="an iterator that is joined",
        file="iterators.py",
        target="Words",
        streaming=True,
        cases=[
            Case(
                name="from its start",
                ask=joined,
                cog=[
                    Answer(status=202, body={"id": "shared", "status": "starting"}),
                    ("start", {"id": "shared", "status": "processing"}),
                    *chunks("a", "b"),
                    ended(id="shared", status="succeeded", output=["a", "b"]),
                ],
            )
        ],
    ),
    Model(
        name="an iterator that is joined late",
        file="iterators.py",
        target="Words",
        streaming=True,
        environment={"COG_STREAM_HISTORY_CAPACITY": "2"},
        cases=[
            Case(
                name="after more than is kept",
                ask=joined_late,
                cog=[
                    Answer(status=202, body={"id": "shared", "status": "starting"}),
                    ("error", {"error": "SSE stream replay truncated; events were dropped", "skipped": 3}),
                ],
            )
        ],
    ),
    Model(
        name="an iterator whose schema says nothing of streaming",
        file="iterators.py",
        target="Words",
        cases=[
            Case(
                name="events",
                ask=Request(
                    method="POST",
                    path="/predictions",
                    document={"input": {"text": "a"}},
                    headers={"accept": "text/event-stream"},
                ),
                cog=NOT_STREAMING,
                ours=Answer(
                    status=200, body=Matching("^event: start\n(.*\n)*event: output\n(.*\n)*event: completed\n")
                ),
                because=Difference.STREAMING,
            ),
        ],
    ),
    Model(
        name="an iterator to be joined",
        file="iterators.py",
        target="Joined",
        streaming=True,
        cases=both({"text": "abc"}, "a", "b", "c"),
    ),
    Model(
        name="an async iterator",
        file="iterators.py",
        target="Later",
        streaming=True,
        cases=[
            *both({"text": "a b c"}, "a", "b", "c"),
            succeeds("nothing yielded", {"text": ""}, []),
            Case(name="spread", ask=spread, cog="at once", ours="as they are made", because=Difference.COLLECTED),
        ],
    ),
    Model(
        name="an async iterator to be joined",
        file="iterators.py",
        target="LaterJoined",
        streaming=True,
        cases=both({"text": "abc"}, "a", "b", "c"),
    ),
    Model(
        name="an iterator of paths",
        file="iterators.py",
        target="Paths",
        streaming=True,
        cases=[
            *both({}, "data:text/plain;base64,MA==", "data:text/plain;base64,MQ=="),
            succeeds("none", {"count": 0}, []),
        ],
    ),
    Model(
        name="an iterator of records",
        file="iterators.py",
        target="Records",
        streaming=True,
        cases=both({}, {"n": 1, "list": [1, 2]}, None, [3, 4]),
    ),
    Model(
        name="an iterator that breaks",
        file="iterators.py",
        target="Broken",
        streaming=True,
        cases=[
            fails("in the middle", {}, BROKEN),
            fails("at once", {"after": 0}, BROKEN),
            Case(
                name="in the middle, as events",
                ask=Stream(input={}),
                cog=[START, *chunks("item 0", "item 1"), broke(BROKEN, output=["item 0", "item 1"])],
            ),
            Case(name="at once, as events", ask=Stream(input={"after": 0}), cog=[START, broke(BROKEN)]),
        ],
    ),
    Model(
        name="an async iterator that breaks",
        file="iterators.py",
        target="LaterBroken",
        streaming=True,
        cases=[
            fails("in the middle", {}, LATER_BROKEN),
            Case(
                name="in the middle, as events",
                ask=Stream(input={}),
                cog=[START, broke(LATER_BROKEN)],
                ours=[START, *chunks("item 0", "item 1"), broke(LATER_BROKEN, output=["item 0", "item 1"])],
                because=Difference.COLLECTED,
            ),
        ],
    ),
    Model(
        name="an iterator that tells more",
        file="iterators.py",
        target="Telling",
        streaming=True,
        cases=[
            succeeds("whole", {}, ["one", "two"]),
            Case(name="as events", ask=Stream(input={}), cog=TOLD),
        ],
    ),
    Model(
        name="a generator that is handed on",
        file="iterators.py",
        target="Handed",
        streaming=True,
        cases=both({"count": 3}, 0, 10, 20),
    ),
    Model(
        name="a list",
        file="iterators.py",
        target="Listed",
        streaming=True,
        cases=[
            succeeds("whole", {"count": 3}, [0, 1, 2]),
            Case(
                name="whole, as events",
                ask=retried(
                    Request(
                        method="POST",
                        path="/predictions",
                        document={"input": {"count": 3}},
                        headers={"accept": "text/event-stream"},
                    )
                ),
                cog=Answer(status=200, body=Matching('"index":2')),
                ours=NOT_STREAMING,
                because=Difference.LISTED,
            ),
        ],
    ),
)
