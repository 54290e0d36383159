"""The models that the dashboard's tests serve: a form of every kind, and an answer of every kind."""

import base64
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pipelines import Gate
from pydantic import BaseModel, Field

from livepeer.runner import Call, MediaType, Pipeline

MARKUP = "<img src=x onerror=\"document.title='broken in'\">"


class Size(BaseModel):
    """How large."""

    width: int = Field(ge=1)
    height: int = Field(default=4, ge=1)


class Every(Pipeline):
    """Takes a field of every kind."""

    name = "every"
    version = "1.2.3"
    description = f"Says {MARKUP}"
    capacity = 2

    def predict(
        self,
        prompt: Annotated[str, Field(min_length=2, description=f"What to say: {MARKUP}")],
        size: Size,
        label: str = "plain",
        style: Literal["oil", "ink"] = "oil",
        steps: Annotated[int, Field(ge=1, le=50)] = 20,
        seed: int | None = None,
        safe: bool = True,
        reference: bytes = b"",
        source: Annotated[str, Field(json_schema_extra={"format": "uri"})] = "",
    ) -> dict[str, Any]:
        """Say what arrived."""
        return {
            "prompt": prompt,
            "width": size.width,
            "label": label,
            "style": style,
            "steps": steps,
            "seed": seed,
            "safe": safe,
            "reference": list(reference),
            "source": source,
        }


class Painter(Pipeline):
    """Answers with a picture, in the way that is asked for."""

    capacity = 2

    def predict(self, width: int = 3) -> Annotated[bytes, MediaType("image/png")]:
        return picture(width, 2)


class Kept(Pipeline):
    """Keeps its pictures where callers in the field look for them."""

    capacity = 2

    def predict(self, key: Literal["images", "image", "data", "answer"] = "images") -> dict[str, Any]:
        encoded = base64.b64encode(picture(5, 2)).decode()
        url = f"data:image/png;base64,{encoded}"
        found: dict[str, Any] = {
            "images": [{"url": url}],
            "image": {"url": url},
            "data": [{"b64_json": encoded}],
            "answer": MARKUP,
        }
        return {key: found[key]}


class Steps(Pipeline):
    """Streams a word whenever it is told to."""

    capacity = 2

    def predict(self, gate: str, count: int, call: Call) -> Iterator[str]:
        try:
            for number in range(count):
                while not Gate(f"{gate}-{number}").has("go"):
                    call.raise_if_cancelled()
                    time.sleep(0.005)
                yield f"word{number} [DONE] "
        finally:
            Gate(gate).mark("closed")


def picture(width: int, height: int) -> bytes:
    """A green PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x0f\x9d\x63" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
