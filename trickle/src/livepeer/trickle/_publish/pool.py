"""The connections of a publisher, and one descriptor that tells when any of them has something to do."""

from functools import cached_property
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

from livepeer.trickle._wire.sockets import Connection

from .links import Link


class Pool:
    """Open connections, all watched together."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        """The connections that are open."""

    @cached_property
    def _selector(self) -> DefaultSelector:
        return DefaultSelector()  # Not before it is needed, for it is a file that somebody has to close.

    def fileno(self) -> int:
        """Return a descriptor that can be read when one of the connections is ready."""
        return self._selector.fileno()

    def add(self, connection: Connection) -> Link:
        """Take a new connection."""
        link = Link(connection)
        self._selector.register(connection, EVENT_READ, link)
        self.links.append(link)
        return link

    def retire(self, link: Link) -> None:
        """Close a connection."""
        self.links.remove(link)
        self._selector.unregister(link.connection)
        link.connection.close()

    def watch(self) -> None:
        """Watch from now on for what each connection waits for."""
        for link in self.links:
            if link.blocked is not link.watched:
                link.watched = link.blocked
                self._selector.modify(link.connection, EVENT_READ | EVENT_WRITE * link.blocked, link)

    def select(self, seconds: float) -> list[Link]:
        """Wait until something has come on a connection, or the network takes bytes again.

        Args:
            seconds: How long at most; 0 for not at all.

        Returns:
            The connections on which something has come, that of the newest segment first.
        """
        readable: list[Link] = []
        for key, events in self._selector.select(seconds):
            link: Link = key.data
            if events & EVENT_WRITE:
                link.blocked, link.waits_since = False, None
            if events & EVENT_READ:
                readable.append(link)
        return sorted(readable, key=_newest_first) if len(readable) > 1 else readable

    def close(self) -> None:
        """Close all of them, and take no more."""
        for link in list(self.links):
            self.retire(link)
        selector = self.__dict__.pop("_selector", None)
        if selector is not None:
            selector.close()


def _newest_first(link: Link) -> int:
    return 0 if link.seq is None else -link.seq
