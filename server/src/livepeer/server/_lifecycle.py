"""From the first byte of the target to the last call: what state the server is in, and why."""

import logging
from collections.abc import Callable

from livepeer.core import Description, HealthState

from ._advice import advice
from ._options import ServerOptions
from ._sessions import Sessions
from ._slots import Slots
from ._worker import Worker, WorkerState

logger = logging.getLogger("livepeer.server")


class Lifecycle:
    """What the routes and the registrar may know of the worker.

    Args:
        worker: What holds the model.
        options: The server's.
    """

    def __init__(self, worker: Worker, options: ServerOptions) -> None:
        self.worker = worker
        self.options = options
        self.slots: list[Slots] = []
        self.sessions = Sessions()
        self.draining = False
        self.running = 0
        """How many calls and mount requests are under way, those that nobody waits for any more included."""
        self._listeners: list[Callable[[], None]] = []
        self._described: Description | None = None

    @property
    def description(self) -> Description | None:
        """What is served, as last described; None until the target has been imported once."""
        return self._described

    @property
    def offered(self) -> Slots:
        """The slots of what is offered to a network: the sessions if it is live, else the default operation."""
        live = self._described is not None and self._described.live is not None
        return self.slots[-1 if live else 0]

    @property
    def pools(self) -> list[Slots]:
        """The slots of all operations, each once."""
        return list(dict.fromkeys(self.slots))

    @property
    def ready(self) -> bool:
        """Whether a call would be taken, if a slot is free."""
        return self.worker.state is WorkerState.READY and not self.draining

    @property
    def state(self) -> HealthState:
        """What `/health` says."""
        match self.worker.state:
            case WorkerState.READY:
                return HealthState.OK if self.running else HealthState.IDLE
            case WorkerState.FAILED:
                return HealthState.ERROR
            case WorkerState.LOADING | WorkerState.STOPPED:
                return HealthState.LOADING

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change of state, and when the last running call has ended."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Begin to load."""
        await self.worker.start(self._on_worker_change)

    def call_begins(self) -> None:
        """Count a call in."""
        self.running += 1

    def call_ended(self) -> None:
        """Count a call out, when its work has really ended."""
        self.running -= 1
        if not self.running:
            self.changed()

    def changed(self) -> None:
        """Tell whoever listens."""
        for listener in self._listeners:
            listener()

    def _on_worker_change(self) -> None:
        description = self.worker.description
        if description is not None and description is not self._described:
            if self._described is None or self._described != description:
                self.slots = self._make_slots(description)
                for sentence in advice(description):
                    logger.warning("%s", sentence)
            self._described = description
        self.changed()

    def _make_slots(self, description: Description) -> list[Slots]:
        """Slots for each operation, the same ones for those of one pool, and then those of live sessions."""
        pools: dict[str, Slots] = {}
        found: list[Slots] = []
        for item in description.operations:
            slots = Slots(item.capacity, self.options.queue_size)
            found.append(slots if item.pool is None else pools.setdefault(item.pool, slots))
        if description.live is not None:
            found.append(Slots(description.live.capacity))
        return found
