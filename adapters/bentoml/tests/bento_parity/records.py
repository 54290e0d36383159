"""The records of the comparison: a service, its cases, their answers, and the differences that are meant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bentoml_server import Server


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response, without what is not compared and without what varies from run to run."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Sorted by name; those of one name in the order in which they came."""

    body: bytes


Ask = Callable[[Server], Sequence[Answer]]
"""Puts one question to a server, or several, and gives back the answers."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question to both servers."""

    name: str
    ask: Ask
    status: int | None = 200
    """What BentoML answers, lest a case ask for something else than it means; None if it varies."""

    items: Sequence[Any] | None = None
    """What is streamed, if this asks for a stream."""


Change = Callable[[Case, Answer], Answer]
"""Makes our answer of BentoML's."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service of `services/` and what it is asked."""

    target: str
    """As `bentoml serve` takes it."""

    cases: Sequence[Case]
    ready: str = "/readyz"
    """The path where BentoML says that it is ready."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A reason for which we answer otherwise."""

    reason: str
    cases: Mapping[str, Change]
    """The names of the cases, and what becomes of BentoML's answers there."""
