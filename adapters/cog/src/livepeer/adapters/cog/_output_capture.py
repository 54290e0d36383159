"""What models write: passed on as ever, and told to the scope that it belongs to."""

import sys
import threading
from collections.abc import Iterable
from typing import Any, TextIO, cast

from ._scope import Source, find_scope


class Tee:
    """A text stream in the place of `sys.stdout` or `sys.stderr`, which scopes listen to.

    Args:
        source: Which of the two it stands for.
        original: Where everything is passed on to.
    """

    def __init__(self, source: Source, original: TextIO) -> None:
        self._source: Source = source
        self.original = original

    def write(self, text: str, /) -> int:
        """Pass `text` on, and tell the scope."""
        written = self.original.write(text)
        scope = find_scope()
        if scope is not None:
            scope.write(self._source, text)
        return written

    def writelines(self, lines: Iterable[str], /) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the original; the scope hears what has not ended its line, too."""
        self.original.flush()
        scope = find_scope()
        if scope is not None:
            scope.flush(self._source)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class OutputCapture:
    """Has this process's text streams tell the scopes while anybody needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._tees: dict[Source, Tee] = {}

    def install(self) -> None:
        """Put the tees in place; every call wants one `remove()`."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._put("stdout")
                self._put("stderr")

    def remove(self) -> None:
        """Put the originals back once nobody needs the tees any more."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                for source, tee in self._tees.items():
                    # Somebody may have put another stream there meanwhile: that stays.
                    if getattr(sys, source) is tee:
                        setattr(sys, source, tee.original)

    def _put(self, source: Source) -> None:
        original = cast("TextIO", getattr(sys, source))
        tee = self._tees.get(source)
        # The same tee again for the same stream: logging handlers of before still write to it.
        if tee is None or tee.original is not original:
            tee = self._tees[source] = Tee(source, original)
        setattr(sys, source, tee)
