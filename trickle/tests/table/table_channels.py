"""A channel of a server under test, spoken to over bare connections."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from .table_wire import Answer, Wire


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel's name at a server, and the connections opened for it."""

    base: str
    name: str
    wires: ExitStack

    def path(self, seq: int | str | None = None) -> str:
        """The path of the channel, or of something in it."""
        return self.name if seq is None else f"{self.name}/{seq}"

    def sibling(self, name: str) -> "Channel":
        """Another channel of the same server."""
        return replace(self, name=name)

    def dial(self) -> Wire:
        """Open a connection, closed at the test's end at the latest."""
        return self.wires.enter_context(Wire(base=self.base))

    def ask(self, method: str, seq: int | str | None = None, body: bytes = b"", headers: Iterable[str] = ()) -> Answer:
        """Ask on a connection of its own, and read the whole answer."""
        with Wire(base=self.base) as wire:
            wire.send(method, self.path(seq), body, headers)
            return wire.read()

    def create(self, content_type: str = "video/mp2t") -> None:
        """Create the channel."""
        assert self.ask("POST", headers=[f"Expect-Content: {content_type}"]).status == 200

    def publish(self, seq: int, body: bytes) -> None:
        """Publish a whole segment."""
        assert self.ask("POST", seq, body).status == 200

    def publish_all(self, *seqs: int) -> None:
        """Publish whole segments, each of one byte."""
        for number in seqs:
            self.publish(number, b"x")

    def next_seq(self) -> int:
        """The number that is written next, the table's N."""
        answer = self.ask("GET", "next")
        assert answer.status == 200
        return int(answer.body)

    def waiting(self, seq: int | str) -> Wire:
        """A GET that waits at the server for the segment's first byte."""
        wire = self.dial()
        wire.send("GET", self.path(seq))
        assert wire.stays_silent()
        return wire

    def preconnected(self, seq: int | str, headers: Iterable[str] = ()) -> Wire:
        """A POST whose head is at the server, and none of its body."""
        wire = self.dial()
        wire.preconnect(self.path(seq), headers)
        assert wire.stays_silent()
        return wire

    def writing(self, seq: int | str, data: bytes, headers: Iterable[str] = ()) -> Wire:
        """A POST of which `data` is at the server, and that goes on."""
        wire = self.preconnected(seq, headers)
        wire.send_chunk(data)
        assert self.reading(seq, data)
        return wire

    def reading(self, seq: int | str, data: bytes) -> Wire:
        """A GET that has read `data`, the beginning of an open segment."""
        wire = self.dial()
        wire.send("GET", self.path(seq))
        assert wire.read_head().status == 200
        received = b""
        while len(received) < len(data):
            received += wire.read_chunk()
        assert received == data
        return wire
