"""The sequence rules, against a model of a server."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepeer.trickle import FellBehindError, Gap
from livepeer.trickle._subscribe.sequence import CURRENT, RING_SEGMENTS, Lag, Progress, Start


@dataclass
class Ring:
    """What a channel keeps: the last segments, by their numbers; an empty one is False."""

    next: int = 0
    kept: dict[int, bool] = field(default_factory=dict[int, bool])
    preconnects: bool = False
    skipped: set[int] = field(default_factory=set[int])

    def publish(self, *, full: bool) -> None:
        self.kept[self.next] = full
        self.next += 1
        oldest = self.next - RING_SEGMENTS + self.preconnects
        self.kept = {seq: full for seq, full in self.kept.items() if seq >= oldest}

    def read(self, progress: Progress, *, troubled: bool = False) -> "tuple[int, Gap | None, bool] | None":
        """Make one request; return the segment that came: its number, the gap before it, whether it began anew."""
        ask = progress.ask
        if ask is None:
            progress.located(self.next)
            return None
        seq = max(self.next - 1, 0) if ask == CURRENT else ask
        if seq not in self.kept:
            if seq == self.next or (self.next == 0 and seq == 1):
                progress.waited()
            else:
                progress.refused(self.next, troubled=troubled)
            return None
        if not self.kept[seq]:
            progress.skipped(seq, self.next)
            self.skipped.add(seq)
            return None
        arrival = progress.arrived(seq, self.next)
        return arrival.seq, arrival.gap, arrival.restarted


Steps = st.lists(st.one_of(st.integers(1, 12), st.just("read"), st.just("empty")), max_size=60)
Starts = st.sampled_from(["current", "next", "earliest", 0, 3])


@settings(max_examples=300)
@given(steps=Steps, start=Starts, lag=st.sampled_from(["latest", "earliest"]), preconnects=st.booleans())
def test_every_segment_comes_once_or_is_in_one_gap(steps: list[int | str], start: Start, lag: Lag, preconnects: bool):
    ring = Ring(preconnects=preconnects)
    progress = Progress(start=start, lag=lag)
    published_full: list[int] = []
    came: list[int] = []
    missed: list[int] = []

    def read() -> None:
        if (segment := ring.read(progress)) is not None:
            seq, gap, restarted = segment
            assert not restarted
            if gap:
                assert gap.last < seq
                missed.extend(range(gap.first, gap.last + 1))
            came.append(seq)

    for step in steps:
        if step == "read":
            read()
        elif step == "empty":
            ring.publish(full=False)
        else:
            for _ in range(int(step)):
                published_full.append(ring.next)
                ring.publish(full=True)
    published_full.append(ring.next)
    ring.publish(full=True)
    for _ in range(4 * RING_SEGMENTS):
        read()

    assert came == sorted(set(came)), "in order, none twice"
    assert missed == sorted(set(missed)), "in order, none twice"
    assert not set(came) & set(missed)
    assert progress.missed == len(set(missed) - ring.skipped), "an empty one within a gap was not missed"
    if came:
        told = {*came, *missed}
        first = 3 if start == 3 else min(told)
        assert {seq for seq in published_full if seq >= first} <= told, "nothing is missed silently"
    if start != "current" and start != "next" and published_full[-1] >= 3:
        assert came[-1] == published_full[-1], "the end is reached"


@given(behind=st.integers(1, 50), lag=st.sampled_from(["latest", "earliest"]))
def test_a_slow_reader_goes_on_where_its_policy_says(behind: int, lag: Lag):
    ring, progress = Ring(), Progress(start=0, lag=lag)
    ring.publish(full=True)
    assert ring.read(progress) == (0, None, False)
    for _ in range(behind):
        ring.publish(full=True)
    while (segment := ring.read(progress)) is None:
        pass
    newest = behind
    oldest = max(1, newest - RING_SEGMENTS + 1)
    assert segment[0] == (1 if behind <= RING_SEGMENTS else newest if lag == "latest" else oldest)


@given(behind=st.integers(0, 50))
def test_a_reader_that_wants_all_has_all_or_fails(behind: int):
    ring, progress = Ring(), Progress(start="current", lag="fail")
    ring.publish(full=True)
    assert ring.read(progress) == (0, None, False)
    for _ in range(behind):
        ring.publish(full=True)
    if behind <= RING_SEGMENTS:
        assert [ring.read(progress) for _ in range(behind)] == [(seq + 1, None, False) for seq in range(behind)]
    else:
        with pytest.raises(FellBehindError) as caught:
            ring.read(progress)
        assert caught.value.gap == Gap(first=1, last=behind)


@given(before=st.integers(1, 300), after=st.integers(1, 12), lag=st.sampled_from(["latest", "earliest", "fail"]))
def test_a_channel_that_was_made_anew_is_read_from_where_it_is(before: int, after: int, lag: Lag):
    ring, progress = Ring(), Progress(start="current", lag=lag)
    for _ in range(before):
        ring.publish(full=True)
    assert ring.read(progress) == (before - 1, None, False)

    ring = Ring()
    for _ in range(after):
        ring.publish(full=True)
    if after > before:
        return  # It has overtaken the old one: nobody can tell them apart.
    if after == before:
        assert ring.read(progress, troubled=True) is None
        return
    if lag == "fail" and after > RING_SEGMENTS:
        with pytest.raises(FellBehindError) as caught:
            read_on(ring, progress)
        assert caught.value.gap == Gap(first=0, last=after - 1)
        return
    seq, gap, restarted = read_on(ring, progress)
    assert restarted
    assert gap == (Gap(first=0, last=seq - 1) if seq else None)
    assert seq == (after - 1 if lag == "latest" else max(0, after - RING_SEGMENTS))
    assert progress.restarts == 1
    assert progress.newest == after - 1


def read_on(ring: Ring, progress: Progress) -> tuple[int, Gap | None, bool]:
    """Read the next segment after the server was lost."""
    segment = ring.read(progress, troubled=True)
    while segment is None:
        segment = ring.read(progress)
    return segment


def test_what_was_known_to_be_missed_before_a_new_beginning_is_counted():
    progress = Progress(start=0, lag="latest")
    progress.arrived(0, 1)
    assert progress.refused(10, troubled=False)
    assert progress.refused(0, troubled=True)
    assert progress.missed == 9
    arrival = progress.arrived(0, 1)
    assert arrival.restarted
    assert arrival.gap is None
    assert progress.missed == 9


def test_an_empty_segment_after_a_gap_does_not_hide_the_gap():
    progress = Progress(start=0, lag="latest")
    progress.arrived(0, 1)
    assert progress.refused(5, troubled=False)
    progress.skipped(4, 5)
    assert progress.arrived(5, 6).gap == Gap(first=1, last=3)
    assert progress.missed == 3


def test_empty_answers_that_name_no_progress_do_not_go_round_in_circles():
    progress = Progress(start="current", lag="latest")
    asked: list[int | None] = []
    for _ in range(10):
        asked.append(progress.ask)
        progress.skipped(max(progress.ask or 0, 0), 0)
    assert asked[-1] is not None
    assert asked[-1] >= 5


def test_what_was_missed_at_the_end_is_counted():
    progress = Progress(start=0, lag="latest")
    progress.arrived(0, 1)
    assert progress.refused(5, troubled=False)
    progress.finish()
    progress.finish()
    assert (progress.gaps, progress.missed) == (1, 4)
