"""Inputs that are files, and secrets."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Optional

from cog import BasePredictor, File, Input, Path, Secret


def told(path: object) -> dict:
    if not isinstance(path, PurePath):
        return {"type": type(path).__name__, "value": path}
    return {
        "type": type(path).__name__,
        "suffix": path.suffix,
        "name_ends": path.name[len("tmp") :][8:],
        "text": path.read_text(),
    }


class PathIn(BasePredictor):
    def predict(self, path: Path = Input(description="Any file")) -> dict:
        return told(path)


class FileIn(BasePredictor):
    def predict(self, file: File) -> dict:
        data = file.read()
        return {"type": type(data).__name__, "text": data.decode()}


class PathList(BasePredictor):
    def predict(self, paths: list[Path]) -> list:
        return [told(path) for path in paths]


class FileList(BasePredictor):
    def predict(self, files: list[File]) -> list:
        return [file.read().decode() for file in files]


class OptionalPath(BasePredictor):
    def predict(
        self,
        image: Path = Input(default=None),
        mask: Optional[Path] = Input(default=None),  # noqa: UP045
        more: list[Path] | None = None,
    ) -> dict:
        return {"image": told(image), "mask": told(mask), "more": told(more)}


class TextUrl(BasePredictor):
    def predict(self, url: str, urls: list[str] = Input(default=[])) -> list:
        return [type(url).__name__, url, urls]


class Kept(BasePredictor):
    """Reads its file before each item; the next call sees whether it is still there."""

    def setup(self) -> None:
        self.last: list = []

    def predict(self, path: Path) -> Iterator[str]:
        yield "gone" if not any(PurePath(last) and Path(last).exists() for last in self.last) else "there"
        self.last.append(str(path))
        for _ in range(3):
            yield path.read_text()


class Secrets(BasePredictor):
    def predict(self, key: Secret, other: Secret | None = Input(default=None)) -> dict:
        return {
            "type": type(key).__name__,
            "shown": f"{key} {key!r}",
            "value": key.get_secret_value(),
            "other": None if other is None else other.get_secret_value(),
        }


class SecretList(BasePredictor):
    def predict(self, keys: list[Secret]) -> list:
        return [type(key).__name__ for key in keys]
