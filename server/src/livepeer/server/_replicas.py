"""The same model several times, each in a process of its own, as one worker."""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import anyio

from livepeer.core import BusyError, Description, NotReadyError

from ._connection import Request
from ._exchange import Exchange
from ._mount_exchange import MountExchange, MountRequest
from ._process_worker import ProcessWorker
from ._worker import Worker, WorkerState

REPLICA = "LIVEPEER_REPLICA"
"""In a replica's environment: its number, from 0 on."""

_DEVICES = "CUDA_VISIBLE_DEVICES"


class ReplicatedWorker:
    """Several workers that serve the same target; a call goes to the one with the least to do.

    One that dies leaves its calls to the others until it is back. Mounted applications, which may keep something
    between two requests, are the first replica's that can take them.

    Args:
        replicas: At least one.
    """

    def __init__(self, replicas: Sequence[Worker]) -> None:
        self._replicas = tuple(replicas)
        self._running: tuple[Counter[int | str], ...] = tuple(Counter() for _ in replicas)
        """How many calls each replica runs, by operation, or by pool."""
        self._asked: dict[str, Worker] = {}
        """Which replica runs a request."""
        self._places: dict[Exchange, Worker] = {}
        """Which replica runs a call: ids are the callers' to choose, and two may be the same."""
        self._base: Description | None = None
        self._description: Description | None = None
        self._turns = itertools.count()

    @property
    def state(self) -> WorkerState:
        """READY as soon as one replica is; FAILED when all have."""
        states = {replica.state for replica in self._replicas}
        if WorkerState.READY in states:
            return WorkerState.READY
        return states.pop() if len(states) == 1 else WorkerState.LOADING

    @property
    def reason(self) -> str | None:
        """Why a replica is not ready, if none is."""
        if self.state is WorkerState.READY:
            return None
        return next((replica.reason for replica in self._replicas if replica.reason is not None), None)

    @property
    def description(self) -> Description | None:
        """What one replica serves, with the capacity of all of them."""
        base = next((replica.description for replica in self._replicas if replica.description is not None), None)
        if base is not None and base is not self._base:
            self._base = base
            operations = tuple(
                operation.model_copy(update={"capacity": operation.capacity * len(self._replicas)})
                for operation in base.operations
            )
            live = base.live
            if live is not None:
                live = live.model_copy(update={"capacity": live.capacity * len(self._replicas)})
            found = base.model_copy(update={"operations": operations, "live": live})
            # A server looks at a new one: the same again is not new.
            self._description = self._description if found == self._description else found
        return self._description

    @property
    def log_tail(self) -> Sequence[str]:
        """The last lines of every replica, one replica after the other."""
        return [line for replica in self._replicas for line in replica.log_tail]

    async def start(self, on_change: Callable[[], None]) -> None:
        """Begin to load every replica, and return at once."""
        for replica in self._replicas:
            await replica.start(on_change)

    def call(self, request: Request, on_end: Callable[[], None]) -> Exchange:
        """Send a call to the ready replica that runs the fewest, in turn where several do.

        Raises:
            NotReadyError: If none is ready.
            BusyError: If those that are ready run as much as they can: another one is away.
        """
        if request.beside is not None:
            return self._beside(request, on_end)
        key, most = self._pool(request.operation)
        ready = [index for index, replica in enumerate(self._replicas) if replica.state is WorkerState.READY]
        if not ready:
            raise _released(request, NotReadyError(self.reason or "the model is loading", retry_after_seconds=1))
        turn = next(self._turns)
        ready = ready[turn % len(ready) :] + ready[: turn % len(ready)]
        index = min(ready, key=lambda each: (self._running[each][key], self._running[each].total()))
        running, replica = self._running[index], self._replicas[index]
        if running[key] >= most:
            raise _released(request, BusyError("the replicas that are ready have no slot", retry_after_seconds=1))
        request_id = request.id.decode("latin-1")

        def ended() -> None:
            running[key] -= 1
            self._asked.pop(request_id, None)
            self._places.pop(exchange, None)
            on_end()

        running[key] += 1
        self._asked[request_id] = replica
        exchange = replica.call(request, ended)
        self._places[exchange] = replica
        return exchange

    def mount(self, request: MountRequest, on_end: Callable[[], None]) -> MountExchange:
        """Send a request to the first replica that can take it.

        Raises:
            NotReadyError: If none can.
        """
        for replica in self._replicas[:-1]:
            try:
                return replica.mount(request, on_end)
            except NotReadyError:
                continue
        return self._replicas[-1].mount(request, on_end)

    def end_stuck(self, request_id: str) -> bool:
        """End the replica that runs a call."""
        replica = self._asked.get(request_id)
        return replica is not None and replica.end_stuck(request_id)

    async def stop(self, *, grace_seconds: float) -> None:
        """Stop every replica, all at once."""
        async with anyio.create_task_group() as tasks:
            for replica in self._replicas:
                tasks.start_soon(lambda replica=replica: replica.stop(grace_seconds=grace_seconds))

    def _beside(self, request: Request, on_end: Callable[[], None]) -> Exchange:
        """Send a call to where another one runs."""
        assert request.beside is not None
        replica = self._places.get(request.beside)
        if replica is None:
            raise _released(request, NotReadyError("what this call belongs to has ended"))
        return replica.call(request, on_end)

    def _pool(self, index: int) -> tuple[int | str, int]:
        """Under what an operation's calls are counted, and how many of them one replica runs."""
        operations = self._base.operations if self._base is not None else ()
        if index >= len(operations):
            return index, 1 if self._base is None or self._base.live is None else self._base.live.capacity
        pool = operations[index].pool
        if pool is None:
            return index, operations[index].capacity
        return pool, next(operation.capacity for operation in operations if operation.pool == pool)


def replicate(count: int, make: Callable[[dict[str, str]], ProcessWorker], environment: Mapping[str, str]) -> Worker:
    """A worker of several processes, each with its number and its share of the devices in the environment.

    The devices that `CUDA_VISIBLE_DEVICES` lists are dealt out; where it lists fewer than there are replicas, or
    is not set, each replica sees what there is.

    Args:
        count: How many.
        make: Makes one, with these variables on top of this process's own.
        environment: Variables for each of them.
    """
    devices = [each for each in environment.get(_DEVICES, os.environ.get(_DEVICES, "")).split(",") if each.strip()]
    shares: list[dict[str, str]] = [{} for _ in range(count)]
    if len(devices) >= count:
        shares = [{_DEVICES: ",".join(devices[number::count])} for number in range(count)]
    return ReplicatedWorker(
        [make({**environment, REPLICA: str(number), **share}) for number, share in enumerate(shares)]
    )


def _released(request: Request, error: NotReadyError | BusyError) -> NotReadyError | BusyError:
    """The error, once nobody needs the request's body any more."""
    if request.shared is not None:
        request.shared.release()
    return error
