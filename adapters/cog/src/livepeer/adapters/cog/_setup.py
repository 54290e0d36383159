"""Getting a model ready, as Cog does."""

import asyncio
import inspect
import logging
import os
import threading
import traceback
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from livepeer.core import Call

from ._interruption import Interruption
from ._scope import Scope

logger = logging.getLogger("livepeer.adapters.cog")


class SetupTimeoutError(Exception):
    """Raised when `setup()` took longer than `COG_SETUP_TIMEOUT`."""


class _TimedOut(BaseException):
    """Comes up in a `setup()` that takes too long."""


class SetupState:
    """How far a model's setup has come."""

    def __init__(self) -> None:
        self.status: Literal["starting", "ready", "failed"] = "starting"
        self.started_at: datetime | None = None
        self.completed_at: datetime | None = None
        self.scope = Scope(call=Call())
        # What a model tells Cog's own scope in its setup is ignored, odd names of metrics too.
        self.scope.shown = None

    @property
    def logs(self) -> str:
        """What it wrote."""
        return self.scope.logs

    @contextmanager
    def running(self) -> Generator[None]:
        """Within the block, setup runs; an error that leaves it is a setup that failed."""
        if self.started_at is None:
            self.started_at = datetime.now(UTC)
        try:
            with self.scope.active():
                yield
        except BaseException as error:
            self.fail("".join(traceback.format_exception(error)))
            raise

    def complete(self) -> None:
        """It went well."""
        if self.status == "starting":
            self.status, self.completed_at = "ready", datetime.now(UTC)

    def fail(self, why: str) -> None:
        """It did not."""
        if self.status == "starting":
            self.scope.write("stderr", why if why.endswith("\n") else why + "\n")
            self.status, self.completed_at = "failed", datetime.now(UTC)


def set_up(model: Any, state: SetupState) -> Awaitable[None] | None:
    """Run a model's `setup()`, if it has one; what is left to await of an async one.

    Raises:
        SetupTimeoutError: If it took longer than `COG_SETUP_TIMEOUT`, and could be stopped.
    """
    setup = getattr(model, "setup", None)
    if setup is None:
        return None
    arguments = (os.environ.get("COG_WEIGHTS") or None,) if "weights" in inspect.signature(setup).parameters else ()
    limit = _limit_seconds()
    if inspect.iscoroutinefunction(setup):
        return _await(setup(*arguments), limit)
    _run_limited(lambda: setup(*arguments), limit, state)
    return None


async def _await(setup: Awaitable[None], limit: float | None) -> None:
    timeout = asyncio.timeout(limit)
    try:
        async with timeout:
            await setup
    except TimeoutError as error:
        if timeout.expired():
            raise _timeout_error(limit) from error
        raise


def _run_limited(setup: Callable[[], Any], limit: float | None, state: SetupState) -> None:
    if limit is None:
        setup()
        return
    interruption = Interruption(_TimedOut)

    def give_up() -> None:
        # Said at once: a C call in setup is not interrupted before it returns.
        state.fail(str(_timeout_error(limit)))
        interruption.interrupt()

    timer = threading.Timer(limit, give_up)
    timer.daemon = True
    timer.start()
    try:
        with interruption:
            setup()
    except _TimedOut:
        pass
    finally:
        timer.cancel()
    if interruption.asked:
        raise _timeout_error(limit)


def _timeout_error(limit: float | None) -> SetupTimeoutError:
    return SetupTimeoutError(f"setup() timed out after {limit:g} seconds (COG_SETUP_TIMEOUT)")


def _limit_seconds() -> float | None:
    text = os.environ.get("COG_SETUP_TIMEOUT", "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) == 0:
        logger.warning("COG_SETUP_TIMEOUT=%r is no number of seconds; setup() may take as long as it likes", text)
        return None
    return float(text)
