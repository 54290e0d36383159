"""Non-blocking connections: their calls never wait, so that a thread and an event loop can drive the same code."""

import socket
import ssl
from collections.abc import Iterator, Sequence

from .chunks import Buffer

_RECEIVE_BYTES = 256 * 1024
_PART_BYTES = 64 * 1024


class Connection:
    """A connection whose calls return at once."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.more = False
        """Whether another `receive` may return bytes without waiting."""

    def fileno(self) -> int:
        """Return the number by which the system knows it."""
        return self._socket.fileno()

    def send(self, buffers: Sequence[Buffer]) -> int:
        """Send what the network takes now.

        Args:
            buffers: What to send; at most 1,000 of them.

        Returns:
            How many bytes were taken: fewer than there are means that it can take no more now.

        Raises:
            OSError: The connection is broken.
        """
        try:
            return self._socket.sendmsg(buffers)
        except BlockingIOError:
            return 0

    def receive(self) -> bytes | None:
        """Return what has come: no bytes at the end, None if nothing has come yet.

        Raises:
            OSError: The connection is broken.
        """
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            self.more = False
            return None
        self.more = len(data) == _RECEIVE_BYTES
        return data

    def close(self) -> None:
        """Close it; once more does nothing."""
        self._socket.close()


class SecureConnection(Connection):
    """The same over TLS."""

    _socket: ssl.SSLSocket

    def send(self, buffers: Sequence[Buffer]) -> int:
        """Send what the network takes now."""
        sent = 0
        for part in _parts(buffers):
            try:
                sent += self._socket.send(part)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
        return sent

    def receive(self) -> bytes | None:
        """Return what has come: no bytes at the end, None if nothing has come yet."""
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self.more = False
            return None
        except ssl.SSLEOFError:
            data = b""
        self.more = bool(data)  # The system knows nothing of what TLS has taken from it already.
        return data


def _parts(buffers: Sequence[Buffer]) -> Iterator[memoryview]:
    """Cut buffers into parts of one length; the last may be shorter.

    TLS takes all of a part or none, and wants one that it did not take again, perhaps with more behind it. So how the
    bytes are cut must not depend on how they are spread over the buffers, which changes as bytes are added.
    """
    start = bytearray()
    for buffer in map(memoryview, buffers):
        at = 0
        if start:
            at = _PART_BYTES - len(start)
            start += buffer[:at]
            if len(start) < _PART_BYTES:
                continue
            yield memoryview(start)
        while len(buffer) - at >= _PART_BYTES:
            yield buffer[at : at + _PART_BYTES]
            at += _PART_BYTES
        start = bytearray(buffer[at:])
    if start:
        yield memoryview(start)
