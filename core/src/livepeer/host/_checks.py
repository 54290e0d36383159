"""Asking a model now and then whether it is still well."""

import asyncio
import concurrent.futures
import inspect
import logging
import threading
from collections.abc import Awaitable, Generator
from contextlib import contextmanager

from livepeer.core import Capability, Checking

from ._outbox import Outbox
from ._wire import READY, UNWELL, pack

logger = logging.getLogger("livepeer.host")

CHECK_EVERY_SECONDS = 10.0
CHECK_LIMIT_SECONDS = 5.0
"""How long a check may take before it says that the model is unwell."""


@contextmanager
def checking(capability: Capability, outbox: Outbox, loop: asyncio.AbstractEventLoop | None = None) -> Generator[None]:
    """Check a capability that can be checked within the block, at once and then every ten seconds.

    Args:
        capability: What is checked.
        outbox: Takes what changes: unwell, well again.
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
        self._reason: str | None = None
        self._asked: concurrent.futures.Future[str | None] | None = None
        self._thread = threading.Thread(target=self._run, name="livepeer-check", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop checking. A check that hangs is left alone."""
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
            reason = self._check()
            limit.cancel()
            with self._lock:
                self._round += 1
                self._tell(reason)
            self._over.wait(self._every_seconds)

    def _check(self) -> str | None:
        try:
            said = self._checked.check()
            found = self._await(said) if inspect.isawaitable(said) else said
            return None if found is None else str(found)
        except concurrent.futures.CancelledError:
            return self._reason
        except BaseException as error:  # noqa: BLE001 - somebody's own code: raising says the same as a reason
            return f"{type(error).__name__}: {error}"

    def _await(self, said: Awaitable[str | None]) -> str | None:
        async def answer() -> str | None:
            return await said

        if self._loop is None:
            return asyncio.run(answer())
        self._asked = asyncio.run_coroutine_threadsafe(answer(), self._loop)
        return self._asked.result()

    def _give_up(self, round: int) -> None:
        with self._lock:
            if self._round == round:
                self._tell(f"check() has not answered within {self._limit_seconds:g} s")

    def _tell(self, reason: str | None) -> None:
        if reason == self._reason or self._over.is_set():
            return
        self._reason = reason
        if reason is None:
            logger.info("the model is well again")
            self._outbox.post(pack(READY, 0, b""))
        else:
            logger.error("the model is unwell: %s", reason)
            self._outbox.post(pack(UNWELL, 0, reason.encode()))
