"""Moves a publication's bytes over its connections, and knows the deadlines; it never waits."""

from livepeer.trickle._errors import ProtocolError, UnreachableError
from livepeer.trickle._outcomes import LostReason

from .links import Link
from .pool import Pool
from .posts import Post
from .publication import Publication
from .requests import Requests

_LONGEST_WAIT_SECONDS = 3600.0
"""What systems and event loops can wait for; some cannot wait for ever."""

_MAX_LINKS = 4
"""Three segments that have bytes on the wire, and one that has a head."""


class Sender:
    """Sends a publication.

    Args:
        publication: What is sent.
        requests: Makes the requests.
        stall_seconds: How long the server may neither read nor answer.
    """

    def __init__(self, publication: Publication, requests: Requests, *, stall_seconds: float) -> None:
        self.pool = Pool()
        """The connections."""

        self._publication = publication
        self._requests = requests
        self._stall_seconds = stall_seconds
        self._carriers: dict[int, Link] = {}
        self._lacks_link = False

    @property
    def wants_link(self) -> bool:
        """Whether one more connection is to be opened."""
        free = len(self.pool.links) < _MAX_LINKS and not self._publication.trouble.active
        return self._lacks_link and free and self._publication.failure is None

    @property
    def done(self) -> bool:
        """Whether nothing is under way."""
        publication = self._publication
        return publication.settled and not publication.errands and not any(link.errand for link in self.pool.links)

    def pump(self, now: float) -> None:
        """Send what may be sent, as far as the network takes it: the oldest segment first."""
        publication = self._publication
        self._lacks_link = False
        if publication.errands and not publication.trouble.active:
            self._run_errands(now)
        in_order = True
        for post in publication.window.reach():
            if publication.failure is not None:
                self.retire_all()
                return
            if not (post.begun or self._can_begin(post)):
                break
            link = self._carriers.get(post.seq)
            if link is not None and not link.blocked:
                carries = in_order and publication.window.carries(post.seq)
                self._transmit(link, post if carries else None, now)
            in_order = in_order and post.begun
        if publication.failure is not None:
            self.retire_all()
        self.pool.watch()

    def collect(self, now: float, seconds: float = 0.0) -> None:
        """Read what has come, after waiting for it for some time."""
        for link in self.pool.select(seconds):
            self.receive(link, now)

    def receive(self, link: Link, now: float) -> None:
        """Read what has come on a connection."""
        if link not in self.pool.links:
            return
        try:
            while (data := link.connection.receive()) is not None:
                if link.answer is None:
                    self.retire(link)  # The server closes an idle connection.
                    return
                link.feed(data)
                if link.errand is not None:
                    link.waits_since = now
                if link.answer.done:
                    self._finish(link, now)
                    return
                if not link.connection.more:
                    return
        except OSError as error:
            self._break(link, UnreachableError(f"the connection broke: {error}"), now)
        except ProtocolError as error:
            self._break(link, error, now)

    def expire(self, now: float) -> None:
        """Give up what made no progress for too long."""
        self._publication.say_dropped(now)
        for link in list(self.pool.links):
            if link.waits_since is None or now - link.waits_since < self._stall_seconds:
                continue
            seq, errand = link.seq, link.errand
            self.retire(link)
            if errand is not None:
                self._publication.unchecked(errand, "stalled", "the server did not say whether it kept it")
            elif seq is not None:
                self._publication.stalled(seq, self._stall_seconds, now)

    def seconds_left(self, now: float) -> float:
        """Return when `expire` is to be called next; new reasons for it arise no sooner."""
        since = [link.waits_since for link in self.pool.links if link.waits_since is not None]
        return min(max(0.0, min(since, default=now) + self._stall_seconds - now), _LONGEST_WAIT_SECONDS)

    def abort(self, post: Post, reason: LostReason, detail: str) -> None:
        """Give a segment up; of one that has not begun, the next uses the head."""
        link = self._carriers.get(post.seq)
        if link is not None and post.begun:
            self.retire(link)
        self._publication.abort(post, reason, detail)

    def make_room(self, now: float) -> None:
        """Drop the oldest segments until no more bytes wait than may."""
        while not self._publication.has_room(0):
            victim = self._publication.victim()
            if victim is None:
                break
            self.abort(victim, "dropped", "newer segments took its place while the network was slow")
        self._publication.say_dropped(now)

    def resume(self, next_seq: int, *, fresh: bool, now: float) -> None:
        """Go on where the server says; see Publication.resume."""
        if self._publication.resume(next_seq, fresh=fresh, now=now):
            self.retire_all()
        self._retire_strays()

    def finish(self) -> None:
        """Begin no more segments; the head of the next is taken back (trickle, table 1, row 23)."""
        self._publication.finish()
        self._retire_strays()

    def retire(self, link: Link) -> None:
        """Use a connection no more."""
        self._detach(link)
        self.pool.retire(link)

    def retire_all(self) -> None:
        """Use none of the connections any more."""
        for link in list(self.pool.links):
            self.retire(link)

    def _retire_strays(self) -> None:
        window = self._publication.window
        for link in list(self.pool.links):
            if link.seq is not None and window.find(link.seq) is None:
                self.retire(link)

    def _run_errands(self, now: float) -> None:
        errands = self._publication.errands
        while errands and (link := self._idle_link()):
            errand = errands.popleft()
            link.carry(self._requests.errand(errand), errand=errand)
            self._transmit(link, None, now)

    def _can_begin(self, post: Post) -> bool:
        """Put the head of a segment on a connection, if none has it yet, and if that may be."""
        if self._publication.trouble.active:
            return False
        if post.seq not in self._carriers and (link := self._idle_link()) is not None:
            first = post.seq == self._publication.first_seq
            link.carry(self._requests.post(post.seq, first=first), seq=post.seq)
            self._carriers[post.seq] = link
        return post.seq in self._carriers

    def _idle_link(self) -> Link | None:
        for link in list(self.pool.links):
            if link.answer is None:
                self.receive(link, 0.0)  # The server may have closed it.
                if link in self.pool.links:
                    return link
        self._lacks_link = True
        return None

    def _transmit(self, link: Link, post: Post | None, now: float) -> None:
        """Send what is left of a head, and of `post`, if its bytes may be on the wire."""
        while link.head or (post is not None and post.unsent):
            try:
                taken = link.send(post.outgoing() if post is not None else [])
            except OSError as error:
                self._break_on_sending(link, error, now)
                return
            if taken and post is not None:
                self._publication.took(post, taken, now)
            link.waits_since = now if taken else link.waits_since
            if link.blocked:
                link.waits_since = link.waits_since or now
                return
        if post is not None:
            link.waits_since = (link.waits_since or now) if post.whole else None
        elif link.errand is not None:
            link.waits_since = link.waits_since or now

    def _finish(self, link: Link, now: float) -> None:
        answer, seq, errand, text, count = link.answer, link.seq, link.errand, link.text, link.body_bytes
        assert answer is not None
        post = None if seq is None else self._publication.window.find(seq)
        sent = not link.head and (errand is not None or (post is not None and post.whole))
        self._detach(link)
        if not (sent and answer.reusable):
            self.retire(link)
        if errand is not None:
            self._publication.errand_done(errand, answer, count)
        elif seq is not None:
            self._look_ahead(seq, now)
            self._publication.answered(seq, answer, text, now)

    def _look_ahead(self, seq: int, now: float) -> None:
        """Look whether the channel was closed while a segment was under way, which its own answer does not tell.

        The one that waits for its first byte has been told before (trickle, table 1, row 32).
        """
        spare = self._publication.spare
        link = None if spare is None or spare.seq == seq else self._carriers.get(spare.seq)
        if link is not None:
            self.receive(link, now)

    def _break(self, link: Link, error: UnreachableError | ProtocolError, now: float) -> None:
        seq, errand = link.seq, link.errand
        self.retire(link)
        if errand is not None:
            self._publication.unchecked(errand, "disconnected", str(error))
        elif seq is not None:
            self._publication.broke(seq, error, now)

    def _break_on_sending(self, link: Link, error: OSError, now: float) -> None:
        self.receive(link, now)  # A server that reads no more may have said why.
        if link in self.pool.links:
            self._break(link, UnreachableError(f"the connection broke: {error}"), now)

    def _detach(self, link: Link) -> None:
        if link.seq is not None:
            self._carriers.pop(link.seq, None)
        link.rest()
