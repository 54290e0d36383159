"""Cases of webhooks: which are sent, in which order, with what."""

from typing import Any

from cog_server import Server

from .asking import post
from .loopback import webhook
from .records import Ask, Case, Model

TRACE = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "tracestate": "k=v"}
HEADERS = {"content-type": "application/json", "authorization": "Bearer token", "agent": "coglet", **TRACE}
ECHO = "echo a\n"
ASYNC = {"prefer": "respond-async"}


def called(
    *, count: int = 1, waits: bool = False, refuse: int = 0, filter: list[str] | None = None, **inputs: Any
) -> Ask:
    """What a webhook was called with, in the order in which it became so: calls may overtake each other."""

    def ask(server: Server) -> list[dict[str, Any]]:
        calls = webhook(refuse=refuse)
        document: dict[str, Any] = {"id": "hooked", "input": inputs, "webhook": calls.url}
        if filter is not None:
            document["webhook_events_filter"] = filter
        response = post(server, document, headers={} if waits else ASYNC)
        assert response.status_code == (200 if waits else 202), response.text
        return sorted(calls.until_done(count), key=progress)

    return ask


def progress(payload: dict[str, Any]) -> tuple[bool, int, int]:
    return payload["status"] != "processing", len(payload.get("output") or ()), len(payload["logs"])


def statuses(**fields: Any) -> Ask:
    def ask(server: Server) -> list[tuple[str, Any]]:
        return [(each["status"], each.get("output")) for each in called(**fields)(server)]

    return ask


def sent_headers(server: Server) -> dict[str, Any]:
    calls = webhook()
    post(server, {"input": {"text": "a"}, "webhook": calls.url}, headers={**ASYNC, **TRACE})
    calls.until_done()
    headers = calls.headers[-1]
    return {
        "content-type": headers.get("content-type"),
        "authorization": headers.get("authorization"),
        "agent": headers.get("user-agent", "").split("/")[0],
        "traceparent": headers.get("traceparent"),
        "tracestate": headers.get("tracestate"),
    }


def at(status: str = "processing", *, logs: str = "", metrics: dict[str, Any] | None = None, **more: Any) -> Any:
    return {"id": "hooked", "status": status, "logs": logs, "metrics": metrics or {}, **more}


LAST = at("succeeded", logs=ECHO, metrics={"predict_time": "<seconds>"}, output="a")

MODELS = (
    Model(
        name="webhooks",
        file="echo.py",
        target="Echo",
        environment={"WEBHOOK_AUTH_TOKEN": "token"},
        cases=[
            Case(name="all events", ask=called(count=3, text="a"), cog=[at(), at(logs=ECHO, output=["a"]), LAST]),
            Case(name="the last only", ask=called(text="a", filter=["completed"]), cog=[LAST]),
            Case(
                name="the first and the last",
                ask=called(count=2, text="a", filter=["start", "completed"]),
                cog=[at(), LAST],
            ),
            Case(
                name="of a call that is waited for", ask=called(text="a", waits=True, filter=["completed"]), cog=[LAST]
            ),
            Case(
                name="a failure",
                ask=called(text="fail", filter=["completed"]),
                cog=[
                    at(
                        "failed",
                        logs="echo fail\n",
                        metrics={"predict_time": "<seconds>"},
                        error="Prediction failed: Prediction failed: ValueError: told to",
                    )
                ],
            ),
            Case(name="refused twice", ask=called(text="a", filter=["completed"], refuse=2), cog=[LAST]),
            Case(name="headers", ask=sent_headers, cog=HEADERS),
        ],
    ),
    Model(
        name="webhooks of an iterator",
        file="iterators.py",
        target="Words",
        cases=[
            Case(
                name="each output",
                ask=statuses(count=4, text="a b c", pause=0.1, filter=["output", "completed"]),
                cog=[
                    ("processing", ["a"]),
                    ("processing", ["a", "b"]),
                    ("processing", ["a", "b", "c"]),
                    ("succeeded", ["a", "b", "c"]),
                ],
            )
        ],
    ),
    Model(
        name="webhooks of logs that are not held back",
        file="logs.py",
        target="WritingMore",
        environment={"COG_THROTTLE_RESPONSE_INTERVAL": "0"},
        cases=[
            Case(
                name="each line",
                ask=called(count=3, filter=["logs", "completed"]),
                cog=[
                    at(logs="line 0\n"),
                    at(logs="line 0\nline 1\n", output=[0]),
                    at("succeeded", logs="line 0\nline 1\n", metrics={"predict_time": "<seconds>"}, output=[0, 1]),
                ],
            )
        ],
    ),
)
