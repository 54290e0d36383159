"""The GET that waits for the next segment, and the connections of a subscription (trickle, table 1, row 12)."""

import logging
import ssl

from livepeer.trickle._errors import ProtocolError, TrickleError, UnreachableError
from livepeer.trickle._wire.sockets import Connection
from livepeer.trickle._wire.urls import ChannelUrl

from .fetches import Fetch, Fetches
from .patience import Patience
from .sequence import Progress

logger = logging.getLogger("livepeer.trickle")


class Lookout:
    """Keeps a GET of the next segment waiting at the server, over a connection that was used before.

    Args:
        url: Of the channel.
        fetches: Makes the GETs.
        progress: Says what to ask for.
        refresh_seconds: How long a GET waits in silence before it is made again.
        retry_seconds: How long the server may be out of reach, once it was reached.
        waits: Whether it may be out of reach so long at the start too.
    """

    def __init__(
        self,
        url: ChannelUrl,
        *,
        fetches: Fetches,
        progress: Progress,
        refresh_seconds: float,
        retry_seconds: float,
        waits: bool,
    ) -> None:
        self.fetch: Fetch | None = None
        """The GET that waits, or has its answer."""

        self.failure: TrickleError | None = None
        """Why nothing is asked any more."""

        self.troubled = False
        """Whether the server was lost since its last answer about the channel."""

        self.refreshes = 0
        """How often a GET was made again because it was silent."""

        self.reconnections = 0
        """How often a connection broke, or none could be opened."""

        self._url = url
        self._fetches = fetches
        self._progress = progress
        self._refresh_seconds = refresh_seconds
        self._reaching = Patience(retry_seconds)
        self._bears_absence = waits
        self._ask_at = 0.0
        self._spares: list[Connection] = []
        self._spare_refused = False
        self._stopped = False

    def keep(self, now: float) -> None:
        """Ask for the next segment if nothing is asked, and once more if the answer is overdue.

        A server that has fallen silent cannot be told from a channel that is. It keeps a segment from its first byte,
        so that nothing is lost between two requests for the same number.
        """
        if self._stopped or now < self._ask_at:
            return
        if self.fetch is not None:
            # The answer may have come meanwhile: looking for it is the last thing before its request is dropped.
            if not self._overdue(now) or not self._has_spare() or self.look(now):
                return
            self._drop()
        while self.fetch is None and now >= self._ask_at and not self._stopped and self._has_spare():
            self._ask(self._spares.pop(), now)

    def look(self, now: float) -> bool:
        """See whether the answer has come."""
        if self.fetch is None:
            return False
        try:
            return self.fetch.look(now)
        except ProtocolError as error:
            self.fail(error)
        except OSError as error:
            self.lose(error, now)
        return False

    def take(self) -> Fetch | None:
        """Return the GET; it is no more for this to look after."""
        fetch, self.fetch = self.fetch, None
        return fetch

    def give_back(self, fetch: Fetch) -> None:
        """Take a GET whose answer is read; keep its connection if it can be used again."""
        if fetch.answer.reusable and not self._stopped:
            self._spares.append(fetch.connection)
        else:
            fetch.connection.close()

    def pause(self, until: float) -> None:
        """Ask nothing until then."""
        self._ask_at = until

    def answered(self) -> None:
        """Take it that the server answers."""
        self._reaching.renew()

    def lose(self, error: Exception, now: float) -> None:
        """Take it that the server was not reached, or that the connection to it broke."""
        fetch = self.take()
        if fetch is not None:
            fetch.connection.close()
            if now - fetch.asked_at >= self._refresh_seconds / 2:
                self._reaching.renew()  # The server was there all the while.
        self.troubled = True
        self.reconnections += 1
        logger.info("lost %s: %s", self._url.text, error)
        if not self._reaching.lasts(now):
            detail = f"the connection to {self._url.text} breaks again and again: {error}"
            self.fail(error if isinstance(error, UnreachableError) else UnreachableError(detail))
        self._ask_at = self._reaching.retry_at

    def fail(self, error: TrickleError) -> None:
        """Ask nothing any more, for this reason."""
        self.failure = error
        self.stop()

    def stop(self) -> None:
        """Ask nothing any more, and close the connections."""
        self._stopped = True
        if fetch := self.take():
            fetch.connection.close()
        while self._spares:
            self._spares.pop().close()

    def wants_connection(self, now: float, *, spare: bool) -> bool:
        """Whether a connection should be opened before anything is waited for.

        Args:
            now: The time.
            spare: Whether to have one ready for when the GET is answered.
        """
        if self._stopped or self._spares or now < self._ask_at:
            return False
        return self.fetch is None or self._overdue(now) or (spare and not self._spare_refused)

    def connected(self, connection: Connection) -> None:
        """Take a connection."""
        self._bears_absence = True
        self._spares.append(connection)

    def unconnected(self, error: UnreachableError, now: float) -> None:
        """Take it that no connection could be opened."""
        if not self._bears_absence or isinstance(error.__cause__, ssl.SSLCertVerificationError):
            self.fail(error)  # The URL is mistaken, or nobody trusts the server more the next time.
        elif self.fetch is None or self._overdue(now):
            self.lose(error, now)
        else:
            self._spare_refused = True  # It can do without one until the GET is answered.

    def watch(self, now: float) -> tuple[list[Connection], float | None]:
        """Return the connections to wait for, and for how many seconds at most."""
        if self._stopped:
            return [], None
        if self.fetch is None:
            return [], max(0.0, self._ask_at - now)
        if self.fetch.come:
            return [], None
        overdue_at = self.fetch.asked_at + self._refresh_seconds
        return [self.fetch.connection], max(0.0, overdue_at - now, self._ask_at - now)

    def _overdue(self, now: float) -> bool:
        fetch = self.fetch
        return fetch is not None and not fetch.come and now - fetch.asked_at >= self._refresh_seconds

    def _has_spare(self) -> bool:
        """Whether there is a connection that the server has not closed since its last answer."""
        while self._spares:
            try:
                if self._spares[-1].receive() is None:
                    return True
            except OSError:
                pass
            self._spares.pop().close()
        return False

    def _ask(self, connection: Connection, now: float) -> None:
        self._spare_refused = False
        self.fetch = self._fetches.begin(connection, self._progress.ask, now)
        try:
            self.fetch.send()
        except OSError as error:
            self.lose(error, now)

    def _drop(self) -> None:
        if fetch := self.take():
            logger.debug("%s is silent; asking again", self._url.text)
            fetch.connection.close()
            self.refreshes += 1
            self._progress.waited()
