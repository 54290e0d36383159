"""Asking a model's own `healthcheck()`."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

LIMIT_SECONDS = 5.0


async def check_health(model: Any, loop: asyncio.AbstractEventLoop | None) -> str | None:
    """What is wrong with a model, in Cog's words; None if nothing is, or it has no `healthcheck()`.

    Args:
        model: The object that may have one.
        loop: Where the model's async code runs; None if it has none.
    """
    healthcheck = getattr(model, "healthcheck", None)
    if healthcheck is None:
        return None
    if inspect.iscoroutinefunction(healthcheck) and loop is not None:
        asked = asyncio.run_coroutine_threadsafe(_ask_async(healthcheck), loop)
    else:
        asked = _ask_on_a_thread(healthcheck)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(asked), LIMIT_SECONDS)
    except TimeoutError:
        return f"Healthcheck failed: user-defined healthcheck timed out after {LIMIT_SECONDS:.1f} seconds"


async def _ask_async(healthcheck: Callable[[], Awaitable[Any]]) -> str | None:
    try:
        return _judge(await healthcheck())
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - somebody's own code, SystemExit too
        return _failure(error)


def _ask_on_a_thread(healthcheck: Callable[[], Any]) -> Future[str | None]:
    """Ask on a thread of its own: one that hangs holds up nobody."""
    asked: Future[str | None] = Future()

    def ask() -> None:
        try:
            said = healthcheck()
            reason = _judge(asyncio.run(said) if inspect.iscoroutine(said) else said)
        except BaseException as error:  # noqa: BLE001 - somebody's own code, SystemExit too
            reason = _failure(error)
        if asked.set_running_or_notify_cancel():
            asked.set_result(reason)

    threading.Thread(target=ask, name="livepeer-cog-healthcheck", daemon=True).start()
    return asked


def _judge(said: Any) -> str | None:
    """Only False itself is ill: a model that says nothing is well."""
    return "Healthcheck failed: user-defined healthcheck returned False" if said is False else None


def _failure(error: BaseException) -> str:
    return f"Healthcheck failed: {type(error).__name__}: {error}"
