"""Things that are Cog's, and things that are not."""

from cog import BasePredictor, Input, Path

try:
    from cog import BaseRunner
except ImportError:  # before Cog 0.20
    BaseRunner = BasePredictor


class Derived(BasePredictor):
    def predict(self, text: str) -> str:
        return f"derived {text}"


class New(BaseRunner):
    def run(self, text: str) -> str:
        return f"new {text}"


class Inheriting(Derived):
    pass


class Later:
    """What stands after Cog's base is not asked."""

    def run(self, text: str) -> str:
        return "later"


class Mixed(BasePredictor, Later):
    def predict(self, text: str) -> str:
        return f"mixed {text}"


class WithInput:
    def predict(self, text: str = Input(default="d")) -> str:
        return f"with input {text}"


class WithPath:
    def run(self, file: "Path | None" = None) -> str:
        return f"with path {file}"


class WithOutput:
    def predict(self, text: str) -> list[Path]:
        return []


class Static(BasePredictor):
    @staticmethod
    def predict(text: str) -> str:
        return f"static {text}"


class Plain:
    def predict(self, text: str) -> str:
        return text


class Native:
    def predict(self, text: str = Input(default="d")) -> str:
        return text


# As a native pipeline's base would be: what derives from it has an adapter of its own.
Native.__module__ = "livepeer.runner._pipeline"


class NativeChild(Native):
    pass


class Both(BaseRunner):
    def run(self, text: str) -> str:
        return ""

    def predict(self, text: str) -> str:
        return ""


class Neither(BasePredictor):
    pass


class Demanding(BasePredictor):
    def __init__(self, size: int) -> None:
        self.size = size

    def predict(self, text: str) -> str:
        return ""


def function(text: str = Input(default="d")) -> str:
    return f"function {text}"


def plain_function(text: str) -> str:
    return text


def odd(text: str, /) -> "Path":
    return Path(text)


instance = Derived()
number = 7
