"""Streams made-up text, word by word: a language model in miniature, with nothing to download."""

import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from livepeer.runner import Pipeline, serve

CORPUS = Path(__file__).with_name("corpus.txt")
SECONDS_PER_TOKEN = 0.02  # about the pace of a real model of moderate size

Context = tuple[str, ...]


def tokens_of(text: str) -> list[str]:
    """Words and punctuation marks, each with the space before it."""
    return re.findall(r"\s?[\w']+|\s?[^\w\s]", " ".join(text.split()))


def context_of(tokens: list[str], end: int, size: int) -> Context:
    """What the token at `end` depends on: the `size` tokens before it, without their case and spaces."""
    return tuple(token.strip().lower() for token in tokens[end - size : end])


class LlmChat(Pipeline):
    """Continues a prompt with made-up text, a token at a time."""

    version = "1.0.0"
    capacity = 4

    def setup(self) -> None:
        """Count which token follows which two, one, or none."""
        self.followers: defaultdict[Context, Counter[str]] = defaultdict(Counter)
        tokens = tokens_of(CORPUS.read_text(encoding="utf-8"))
        for place, token in enumerate(tokens):
            for size in range(min(2, place) + 1):
                self.followers[context_of(tokens, place, size)][token] += 1

    async def predict(
        self,
        prompt: str,
        max_tokens: Annotated[int, Field(ge=1, le=512)] = 60,
        temperature: Annotated[float, Field(gt=0, le=2)] = 0.8,
        seed: int | None = None,
    ) -> AsyncIterator[str]:
        """Continue `prompt` by up to `max_tokens` tokens; the same `seed` gives the same text."""
        chance = random.Random(seed)
        tokens = tokens_of(prompt)
        for _ in range(max_tokens):
            token = self.next_token(tokens, temperature, chance)
            tokens.append(token)
            yield token
            await asyncio.sleep(SECONDS_PER_TOKEN)

    def next_token(self, tokens: list[str], temperature: float, chance: random.Random) -> str:
        """Draw from what followed the longest context that the corpus knows."""
        end = len(tokens)
        contexts = (context_of(tokens, end, size) for size in range(min(2, end), -1, -1))
        found = next(self.followers[context] for context in contexts if context in self.followers)
        weights = [count ** (1 / temperature) for count in found.values()]
        return chance.choices(list(found), weights)[0]


if __name__ == "__main__":
    serve(LlmChat)
