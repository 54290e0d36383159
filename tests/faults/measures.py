"""What an edge and its host hold: slots, processes, sockets, descriptors, threads, memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
import psutil

from .edge import Edge

TOLERANCES = {
    "edge sockets": 2,  # its way to the orchestrator, and that of the last call
    "edge descriptors": 6,  # those two, and the four files for large bodies that it keeps
    "edge threads": 1,  # asyncio's own, for what blocks
    "host threads": 1,
}
"""How many more there may be than before; of anything else none."""

MEMORY_MIB = 8
"""How much more each process may hold after as many callers have warmed it up.

After a thousand callers that is 8 KiB for each: an exchange with its task and its buffers would be more.
"""

SETTLE_SECONDS = 10
"""How long idle connections may take to end."""

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """How much of each there is."""

    counts: dict[str, int]
    memory_mib: dict[str, float]
    """Resident memory, by process."""

    def leaks(self, before: "Holdings") -> list[str]:
        """What there is more of than before, beyond its tolerance."""
        return [
            f"{name} {before.counts[name]} to {count}"
            for name, count in self.counts.items()
            if count > before.counts[name] + TOLERANCES.get(name, 0)
        ]

    def growth(self, before: "Holdings") -> list[str]:
        """Which process holds more memory than before, beyond what is tolerated."""
        grown = {name: mib - before.memory_mib[name] for name, mib in self.memory_mib.items()}
        return [f"{name} memory +{mib:.0f} MiB" for name, mib in grown.items() if mib > MEMORY_MIB]


async def measure(edge: Edge, **more: int) -> Holdings:
    """Look at an edge and its host, and add what somebody else has counted."""
    health = await edge.health()
    process, _, host, *_ = family = edge.family
    return Holdings(
        counts={
            "slots": health["slots"]["in_use"],
            "processes": len(family),
            **_held_by("edge", process),
            **_held_by("host", host),
            **more,
        },
        memory_mib={"edge": process.memory_info().rss / _MIB, "host": host.memory_info().rss / _MIB},
    )


async def find_leaks(look: Callable[[], Awaitable[Holdings]], before: Holdings) -> list[str]:
    """Say what is still held beyond what was held before, once it had its time to go."""
    after = await look()
    with anyio.move_on_after(SETTLE_SECONDS):
        while after.leaks(before):
            await anyio.sleep(0.1)
            after = await look()
    return after.leaks(before) + after.growth(before)


def _held_by(name: str, process: psutil.Process) -> dict[str, int]:
    return {
        f"{name} sockets": len(process.net_connections()),
        f"{name} descriptors": process.num_fds(),
        f"{name} threads": process.num_threads(),
    }
