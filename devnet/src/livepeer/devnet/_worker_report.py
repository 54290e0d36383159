"""What a worker says of itself, asked at its own URL rather than through the network."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, cast

import anyio
import httpx2

from ._outbound import closing

_ANSWER_SECONDS = 1.5
_MAX_ANSWER_BYTES = 1_048_576
_STATES = frozenset({"LOADING", "OK", "IDLE", "ERROR"})


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """A worker at one moment."""

    url: str
    """The base URL that it registered."""

    state: str
    """LOADING, OK, IDLE or ERROR as its `/health` says (BYOC contract, section 6), else UNREACHABLE or UNKNOWN."""

    reason: str
    """Why it is in that state, where somebody knows."""

    in_use: int | None
    """How many calls it is working on; None if it does not say."""

    capacity: int | None
    """How many it takes at once."""

    waiting: int | None
    """How many wait for a slot."""

    schema: str
    """What its `/schema` answers with (BYOC contract, section 8), as it came: JSON, or so it should be."""

    schema_sha256: str
    """The hash of that answer's bytes."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """The body of an answer with status 200, or why there is none."""

    body: bytes = b""
    state: str = "UNKNOWN"
    failure: str = ""


async def ask_worker(client: httpx2.AsyncClient, url: str) -> WorkerReport:
    """Ask a worker for its `/health` and its `/schema`; whatever goes wrong is part of the report."""
    answers: dict[str, _Answer] = {}

    async def ask(path: str) -> None:
        answers[path] = await _get(client, url.rstrip("/") + path)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, "/health")
        tasks.start_soon(ask, "/schema")
    return _report(url, answers["/health"], answers["/schema"].body)


def _report(url: str, health: _Answer, schema: bytes) -> WorkerReport:
    said = _json_object(health.body)
    status, reason, slots = said.get("status"), said.get("reason"), said.get("slots")
    numbers = cast("dict[str, Any]", slots) if isinstance(slots, dict) else {}
    return WorkerReport(
        url=url,
        state=status if isinstance(status, str) and status in _STATES else health.state,
        reason=reason if isinstance(reason, str) else health.failure,
        in_use=_count(numbers.get("in_use")),
        capacity=_count(numbers.get("capacity")),
        waiting=_count(numbers.get("waiting")),
        schema=schema.decode(errors="replace"),
        schema_sha256=hashlib.sha256(schema).hexdigest() if schema else "",
    )


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


async def _get(client: httpx2.AsyncClient, url: str) -> _Answer:
    try:
        with anyio.fail_after(_ANSWER_SECONDS):
            request = client.build_request("GET", url)
            async with closing(await client.send(request, stream=True, follow_redirects=False)) as response:
                return await _read(response, url)
    except TimeoutError:
        return _Answer(state="UNREACHABLE", failure=f"{url} did not answer within {_ANSWER_SECONDS} s")
    except (httpx2.InvalidURL, httpx2.RequestError, UnicodeError) as error:
        return _Answer(state="UNREACHABLE", failure=f"{url} cannot be reached: {error or type(error).__name__}")


async def _read(response: httpx2.Response, url: str) -> _Answer:
    if response.status_code != 200:
        return _Answer(failure=f"{url} answered {response.status_code}")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            return _Answer(failure=f"{url} answered more than {_MAX_ANSWER_BYTES} bytes")
    return _Answer(body=bytes(body))
