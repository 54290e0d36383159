"""Finds the texts that are most like a question: two services written for BentoML, as BentoML runs them."""

import zlib

import bentoml
import numpy as np
from pydantic import BaseModel, Field

WIDTH = 256


class Match(BaseModel):
    """One text, and how much it is like the question."""

    text: str
    score: float = Field(ge=0, le=1)


class Ranking(BaseModel):
    """The texts that were found, best first."""

    matches: list[Match]


@bentoml.service
class Embedder:
    """Makes vectors of texts: those of many callers in one batch."""

    @bentoml.api(batchable=True, max_batch_size=64)
    def embed(self, texts: list[str]) -> np.ndarray:
        """A unit vector a text, of the pieces of three letters in it."""
        found = np.zeros((len(texts), WIDTH))
        for row, text in enumerate(texts):
            padded = f"  {text.casefold()} "
            for start in range(len(padded) - 2):
                found[row, zlib.crc32(padded[start : start + 3].encode()) % WIDTH] += 1
        return found / np.linalg.norm(found, axis=1, keepdims=True)


@bentoml.service(traffic={"timeout": 30, "max_concurrency": 32})
class Search:
    """Ranks texts by how much they are like a question."""

    embedder = bentoml.depends(Embedder)

    @bentoml.api
    async def rank(
        self,
        question: str,
        texts: list[str] = Field(min_length=1, description="What to search"),
        most: int = Field(default=3, ge=1, description="How many to give back"),
    ) -> Ranking:
        """The texts that are most like the question, best first."""
        vectors = await self.embedder.to_async.embed([question, *texts])
        scores = np.clip(vectors[1:] @ vectors[0], 0, 1)
        best = np.argsort(-scores, kind="stable")[:most]
        return Ranking(matches=[Match(text=texts[place], score=round(float(scores[place]), 3)) for place in best])
