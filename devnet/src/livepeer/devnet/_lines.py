"""What each hop makes of an SSE stream's bytes (BYOC contract, section 4); no input or output here."""

from abc import ABC, abstractmethod

MAX_LINE_BYTES = 65_535
"""The longest line that passes: go-livepeer's scanner holds 65,536 bytes, the newline included."""

_DONE = b"[DONE]"
_BALANCE = b'data: {"balance": 0.000}\n\n\n'


class LineRelay(ABC):
    """Passes whole lines, each ended by a newline; a line that is too long ends it, and is lost."""

    def __init__(self) -> None:
        self.ended = False
        """Whether nothing more is relayed, whatever still arrives."""
        self._rest: list[bytes] = []
        self._rest_bytes = 0

    def feed(self, chunk: bytes) -> bytes:
        """Take what has arrived and return what to send on at once."""
        head, newline, tail = chunk.rpartition(b"\n")
        lines = self._complete(head) if newline else []
        self._rest.append(tail)
        self._rest_bytes += len(tail)
        if self._rest_bytes > MAX_LINE_BYTES:
            self.ended = True
        return self._pass(lines) if lines else b""

    def finish(self) -> bytes:
        """Return what is left at the end of the stream: a last line without its newline."""
        if self.ended or not self._rest_bytes:
            return b""
        return self._pass(self._complete(b""))

    def _complete(self, head: bytes) -> list[bytes]:
        """Return the lines that end with these bytes."""
        lines = b"".join([*self._rest, head]).split(b"\n")
        self._rest.clear()
        self._rest_bytes = 0
        return self._cut_at_long_line(lines) if max(map(len, lines)) > MAX_LINE_BYTES else lines

    def _cut_at_long_line(self, lines: list[bytes]) -> list[bytes]:
        self.ended = True
        return lines[: next(at for at, line in enumerate(lines) if len(line) > MAX_LINE_BYTES)]

    def _pass(self, lines: list[bytes]) -> bytes:
        block = b"\n".join(lines) + b"\n"
        block = block.replace(b"\r\n", b"\n") if b"\r" in block else block
        return self._edit(block) if _DONE in block else block

    @abstractmethod
    def _edit(self, block: bytes) -> bytes:
        """Return what becomes of lines of which at least one contains `[DONE]`."""


class OrchestratorLines(LineRelay):
    """The orchestrator's hop: puts the balance before each line that contains `[DONE]`, and goes on."""

    def _edit(self, block: bytes) -> bytes:
        lines = block[:-1].split(b"\n")
        return b"".join(_BALANCE * (_DONE in line) + line + b"\n" for line in lines)


class GatewayLines(LineRelay):
    """The gateway's hop: the first line that contains `[DONE]` is the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.done = False
        """Whether that line has passed."""

    def _edit(self, block: bytes) -> bytes:
        self.ended = self.done = True
        return block[: block.index(b"\n", block.index(_DONE)) + 1]
