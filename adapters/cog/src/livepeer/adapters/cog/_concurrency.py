"""How many predictions run at once."""

import logging
import os
import threading

from ._reference import Handler

logger = logging.getLogger("livepeer.adapters.cog")


class Permits:
    """How many predictions may still begin; one pool for all faces.

    Args:
        most: How many may run at once.
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._free = most

    @property
    def free(self) -> int:
        """How many more may begin now."""
        return self._free

    def take(self) -> bool:
        """Take one, from any thread; False if there is none."""
        with self._lock:
            if self._free == 0:
                return False
            self._free -= 1
            return True

    def give_back(self) -> None:
        """Give back one that was taken."""
        with self._lock:
            self._free += 1


def concurrency_of(handler: Handler, most: int | None, *, is_async: bool) -> int:
    """As Cog decides it: the environment, else cog.yaml, else the decorator, else one."""
    text = os.environ.get("COG_MAX_CONCURRENCY", "").strip()
    if text and not (text.isdecimal() and int(text) > 0):
        logger.warning("COG_MAX_CONCURRENCY=%r is no number of predictions and is ignored", text)
        text = ""
    wanted = int(text) if text else most or getattr(handler.predict, "__cog_concurrent_max__", 1)
    if wanted > 1 and not is_async:
        logger.warning("%s is not async: its predictions run one at a time, not %d at once", handler.name, wanted)
        return 1
    return wanted
