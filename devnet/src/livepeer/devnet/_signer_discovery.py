"""What a remote signer tells of the orchestrators that it knows (Live Runner, contract section 7)."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import httpx2

from ._fields import as_object, list_field, object_field, text_field

_ANSWER_SECONDS = 2.0
_TRUSTED = 1.0
_WEI_UNITS = ("seconds", "720p-pixel-seconds", "fixed")


@dataclass(frozen=True, kw_only=True)
class FoundOrchestrator:
    """An orchestrator with runners that can be paid."""

    address: str
    """Its base URL, as it says itself."""

    runners: list[dict[str, object]]
    """Its runners with a price, as it lists them."""

    @property
    def capabilities(self) -> list[str]:
        """The apps of its runners, in alphabetical order."""
        return sorted({text_field(runner, "app") for runner in self.runners})

    def to_document(self) -> dict[str, object]:
        """Return it as it travels."""
        return {
            "address": self.address,
            "score": _TRUSTED,
            "capabilities": self.capabilities,
            "runners": self.runners,
        }


async def find_runners(client: httpx2.AsyncClient, urls: Sequence[str]) -> list[FoundOrchestrator]:
    """Ask all orchestrators at once; those that are down, or have no runner with a price, are left out."""
    found: dict[str, list[FoundOrchestrator]] = {url: [] for url in urls}

    async def ask(url: str) -> None:
        with anyio.move_on_after(_ANSWER_SECONDS):
            try:
                response = await client.get(f"{url}/discovery")
                found[url] = _payable(response.json()) if response.status_code == 200 else []
            except (httpx2.RequestError, ValueError):
                return

    async with anyio.create_task_group() as tasks:
        for url in urls:
            tasks.start_soon(ask, url)
    return [orchestrator for url in urls for orchestrator in found[url]]


def _payable(document: object) -> list[FoundOrchestrator]:
    entries = [as_object(entry, "an entry") for entry in list_field({"entries": document}, "entries")]
    found: list[FoundOrchestrator] = []
    for entry in entries:
        runners = [as_object(runner, "a runner") for runner in list_field(entry, "runners")]
        runners = [runner for runner in runners if _has_price(runner)]
        if runners:
            found.append(FoundOrchestrator(address=text_field(entry, "address"), runners=runners))
    return found


def _has_price(runner: dict[str, object]) -> bool:
    return text_field(object_field(runner, "price_info"), "unit") in _WEI_UNITS
