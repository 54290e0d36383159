"""Inputs of each kind; every predict gives back what it got."""

from __future__ import annotations

import enum
import functools
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, List, Literal, Optional, TypedDict, Union  # noqa: UP035

from cog import BasePredictor, File, Input, Path, Secret

if TYPE_CHECKING:
    from nowhere import Elsewhere


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Point(TypedDict):
    x: int


class Shape:
    pass


class Plain(BasePredictor):
    """Takes one of each."""

    def predict(
        self,
        text: str,
        count: int = Input(default=3, ge=1, le=5, description="How many"),
        ratio: float = Input(default=0.5, ge=0.0),
        flag: bool = False,
        size: str = Input(default="small", choices=["small", "large"]),
        code: str = Input(default="A", regex="^[A-Z]+$", min_length=1, max_length=3, deprecated=True),
        words: List[str] = Input(default=["a"]),  # noqa: UP006
    ) -> dict:
        return {"text": text, "count": count, "ratio": ratio, "flag": flag, "size": size, "code": code, "words": words}


class Maybe(BasePredictor):
    def predict(
        self,
        optional: Optional[str],  # noqa: UP045
        described: Optional[int] = Input(description="Perhaps"),  # noqa: UP045
        none: str = Input(default=None),
        first: str = Input(None, description="None, without its name"),
        plain: int = None,  # noqa: RUF013
        required: str = Input(description="Has no default"),
    ) -> list:
        return [optional, described, none, first, plain, required]


class More(BasePredictor):
    """What Cog itself refuses."""

    def predict(
        self,
        mood: Mood = Mood.GOOD,
        level: Literal[1, 2] = 1,
        grid: list[list[int]] = Input(default=[[1]]),
        row: tuple[int, ...] = (1,),
        kinds: set[str] = Input(default=None),
        holes: list[Optional[int]] = Input(default=[]),  # noqa: UP045
        anything=None,
    ) -> dict:
        return {
            "mood": repr(mood),
            "level": level,
            "grid": grid,
            "row": repr(row),
            "kinds": kinds and sorted(kinds),
            "holes": holes,
            "anything": anything,
        }


class Unions(BasePredictor):
    def predict(
        self,
        either: Union[int, str],  # noqa: UP007
        perhaps: Union[int, list[str], None] = None,  # noqa: UP007
        point: Point = Input(default={"x": 1}),
        noted: Annotated[int, "a note"] = 1,
    ) -> list:
        return [either, perhaps, point, noted]


class NoneFirst(BasePredictor):
    def predict(self, either: Union[None, int, str], many: Union[None, list[Point]] = None) -> list:  # noqa: RUF036, UP007
        return [either, many]


class Files(BasePredictor):
    def predict(
        self,
        path: Path,
        file: File = Input(default=None),
        paths: list[Path] = Input(default=[]),
        standard: pathlib.Path = Input(default="https://example.com/a.png"),
        local: Path = Input(default="/etc/hostname"),
    ) -> dict:
        return {
            "path": [type(path).__name__, path.name, path.read_text()],
            "file": None if file is None else file.read().decode(),
            "paths": [each.read_text() for each in paths],
            "standard": str(standard),
            "folder": str(path.parent),
        }


class Secrets(BasePredictor):
    def predict(
        self,
        key: Secret,
        keys: list[Secret] = Input(default=[]),
        known: Secret = Input(default=Secret("hidden")),
        text: Secret = Input(default="hidden"),
        absent: Secret = Input(default=None),
        short: Secret = Input(default=None, max_length=3),
    ) -> list:
        return [key.get_secret_value(), [each.get_secret_value() for each in keys], absent]


class Kept(BasePredictor):
    """Warms up by calling itself."""

    def setup(self) -> None:
        self.warm = self.predict("warm")

    def predict(self, text: str, times: int = Input(default=2, ge=1)) -> list:
        return [text * times, getattr(self, "warm", None)]


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def around(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return around


class Decorated(BasePredictor):
    @decorated
    def predict(self, text: str = Input(default="x"), *others: int, **more: int) -> str:
        return text


class Unresolved(BasePredictor):
    """What it returns means nothing at run time."""

    def predict(self, text: str = "x") -> Elsewhere:
        return text


class OddRegex(BasePredictor):
    def predict(self, text: str = Input(default="a", regex="(?P<name>a)(?P=name)?")) -> str:
        return text


class UnresolvedInput(BasePredictor):
    def predict(self, thing: Elsewhere) -> str:
        return ""


class Unknown(BasePredictor):
    def predict(self, thing: Shape) -> str:
        return ""


class PathOrText(BasePredictor):
    def predict(self, thing: Union[Path, str]) -> str:  # noqa: UP007
        return ""


class Pair(BasePredictor):
    def predict(self, thing: tuple[int, str]) -> str:
        return ""


class Positional(BasePredictor):
    def predict(self, thing: int, /) -> str:
        return ""
