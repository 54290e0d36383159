"""Runners that an operator lists in a document, and whose health is asked for (Live Runner, contract section 7)."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import anyio
import httpx2

from ._fields import as_object, integer_field, list_field, load_object, text_field
from ._runner_records import RegisteredRunner, is_web_url, parse_runner
from ._runners import Runner, RunnerRegistry, random_runner_id
from ._timings import Timings


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One runner of a document."""

    offer: RegisteredRunner
    routes_by_label: bool
    health_url: str
    healthy_status_code: int


class StaticRunners:
    """The listed runners of one orchestrator, by their labels."""

    client: httpx2.AsyncClient

    def __init__(self, registry: RunnerRegistry, timings: Timings, *, paid: bool) -> None:
        self._registry = registry
        self._timings = timings
        self._paid = paid
        self._by_label: dict[str, tuple[Runner, _Entry]] = {}

    async def register(self, document: str | bytes) -> tuple[RegisteredRunner, ...]:
        """Take in a `runners.json`; a label that is known keeps its id and its sessions.

        Raises:
            ValueError: An entry is wrong; then none is taken.
        """
        entries = _parse_document(document, paid=self._paid)
        found: dict[str, bool] = {}
        async with anyio.create_task_group() as tasks:
            for entry in entries:
                tasks.start_soon(self._ask, entry, found)
        for entry in entries:
            self._take(entry, is_healthy=found[entry.offer.label])
        return tuple(self._by_label[entry.offer.label][0].snapshot for entry in entries)

    async def check(self) -> None:
        """Ask every listed runner for its health; one that is not well is hidden and loses its sessions."""
        held = list(self._by_label.values())
        found: dict[str, bool] = {}
        async with anyio.create_task_group() as tasks:
            for _, entry in held:
                tasks.start_soon(self._ask, entry, found)
        for runner, entry in held:
            self._judge(runner, is_healthy=found[entry.offer.label])

    def clear(self) -> None:
        """Forget every listed runner."""
        self._by_label.clear()

    def _take(self, entry: _Entry, *, is_healthy: bool) -> None:
        label = entry.offer.label
        runner = self._by_label[label][0] if label in self._by_label else None
        runner_id = random_runner_id() if runner is None else runner.record.runner_id
        route = label if entry.routes_by_label else runner_id
        record = replace(entry.offer, runner_id=runner_id, route=route, static=True)
        runner = runner or Runner(record, base_url="")
        runner.record = record
        self._by_label[label] = runner, entry
        self._registry.add(runner)
        self._judge(runner, is_healthy=is_healthy)

    def _judge(self, runner: Runner, *, is_healthy: bool) -> None:
        runner.record = replace(runner.record, status="ready" if is_healthy else "unavailable")
        if is_healthy:
            self._registry.tell_change()
        else:
            self._registry.release_all(runner)

    async def _ask(self, entry: _Entry, found: dict[str, bool]) -> None:
        found[entry.offer.label] = False
        with anyio.move_on_after(self._timings.health_timeout_seconds):
            try:
                response = await self.client.get(entry.health_url)
            except (httpx2.RequestError, httpx2.InvalidURL):
                return
            found[entry.offer.label] = response.status_code == entry.healthy_status_code


def _parse_document(document: str | bytes, *, paid: bool) -> list[_Entry]:
    entries: list[_Entry] = []
    for index, value in enumerate(list_field(load_object(document), "runners")):
        try:
            entry = _parse_entry(as_object(value, "a runner"), paid=paid)
            if any(entry.offer.label == other.offer.label for other in entries):
                raise ValueError(f'duplicate label "{entry.offer.label}"')
        except ValueError as error:
            raise ValueError(f"runners[{index}]: {error}") from None
        entries.append(entry)
    return entries


def _parse_entry(fields: dict[str, object], *, paid: bool) -> _Entry:
    routing = text_field(fields, "routing").strip() or "runner-id"
    if routing not in ("runner-id", "label"):
        raise ValueError('routing must be "runner-id" or "label"')
    label = text_field(fields, "label")
    if not label or label != label.strip():
        raise ValueError("label is required and must be trimmed")
    code = integer_field(fields, "healthy_status_code") or 200
    health_url = _health_url(fields)
    if not 100 <= code <= 599:
        raise ValueError("healthy_status_code must be a valid HTTP status code")
    offer = parse_runner(fields | {"runner_id": "", "status": ""}, paid=paid)
    if routing == "label" and "/" in label:
        raise ValueError('label cannot contain / when routing is "label"')
    return _Entry(offer=offer, routes_by_label=routing == "label", health_url=health_url, healthy_status_code=code)


def _health_url(fields: dict[str, object]) -> str:
    """Return where the health is asked for; a path is one of the worker's."""
    url = text_field(fields, "health_url")
    if url.startswith("/") and not urlsplit(url).netloc:
        url = text_field(fields, "runner_url").rstrip("/") + url
    if not url:
        raise ValueError("health_url is required")
    if not is_web_url(url):
        raise ValueError("invalid health_url")
    return url
