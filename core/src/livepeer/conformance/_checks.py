"""How a fact is checked: functions by the fact's id, and how one says what it expected and what it saw."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from livepeer.core import LivepeerError

TrialT = TypeVar("TrialT")
"""What one check works with."""

_SECONDS = 30.0


class UnexpectedError(LivepeerError):
    """Raised when something is not as a fact says; tells what was expected and what was seen."""


class SkippedError(LivepeerError):
    """Raised when a fact cannot be checked here; tells why."""


@dataclass(frozen=True, kw_only=True)
class Check(Generic[TrialT]):
    """How one fact is checked."""

    function: Callable[[TrialT], Awaitable[None]]
    needs: frozenset[Enum]
    """Without any of these there is nothing to check."""

    seconds: float
    """How long it may take."""

    alone: bool
    """Whether it disturbs every other check, and so runs when they are done."""


class Checks(Generic[TrialT]):
    """The checks of one module, by the ids of their facts; the module calls it `check`, and decorates with it."""

    def __init__(self) -> None:
        self._by_id: dict[str, Check[TrialT]] = {}

    def __call__(
        self, fact_id: str, *, needs: Enum | Collection[Enum] = (), seconds: float = _SECONDS, alone: bool = False
    ) -> Callable[[Callable[[TrialT], Awaitable[None]]], Callable[[TrialT], Awaitable[None]]]:
        """Take the decorated function for the check of a fact.

        Args:
            fact_id: The fact's id.
            needs: What must be there for it.
            seconds: How long it may take.
            alone: Whether it disturbs every other check.

        Raises:
            ValueError: The fact has a check already.
        """

        def register(function: Callable[[TrialT], Awaitable[None]]) -> Callable[[TrialT], Awaitable[None]]:
            if fact_id in self._by_id:
                raise ValueError(f"{fact_id} has a check already")
            parts = frozenset([needs] if isinstance(needs, Enum) else needs)
            self._by_id[fact_id] = Check(function=function, needs=parts, seconds=seconds, alone=alone)
            return function

        return register

    @classmethod
    def merged(cls, parts: Iterable["Checks[TrialT]"]) -> Mapping[str, Check[TrialT]]:
        """The checks of several modules, by id.

        Raises:
            ValueError: A fact has two.
        """
        found: dict[str, Check[TrialT]] = {}
        for part in parts:
            if twice := found.keys() & part._by_id.keys():
                raise ValueError(f"{', '.join(twice)} has a check already")
            found |= part._by_id
        return found


def expect(what: str, seen: object, expected: object) -> None:
    """Compare.

    Raises:
        UnexpectedError: They differ.
    """
    if seen != expected:
        raise UnexpectedError(f"{what}: expected {_brief(expected)}, saw {_brief(seen)}")


def expect_that(holds: bool, expected: str, seen: object = "") -> None:
    """Make sure of a condition.

    Args:
        holds: The condition.
        expected: What it says, in words.
        seen: What was seen instead.

    Raises:
        UnexpectedError: It does not hold.
    """
    if not holds:
        raise UnexpectedError(f"expected {expected}" + (f", saw {_brief(seen)}" if seen != "" else ""))


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:200]}... ({len(text)} characters)"
