"""The records of the comparison: a model, its cases, and the differences that are meant."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cog_server import Server

Ask = Callable[[Server], Any]
"""Puts a question to a server and gives back what it answered: an `Answer`, or anything that can be compared."""


class Difference(Enum):
    """Why we do not answer as Cog does."""

    SETUP_LOGS = "Cog's words on a setup that failed are its own: ours are what the model wrote, and the traceback"
    SETUP_LINES = "Cog sometimes loses what a setup writes that ends at once: we never do"
    UNLOADABLE = (
        "Cog calls a model that cannot be loaded one whose setup failed: ours has nothing to mount, and says why"
    )
    SYNC = "Cog does not start a sync model that shall run several at once: we run one at a time"
    WORDS = "Cog's words on a body that it cannot read are its parser's: ours begin as they do"
    OUTPUT_WORDS = "Cog's words on an output without a JSON form are its encoder's: ours say what the output holds"
    TYPE_NAME = "Cog's recorder of metrics is a class of another module"
    LINES = "Cog's stdout has no writelines: ours is a whole text stream"
    LEFT_OVER = "Cog keeps a line without an end for the next prediction's logs: it is this one's"
    THREAD = "Cog loses what a thread of an async model writes: we give it to the only prediction there is"
    LOCAL_FILE = "Cog hands a string that is no URL to the model, which may open a file of the server: we refuse it"
    MISSING_FILE = "Cog answers null for a file that is not there: we fail, so that nobody pays for nothing"
    SECRET = "Cog shows a Secret that a model returns: we mask it"
    ENCODED = "Cog fails on a value that has a plain form: we encode it"
    PRECISION = "Cog rounds a large integer: we keep its digits"
    COLLECTED = "Cog collects an async generator before it sends the first chunk: we send each when it is made"
    NULL = "Cog refuses null, or calls predict without the argument: we take both for an input that is left out"
    REQUIRED = "Cog requires an input whose default is None unless it is Optional: we let it be left out"
    WRAPPED = "Cog wraps a Secret only when it is no list's item: we wrap each"
    DEAD = "Cog's server is dead once its worker crashed: ours starts another host, and answers the next call"
    EXITING = "Cog never answers, and never again, once an async predict raises a BaseException: we fail that call"
    SLOT = "Cog gives the slot back after its answer, and refuses a next caller that is quick: we do so before"
    VALIDATED = "Cog without a schema file validates nothing: we always do"
    STREAMING = "Cog streams only what its schema file says streams: we stream whatever yields"
    LISTED = "Cog streams a list if its schema file says so: the decorator leaves no mark, and a list comes at once"
    DECORATED = "Cog's server does not look at @concurrent, only at what `cog build` made of it: we read it ourselves"
    DOWNLOAD = "Cog words a failed download as its HTTP library does: ours name no more than the host"


SAME = object()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response, with all that varies from run to run taken out."""

    status: int
    body: Any
    """JSON if it is JSON, else text."""


@dataclass(frozen=True)
class Matching:
    """Equal to any text that a pattern finds itself in."""

    pattern: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.search(self.pattern, other) is not None

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, init=False)
class Either:
    """Equal to each of some values: what is left to chance."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)

    def __eq__(self, other: object) -> bool:
        return any(value == other for value in self.values)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Holding:
    """Equal to any JSON object that has these fields, whatever else it has."""

    fields: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and self.fields == {name: other.get(name) for name in self.fields}

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Some fields of a response's JSON object; the others may be as they like."""

    status: int = 200
    fields: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Answer) or not isinstance(other.body, dict):
            return False
        found = {name: other.body.get(name) for name in self.fields}
        return other.status == self.status and self.fields == found

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question, and what both servers say."""

    name: str
    ask: Ask
    cog: Any
    """What Cog answers: equal to this, or `Expected`."""

    ours: Any = SAME
    """What we answer, where that is not the same."""

    because: Difference | None = None
    """Why it is not the same."""

    since: str = "0"
    """The first Cog that answers so."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of `models/`, how it is served, and what it is asked."""

    name: str
    file: str
    target: str = ""
    """What follows the colon in the reference; nothing for a bare file."""

    cases: Sequence[Case]
    key: str = "predict"
    """The key of cog.yaml that names it."""

    yaml: Mapping[str, Any] = field(default_factory=dict)
    """More of cog.yaml."""

    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """More files of the project, by path."""

    folder: str = ""
    """Where in the project the model's file lies."""

    schema: bool = True
    """Whether Cog gets a schema file, as in an image, and validates."""

    streaming: bool = False
    """Whether that schema says that the model streams, as `@cog.streaming` makes `cog build` write."""

    wait: bool = True
    """Whether to ask only once setup has ended."""

    repeatable: bool = True
    """Whether a question gets the same answer each time."""

    since: str = "0"
    """The first Cog that can serve it."""
