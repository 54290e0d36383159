"""Apis of files and pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Optional

import bentoml
from bentoml.validators import ContentType
from PIL.Image import Image
from PIL.Image import new as new_image

MODIFIED = 1_700_000_000
"""When each file says that it was written: headers tell it."""


class Files:
    """Files and pictures, in and out."""

    @bentoml.api
    def file_size(self, file: Path) -> dict[str, Any]:
        return {"suffix": file.suffix, "size": len(file.read_bytes())}

    @bentoml.api
    def file_sound(self, sound: Annotated[Path, ContentType("audio/*")]) -> int:
        return len(sound.read_bytes())

    @bentoml.api
    def file_several(self, files: list[Path]) -> list[int]:
        return [len(file.read_bytes()) for file in files]

    @bentoml.api
    def file_mixed(
        self, file: Path, count: int, tags: list[str] | None = None, options: dict[str, Any] | None = None
    ) -> Any:
        return {"size": len(file.read_bytes()), "count": count, "tags": tags, "options": options}

    @bentoml.api
    def file_root(self, file: Path, /) -> int:
        return len(file.read_bytes())

    @bentoml.api
    def file_text(self, ctx: bentoml.Context, name: str = "page.txt", text: str = "written") -> Path:
        return written(ctx, name, text.encode())

    @bentoml.api
    def file_typed(self, ctx: bentoml.Context, name: str = "blob") -> Annotated[Path, ContentType("audio/mp3")]:
        return written(ctx, name, b"sound")

    @bentoml.api
    def file_list(self, ctx: bentoml.Context) -> list[Path]:
        return [written(ctx, "a.txt", b"a")]

    @bentoml.api
    def image_size(self, image: Image) -> dict[str, Any]:
        return {"size": image.size, "mode": image.mode, "format": image.format}

    @bentoml.api
    def image_turned(self, image: Image) -> Image:
        return image.rotate(90, expand=True)

    @bentoml.api
    def image_kept(self, image: Image) -> Image:
        return image

    @bentoml.api
    def image_root(self, image: Image, /) -> str:
        return f"{image.size}"

    @bentoml.api
    def image_typed(self, image: Annotated[Image, ContentType("image/jpeg")]) -> str:
        return f"{image.format}"

    @bentoml.api
    def image_several(self, images: list[Image], factor: float = 1.0) -> list[list[float]]:
        return [[side * factor for side in image.size] for image in images]

    @bentoml.api
    def image_optional(self, image: Optional[Image] = None) -> str:  # noqa: UP045 - BentoML does not know it as a union
        return "none" if image is None else f"{image.size}"

    @bentoml.api
    def image_made(self, width: int = 2) -> Image:
        return new_image("RGB", (width, 1), "red")


def written(ctx: bentoml.Context, name: str, content: bytes) -> Path:
    path = Path(ctx.temp_dir) / name
    path.write_bytes(content)
    os.utime(path, (MODIFIED, MODIFIED))
    return path
