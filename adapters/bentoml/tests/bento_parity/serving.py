"""A service's two servers: started ahead of their cases, and ended after the last."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bentoml_server import Server, start_bentoml, start_ours

from .records import Answer, Case, Service

PROJECT = Path(__file__).with_name("services")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Both servers of one service."""

    bentoml: Server
    ours: Server

    def ask(self, case: Case) -> tuple[list[Answer], list[Answer]]:
        """What BentoML answers and what we do. Both are asked at once, since some answers take long."""
        with ThreadPoolExecutor(1) as executor:
            asked = executor.submit(case.ask, self.bentoml)
            ours = case.ask(self.ours)
            return list(asked.result()), list(ours)


class Pairs:
    """Starts the servers of services in the order in which they will be asked for.

    Args:
        services: All that will be asked for, in this order.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._order = list(services)
        self._executor = ThreadPoolExecutor(4)
        self._starting: dict[str, tuple[Future[Server], Future[Server]]] = {}

    def take(self, service: Service) -> Pair:
        """The servers of one service; those before are ended, and those of the next are started meanwhile."""
        place = self._order.index(service)
        for each in self._order[:place]:
            self._end(each)
        for each in self._order[place : place + 2]:
            self._start(each)
        bentoml, ours = self._starting[service.target]
        return Pair(bentoml=bentoml.result(), ours=ours.result())

    def close(self) -> None:
        """End all that was started."""
        for service in self._order:
            self._end(service)
        self._executor.shutdown()

    def _start(self, service: Service) -> None:
        if service.target not in self._starting:
            self._starting[service.target] = (
                self._executor.submit(start_bentoml, service.target, PROJECT, ready=service.ready),
                self._executor.submit(start_ours, service.target, PROJECT),
            )

    def _end(self, service: Service) -> None:
        for starting in self._starting.pop(service.target, ()):
            if starting.exception() is None:
                starting.result().stop()
