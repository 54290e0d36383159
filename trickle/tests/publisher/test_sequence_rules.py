"""Whatever happens, in whatever order: numbers rise, the ring is not overrun, and each segment has one outcome."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from livepeer.trickle._errors import UnreachableError
from livepeer.trickle._outcomes import Acknowledged, Outcome
from livepeer.trickle._publish.posts import Post
from livepeer.trickle._publish.publication import Publication
from livepeer.trickle._wire.heads import Answer, RequestHead

RING = 5


def answer(text: bytes) -> Answer:
    parsed = RequestHead(b"POST", [(b"Host", b"x"), (b"Transfer-Encoding", b"chunked")]).to(b"/c/0")
    parsed.feed(b"HTTP/1.1 " + text + b"\r\nContent-Length: 0\r\n\r\n")
    return parsed


class Publishing(RuleBasedStateMachine):
    """A publication whose network is played by the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[Outcome] = []
        self.publication = Publication(
            "http://x/c", max_buffered_bytes=400, restart_seconds=1e9, on_outcome=self.outcomes.append
        )
        self.opened: list[Post] = []
        self.now = 0.0

    @initialize(first=st.integers(0, 10))
    def start(self, first: int) -> None:
        self.publication.begin(first)

    @rule(size=st.integers(0, 60), ends=st.booleans())
    def write(self, size: int, ends: bool) -> None:
        post = self.publication.current or self.publication.open()
        if post not in self.opened:
            self.opened.append(post)
        if size:
            self.publication.write(post, b"a" * size)
        if ends:
            self.publication.end(post)

    @rule(share=st.floats(0.1, 1))
    def take(self, share: float) -> None:
        """The network takes bytes, as the sender lets it: the oldest first, and no head before its turn."""
        self.now += 1
        in_order = True
        for post in self.publication.window.reach():
            if not post.begun and self.publication.trouble.active:
                break
            if post.unsent and in_order and post.broken is None and self.publication.window.carries(post.seq):
                self.publication.took(post, max(1, int(post.unsent * share)), self.now)
            in_order = in_order and post.begun

    @property
    def carried(self) -> list[Post]:
        return [post for post in self.publication.window.items if post.begun and post.broken is None]

    @precondition(lambda self: self.carried)
    @rule(data=st.data(), text=st.sampled_from([b"200 OK", b"200 OK\r\nConnection: close", b"500 x", b"404 x"]))
    def answer(self, data: st.DataObject, text: bytes) -> None:
        post = data.draw(st.sampled_from(self.carried))
        self.publication.answered(post.seq, answer(text), "", self.now)

    @precondition(lambda self: self.publication.errands)
    @rule(text=st.sampled_from([b"200 OK", b"470 x", b"404 x"]), count=st.sampled_from([0, 60]))
    def answer_an_errand(self, text: bytes, count: int) -> None:
        self.publication.errand_done(self.publication.errands.popleft(), answer(text), count)

    @rule(text=st.sampled_from([b"200 OK", b"404 x", b"503 x"]))
    def answer_a_head(self, text: bytes) -> None:
        heads = [post for post in self.publication.window.reach() if not post.begun]
        if heads:
            self.publication.answered(heads[0].seq, answer(text), "", self.now)

    @precondition(lambda self: self.carried)
    @rule(data=st.data())
    def break_a_connection(self, data: st.DataObject) -> None:
        post = data.draw(st.sampled_from(self.carried))
        self.publication.broke(post.seq, UnreachableError("broken"), self.now)

    @precondition(lambda self: self.carried)
    @rule(data=st.data())
    def stall(self, data: st.DataObject) -> None:
        post = data.draw(st.sampled_from(self.carried))
        self.publication.stalled(post.seq, 1.0, self.now)

    @precondition(lambda self: self.publication.trouble.active)
    @rule(ahead=st.integers(0, 7))
    def find_the_server_as_it_was(self, ahead: int) -> None:
        self.publication.resume(self.publication._known_seq + ahead, fresh=False, now=self.now)

    @precondition(lambda self: self.publication.trouble.active)
    @rule()
    def find_the_server_new(self) -> None:
        assert self.publication.resume(0, fresh=True, now=self.now)

    @rule()
    def drop(self) -> None:
        victim = self.publication.victim()
        if victim is not None:
            self.publication.abort(victim, "dropped", "for room")

    @rule()
    def abort(self) -> None:
        if self.publication.current is not None:
            self.publication.abort(self.publication.current, "aborted", "by its writer")

    @invariant()
    def numbers_rise(self) -> None:
        seqs = [post.seq for post in self.publication.window.items]
        assert seqs == sorted(set(seqs))
        assert not seqs or seqs[-1] < self.publication.window.next_seq

    @invariant()
    def segments_begin_in_order(self) -> None:
        begun = [post.begun for post in self.publication.window.items]
        assert begun == sorted(begun, reverse=True)

    @invariant()
    def the_ring_is_never_overrun(self) -> None:
        reach = self.publication.window.reach()
        if reach:
            assert reach[-1].seq - reach[0].seq < RING
            assert sum(self.publication.window.carries(post.seq) for post in reach) <= 3
        assert all(post in reach for post in self.carried)

    @invariant()
    def nothing_is_lost_silently(self) -> None:
        open_posts = [post for post in self.publication.window.items if post is not self.publication.spare]
        settled = [post for post in self.opened if post.outcome is not None]
        assert len(open_posts) + len(settled) == len(self.opened)
        assert sorted(map(id, self.outcomes)) == sorted(id(post.outcome) for post in settled)
        for post in settled:
            assert not isinstance(post.outcome, Acknowledged) or post.whole

    @invariant()
    def the_bytes_that_wait_are_counted(self) -> None:
        assert self.publication.unsent == sum(post.unsent for post in self.publication.window.items)

    def teardown(self) -> None:
        self.publication.lose_all("closing", "at the end")
        assert len(self.outcomes) == len(self.opened)
        assert self.publication.unsent == 0


TestPublishing = Publishing.TestCase
TestPublishing.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_an_answer_after_a_minute_is_checked_before_it_is_believed():
    for latest, kept in ((1, True), (0, False)):
        outcomes: list[Outcome] = []
        publication = Publication("http://x/c", max_buffered_bytes=400, restart_seconds=1, on_outcome=outcomes.append)
        publication.begin(0)
        post = publication.open()
        publication.write(post, b"a")
        publication.took(post, 3, now=100.0)
        publication.end(post)
        publication.took(post, post.unsent, now=400.0)
        publication.answered(0, answer(b"200 OK"), "", now=400.0)
        errand = publication.errands.popleft()
        assert (errand.kind, errand.seq) == ("check", 0)
        assert outcomes == []
        publication.errand_done(errand, answer(b"200 OK\r\nLp-Trickle-Latest: %d" % latest), 1)
        assert isinstance(post.outcome, Acknowledged) is kept


def test_a_server_that_cannot_be_asked_leaves_a_long_segment_lost():
    publication = Publication("http://x/c", max_buffered_bytes=400, restart_seconds=1)
    publication.begin(0)
    post = publication.open()
    publication.end(post)
    publication.took(post, post.unsent, now=0.0)
    publication.answered(0, answer(b"200 OK"), "", now=61.0)
    publication.unchecked(publication.errands.popleft(), "stalled", "no word")
    assert post.outcome == post.lost("stalled", "no word")
