"""What runs on a local network: what the orchestrators hold, and what the workers say of themselves."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
import httpx2

from ._card import Card, card_of_capability, card_of_runner
from ._registry import RegisteredCapability
from ._runner_records import RegisteredRunner
from ._running_streams import RunningStream, running_stream
from ._stream_records import StreamRecord
from ._worker_report import WorkerReport, ask_worker

_FRESH_SECONDS = 0.9
_UNITS = {"hour": "an hour", "720p": "an hour of 720p", "fixed": "a call"}


class OrchestratorRecords(Protocol):
    """What is read of an orchestrator."""

    @property
    def capabilities(self) -> Mapping[str, RegisteredCapability]:
        """Its capabilities by name."""
        ...

    @property
    def runners(self) -> Mapping[str, RegisteredRunner]:
        """Its runners by id."""
        ...


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One place where a capability is registered."""

    network: str
    """`byoc` or `live-runner`."""

    orchestrator: int
    """The index of the orchestrator."""

    worker_url: str
    capacity: int
    in_use: int
    """How many slots the orchestrator counts as taken."""

    price: str
    """In words."""

    price_unit: str | None = None
    """`hour`, `720p` or `fixed` where its calls are to be paid."""

    app: str = ""
    """The name under which Live Runner's discovery lists it."""

    mode: str = ""
    """`single-shot` or `persistent` on Live Runner."""

    route: str = ""
    """What stands for the runner in the paths of its calls."""

    version: str = ""
    ready: bool = True
    """Whether callers can find it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A capability by its name, wherever it is registered."""

    card: Card
    registrations: tuple[Registration, ...]
    workers: tuple[WorkerReport, ...]
    """What is behind the registrations, each worker once, in their order."""

    streams: tuple[RunningStream, ...]
    """The live streams that run on it, in the order of their starts."""


class Overview:
    """Gathers what the page shows; however many ask, a worker is asked about once a second.

    Args:
        orchestrators: Whose registrations are shown.
        streams: Returns the live streams of BYOC by id, as of now.
        paid: Whether calls of their runners are to be paid.
    """

    client: httpx2.AsyncClient

    def __init__(
        self,
        orchestrators: Sequence[OrchestratorRecords],
        *,
        streams: Callable[[], Mapping[str, StreamRecord]],
        paid: bool,
    ) -> None:
        self._orchestrators = orchestrators
        self._streams = streams
        self._paid = paid
        self._lock = anyio.Lock()
        self._taken_at = -math.inf
        self._entries: tuple[Entry, ...] = ()

    async def entries(self) -> tuple[Entry, ...]:
        """Return an entry for each registered name, sorted, as of the last second."""
        async with self._lock:
            if anyio.current_time() - self._taken_at > _FRESH_SECONDS:
                self._entries = await self._gather()
                self._taken_at = anyio.current_time()
            return self._entries

    async def _gather(self) -> tuple[Entry, ...]:
        found: dict[str, list[tuple[Card, Registration]]] = {}
        for card, registration in self._registered():
            found.setdefault(card.name, []).append((card, registration))
        reports = await self._ask({each.worker_url for pairs in found.values() for _, each in pairs})
        running: dict[str, list[RunningStream]] = {}
        for name, stream in self._running():
            running.setdefault(name, []).append(stream)
        return tuple(_entry(found[name], reports, running.get(name, [])) for name in sorted(found))

    def _registered(self) -> Iterator[tuple[Card, Registration]]:
        for index, orchestrator in enumerate(self._orchestrators):
            for runner in orchestrator.runners.values():
                yield card_of_runner(runner), _of_runner(index, runner, paid=self._paid)
            for capability in orchestrator.capabilities.values():
                yield card_of_capability(capability), _of_capability(index, capability)

    def _running(self) -> Iterator[tuple[str, RunningStream]]:
        for record in self._streams().values():
            if record.ended is None:
                yield record.capability, running_stream(record)
        for orchestrator in self._orchestrators:
            for runner in orchestrator.runners.values():
                card = card_of_runner(runner)
                for session_id in runner.session_ids if card.kind == "live" else ():
                    yield card.name, RunningStream(stream_id=session_id, network="live-runner")

    async def _ask(self, urls: set[str]) -> dict[str, WorkerReport]:
        reports: dict[str, WorkerReport] = {}

        async def ask(url: str) -> None:
            reports[url] = await ask_worker(self.client, url)

        async with anyio.create_task_group() as tasks:
            for url in urls:
                tasks.start_soon(ask, url)
        return reports


def _entry(
    pairs: Sequence[tuple[Card, Registration]], reports: Mapping[str, WorkerReport], streams: Sequence[RunningStream]
) -> Entry:
    card = pairs[0][0]
    for other, _ in pairs[1:]:
        card = card.filled_from(other)
    return Entry(
        card=card,
        registrations=tuple(registration for _, registration in pairs),
        workers=tuple(reports[url] for url in dict.fromkeys(each.worker_url for _, each in pairs)),
        streams=tuple(streams),
    )


def _of_capability(orchestrator: int, record: RegisteredCapability) -> Registration:
    price = record.price_per_unit / record.price_scaling
    return Registration(
        network="byoc",
        orchestrator=orchestrator,
        worker_url=record.url,
        capacity=record.capacity,
        in_use=max(0, record.load),
        price=f"{price:g} {record.currency or 'wei'} a unit" if price else "free",
    )


def _of_runner(orchestrator: int, record: RegisteredRunner, *, paid: bool) -> Registration:
    return Registration(
        network="live-runner",
        orchestrator=orchestrator,
        worker_url=record.runner_url,
        capacity=record.capacity,
        in_use=len(record.session_ids),
        price=_price_of_runner(record),
        price_unit=record.price_info.unit if paid and record.price_info else None,
        app=record.app,
        mode=record.mode,
        route=record.route,
        version=record.version,
        ready=record.ready,
    )


def _price_of_runner(record: RegisteredRunner) -> str:
    info = record.price_info
    if info is None or not info.price:
        return "free"
    return f"{info.price} {info.currency or 'usd'} {_UNITS.get(info.unit, info.unit or 'an hour')}"
