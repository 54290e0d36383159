"""Calling a pipeline's hooks on the stream's thread, whether they are sync or async."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from typing import Any

from livepeer.core import Call

_END: Any = object()


class Hooks:
    """Calls hooks, one at a time, for the thread that it is used on.

    Args:
        call: The request that began the stream: what hooks print carries its id.
    """

    def __init__(self, call: Call) -> None:
        self._request = call
        self._loop = asyncio.get_running_loop()
        self._awaited: Future[Any] | None = None
        self._is_cancelled = False

    def call(self, hook: Callable[..., Any], *arguments: Any) -> Any:
        """Call a hook, and wait for what it returns if that is awaitable."""
        try:
            with self._request.running():
                result = hook(*arguments)
                return self._wait_for(result) if inspect.isawaitable(result) else result
        except Exception:  # The pipeline's own code: whoever called the hook reports it.
            raise
        except BaseException as error:  # SystemExit ends no thread of ours, nor the loop.
            raise RuntimeError(f"the hook raised {type(error).__name__}") from error

    def iterate(self, hook: Callable[[], Any]) -> Generator[Any]:
        """Go through what a hook yields, sync or async; closed with this iterator."""
        items = self.call(hook)
        if not hasattr(items, "__anext__") and not hasattr(items, "__next__"):
            raise TypeError(f"{getattr(hook, '__name__', hook)} has to yield frames, not to return {items!r}")
        step, end = (anext, "aclose") if hasattr(items, "__anext__") else (next, "close")
        close = getattr(items, end, None)
        try:
            while (item := self.call(step, items, _END)) is not _END:
                yield item
        finally:
            if close is not None:
                self.call(close)

    def cancel(self) -> None:
        """Cancel an async hook that is being awaited, and let none be awaited any more. Any thread may."""
        self._is_cancelled = True
        if self._awaited is not None:
            self._awaited.cancel()

    def _wait_for(self, result: Awaitable[Any]) -> Any:
        self._awaited = asyncio.run_coroutine_threadsafe(_finish(result), self._loop)
        if self._is_cancelled:
            self._awaited.cancel()
        return self._awaited.result()


async def _finish(result: Awaitable[Any]) -> Any:
    try:
        return await result
    except (SystemExit, KeyboardInterrupt) as error:  # They would end the host's loop.
        raise RuntimeError(f"the hook raised {type(error).__name__}") from error
