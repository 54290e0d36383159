"""Plain inputs: what arrives for each annotation, with and without defaults and limits."""

from typing import Optional, Union

from cog import BasePredictor, Input


def seen(*values: object) -> str:
    return " ".join(f"{type(value).__name__}:{value!r}" for value in values)


class Scalars(BasePredictor):
    def predict(self, text: str, count: int, ratio: float, flag: bool) -> str:
        return seen(text, count, ratio, flag)


class Defaults(BasePredictor):
    def predict(
        self,
        text: str = Input(default="hello", description="What to say"),
        count: int = 3,
        ratio: float = Input(default=0.5),
        flag: bool = Input(default=False, description="Say it?"),
        names: list[str] = Input(default=["a", "b"]),
    ) -> str:
        return seen(text, count, ratio, flag, names)


class Limits(BasePredictor):
    def predict(
        self,
        count: int = Input(default=5, ge=1, le=10),
        ratio: float = Input(default=0.5, ge=0.0, le=1.0),
        word: str = Input(default="abc", min_length=2, max_length=5),
        code: str = Input(default="A1", regex="^[A-Z][0-9]$"),
        size: str = Input(default="small", choices=["small", "large"]),
        steps: int = Input(default=10, choices=[10, 20, 50]),
        old: str = Input(default="", deprecated=True),
    ) -> str:
        return seen(count, ratio, word, code, size, steps, old)


class Optionals(BasePredictor):
    def predict(
        self,
        first: Optional[str],  # noqa: UP045
        second: int | None = None,
        third: Optional[float] = Input(default=None, ge=0),  # noqa: UP045
        fourth: bool | None = Input(description="Perhaps"),
    ) -> str:
        return seen(first, second, third, fourth)


class NoneDefault(BasePredictor):
    def predict(self, text: str = Input(default=None), count: int = None) -> str:  # noqa: RUF013
        return seen(text, count)


class Unions(BasePredictor):
    def predict(
        self,
        number_or_text: int | str,
        real_or_flag: Union[float, bool] = Input(default=True),  # noqa: UP007
        text_or_list: str | list[str] = Input(default="one"),
    ) -> str:
        return seen(number_or_text, real_or_flag, text_or_list)
