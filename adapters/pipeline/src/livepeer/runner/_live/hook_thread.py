"""The thread of a stream without media."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class HookThread:
    """Runs the hooks of a stream that has no media; used as a `MediaTransform` is."""

    stats = None

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="livepeer-stream", daemon=True)

    def start(self) -> None:
        """Begin, with what was posted already."""
        self._thread.start()

    def post(self, work: Callable[[], None]) -> None:
        """Have `work` run, after what was posted before."""
        self._work.put(work)

    def stop(self, timeout_seconds: float = 5.0) -> bool:
        """End it after what was posted, and wait for that; whether it has ended."""
        self._work.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
