"""Who offers what, without the I/O of asking (Live Runner, contract section 7)."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from ._capability import Capability, Card, parse_runner
from ._errors import LivepeerError, ProtocolError, SettingsError, UnreachableError
from ._exchange import Exchange, Outcomes, Reply, Request
from ._failures import origin
from ._job_tokens import find_on_byoc
from ._problems import error_from_reply
from ._settings import Parties, Source

_FRESH_SECONDS = 5.0  # as often as runners are heard of
_LOOKUP_SECONDS = 5.0
_CARD_FIELDS = {field.name for field in fields(Card)}
_LONGEST_DOCUMENT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a look at the network gave."""

    capabilities: tuple[Capability, ...]
    """The runners that are ready, in the order of their orchestrators."""

    orchestrator_urls: tuple[str, ...]
    """Those that may speak BYOC as well."""

    failures: tuple[tuple[str, LivepeerError], ...]
    """Who did not answer, and why."""

    has_answers: bool
    """Whether anybody answered."""

    def runners(self, name: str) -> list[Capability]:
        """Pick those that answer to a name; those with a free slot come first."""
        matching = [capability for capability in self.capabilities if capability.answers_to(name)]
        return sorted(matching, key=lambda capability: capability.capacity_available <= 0)

    def error(self, otherwise: LivepeerError | None = None) -> LivepeerError:
        """Choose the error to raise where nothing was found, with a note on everybody who did not answer."""
        error = otherwise if otherwise is not None and self.has_answers else self.failures[-1][1]
        for url, failure in self.failures:
            if failure is not error:
                error.add_note(f"{url}: {failure}")
        return error


class Directory:
    """Looks up what a network offers, and remembers it for a moment."""

    def __init__(self, parties: Parties, headers: Mapping[str, str]) -> None:
        self._is_gateway = parties.gateway_url is not None
        self._orchestrator_urls = parties.orchestrator_urls
        self._source = parties.source
        self._signer = parties.signer
        self._headers = headers
        self._found: Found | None = None
        self._found_at = 0.0
        self._missing: set[str] = set()

    def look(self) -> Exchange[Found]:
        """Ask anew: every orchestrator at once, or whoever lists them."""
        if self._source is not None:
            sources: tuple[Source, ...] = (self._source,)
        else:
            sources = tuple(Source(url=f"{url}/discovery", headers=self._headers) for url in self._orchestrator_urls)
        outcomes = yield tuple(_lookup(source.url, source.headers) for source in sources)
        found = self._read(outcomes)
        self._found, self._found_at = (found if found.has_answers else None), time.monotonic()
        return found

    def find(self, name: str) -> Exchange[Found]:
        """Say what the last look gave, if that was a moment ago, else look.

        A name that is missing there is looked for the first time that it is asked for.
        """
        found = self._found
        is_fresh = time.monotonic() - self._found_at < _FRESH_SECONDS
        if found is None or not is_fresh or not (name in self._missing or found.runners(name)):
            found = yield from self.look()
            if not found.runners(name):
                self._missing.add(name)
        return found

    def forget(self) -> None:
        """Do not trust what the last look gave: a runner was not where it should be."""
        self._found = None
        self._missing.clear()

    def search(self, name: str | None, app: str | None, card: Mapping[str, object]) -> Exchange[list[Capability]]:
        """Look for what `Gateway.discover` was asked for.

        Raises:
            SettingsError: Nobody can be asked, or it is no field of a card that is looked for.
            LivepeerError: Nobody answered.
        """
        if self._is_gateway:
            raise SettingsError("a BYOC gateway does not say what there is: give orch_url or discovery_url instead")
        if unknown := set(card) - _CARD_FIELDS:
            raise SettingsError(f"cards have no {', '.join(sorted(unknown))}, only {', '.join(sorted(_CARD_FIELDS))}")
        found = yield from self.look()
        capabilities = [capability for capability in found.capabilities if _fits(capability, name, app, card)]
        if name is not None and app is None and not card:
            capabilities += yield from find_on_byoc(name, found.orchestrator_urls, self._signer, self._headers)
        if not capabilities and not found.has_answers:
            raise found.error()
        return capabilities

    def _read(self, outcomes: Outcomes) -> Found:
        urls = self._orchestrator_urls or (origin(self._source.url) if self._source is not None else "",)
        capabilities: list[Capability] = []
        orchestrators: list[str] = list(self._orchestrator_urls)
        failures: list[tuple[str, LivepeerError]] = []
        for url, outcome in zip(urls, outcomes, strict=True):
            try:
                for address, runners in _entries(outcome, is_orchestrator=self._source is None):
                    base = url if self._source is None else address
                    orchestrators.append(base)
                    parsed = (parse_runner(runner, base) for runner in runners)
                    capabilities.extend(capability for capability in parsed if capability is not None)
            except LivepeerError as error:
                failures.append((url, error))
                if isinstance(error, UnreachableError) and not error.retryable and url in orchestrators:
                    orchestrators.remove(url)  # a certificate that does not verify will not do so on BYOC either
        return Found(
            capabilities=tuple(capabilities),
            orchestrator_urls=tuple(dict.fromkeys(url for url in orchestrators if url)),
            failures=tuple(failures),
            has_answers=len(failures) < len(urls),
        )


def _fits(capability: Capability, name: str | None, app: str | None, card: Mapping[str, object]) -> bool:
    return (
        (name is None or capability.answers_to(name))
        and (app is None or capability.app == app)
        and all(getattr(capability.card, field) == value for field, value in card.items())
    )


def _lookup(url: str, headers: Mapping[str, str]) -> Request:
    return Request(
        method="GET", url=url, headers=headers, timeout_seconds=_LOOKUP_SECONDS, max_bytes=_LONGEST_DOCUMENT_BYTES
    )


def _entries(outcome: Reply | LivepeerError, *, is_orchestrator: bool) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(outcome, LivepeerError):
        raise outcome
    if outcome.status == 404 and is_orchestrator:
        return  # an orchestrator without Live Runner
    if not outcome.is_success:
        raise error_from_reply(outcome)
    document = outcome.json("the discovery document")
    if not isinstance(document, list):
        raise ProtocolError(f"the discovery document is no list: {outcome.body[:200]!r}", code="not_json")
    for entry in cast("list[Any]", document):
        members = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        address, runners = members.get("address"), members.get("runners")
        is_address = isinstance(address, str) and address.startswith(("http://", "https://"))
        yield (
            cast("str", address).rstrip("/") if is_address else "",
            cast("list[Any]", runners) if isinstance(runners, list) else [],
        )
