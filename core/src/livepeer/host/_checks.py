"""Asking a model now and then whether it is still well."""

import asyncio
import concurrent.futures
import inspect
import logging
import threading
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from typing import NamedTuple

from livepeer.core import Capability, Checking, NotReadyError

from ._outbox import Outbox
from ._wire import NOT_READY, READY, UNWELL, pack

logger = logging.getLogger("livepeer.host")

CHECK_EVERY_SECONDS = 10.0
CHECK_LIMIT_SECONDS = 5.0
"""How long a check may take before it says that the model is unwell."""


class _Finding(NamedTuple):
    """What a check has found: a kind of frame, and why."""

    kind: int
    reason: str


_WELL = _Finding(READY, "")


@contextmanager
def checking(capability: Capability, outbox: Outbox, loop: asyncio.AbstractEventLoop | None = None) -> Generator[None]:
    """Check a capability that can be checked within the block, at once and then every ten seconds.

    Args:
        capability: What is checked.
        outbox: Takes what changes: unwell, not ready, well again.
        loop: Where the async operations run, if there are any.
    """
    if not isinstance(capability, Checking):
        yield
        return
    checks = _Checks(capability, outbox, loop)
    checks.start()
    try:
        yield
    finally:
        checks.end()


class _Checks:
    """A thread that checks, and tells the edge of what has changed."""

    def __init__(self, checked: Checking, outbox: Outbox, loop: asyncio.AbstractEventLoop | None) -> None:
        self._checked = checked
        self._outbox = outbox
        self._loop = loop
        self._every_seconds = CHECK_EVERY_SECONDS
        self._limit_seconds = CHECK_LIMIT_SECONDS
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._round = 0
        self._found = _WELL
        self._asked: concurrent.futures.Future[str | None] | None = None
        self._thread = threading.Thread(target=self._run, name="livepeer-check", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop checking. A check that hangs is left alone."""
        with self._lock:
            self._over.set()
        if self._asked is not None:
            self._asked.cancel()
        if self._loop is None:
            self._thread.join(self._limit_seconds)

    def _run(self) -> None:
        while not self._over.is_set():
            limit = threading.Timer(self._limit_seconds, self._give_up, (self._round,))
            limit.daemon = True
            limit.start()
            found = self._check()
            limit.cancel()
            with self._lock:
                self._round += 1
                self._tell(found)
            self._over.wait(self._every_seconds)

    def _check(self) -> _Finding:
        try:
            said = self._checked.check()
            reason = self._await(said) if inspect.isawaitable(said) else said
            return _WELL if reason is None else _Finding(UNWELL, str(reason))
        except concurrent.futures.CancelledError:
            return self._found
        except NotReadyError as error:
            return _Finding(NOT_READY, error.detail)
        except BaseException as error:  # noqa: BLE001 - somebody's own code: raising says the same as a reason
            return _Finding(UNWELL, f"{type(error).__name__}: {error}")

    def _await(self, said: Awaitable[str | None]) -> str | None:
        async def answer() -> str | None:
            return await said

        # A coroutine itself where it is one: inside of another that never begins it would never be awaited.
        asked = said if inspect.iscoroutine(said) else answer()
        if self._loop is None:
            return asyncio.run(asked)
        with self._lock:
            if self._over.is_set():
                asked.close()  # the loop may run nothing any more
                raise concurrent.futures.CancelledError
            self._asked = asyncio.run_coroutine_threadsafe(asked, self._loop)
        return self._asked.result()

    def _give_up(self, round: int) -> None:
        with self._lock:
            if self._round == round:
                self._tell(_Finding(UNWELL, f"check() has not answered within {self._limit_seconds:g} s"))

    def _tell(self, found: _Finding) -> None:
        if found == self._found or self._over.is_set():
            return
        self._found = found
        if found.kind == READY:
            logger.info("the model is well again")
        elif found.kind == NOT_READY:
            logger.warning("the model is not ready: %s", found.reason)
        else:
            logger.error("the model is unwell: %s", found.reason)
        self._outbox.post(pack(found.kind, 0, found.reason.encode()))
