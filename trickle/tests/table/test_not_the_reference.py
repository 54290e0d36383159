"""Table 1, "Bugs of the reference we must not copy": sequence numbers that mean nothing.

A DELETE of ch/-1 is never asked of the reference: it panics with a lock held, and every later request of the channel
hangs, as does the sweeping of the others.
"""

import pytest

from .table_answers import INVALID_SEQ, chunked, content, empty, latest, seq
from .table_channels import Channel
from .table_wire import BrokenOffError


@pytest.fixture(autouse=True)
def channel_of_video(channel: Channel) -> None:
    channel.create()
    channel.publish(0, b"a")


def is_well(channel: Channel) -> bool:
    """Whether a channel of one segment goes on as if nothing had been asked."""
    assert channel.next_seq() == 1
    assert channel.ask("GET", -2) == chunked(content() | seq(0) | latest(1), b"a")
    reader = channel.waiting(-1)
    assert channel.ask("POST", -1, b"b") == empty(seq(1))
    return reader.read().body == b"b"


@pytest.mark.improved("the reference panics")
@pytest.mark.parametrize("asked", [-3, -4, -5, -6, -(2**63)])
def test_bug_get_below_minus_two_is_an_invalid_seq(channel: Channel, asked: int) -> None:
    assert channel.ask("GET", asked) == INVALID_SEQ
    assert is_well(channel)


@pytest.mark.improved("the reference panics, or rewinds to a negative number")
@pytest.mark.parametrize("asked", [-2, -3, -5, -10, -(2**63)])
def test_bug_post_below_minus_one_is_an_invalid_seq(channel: Channel, asked: int) -> None:
    assert channel.ask("POST", asked, b"b") == INVALID_SEQ
    assert is_well(channel)


@pytest.mark.improved("the reference panics with a lock held")
@pytest.mark.parametrize("asked", [-1, -2, -3, -5, -(2**63)])
def test_bug_delete_below_zero_is_an_invalid_seq(channel: Channel, asked: int) -> None:
    assert channel.ask("DELETE", asked) == INVALID_SEQ
    assert is_well(channel)


@pytest.mark.improved("the reference has no number after it, and rewinds to a negative one")
def test_bug_post_of_the_greatest_number_is_an_invalid_seq(channel: Channel) -> None:
    assert channel.ask("POST", 2**63 - 1, b"b") == INVALID_SEQ
    assert is_well(channel)


@pytest.mark.reference("it panics")
@pytest.mark.parametrize("asked", [-3, -4])
def test_bug_get_below_minus_two_is_never_answered(channel: Channel, asked: int) -> None:
    with pytest.raises(BrokenOffError):
        channel.ask("GET", asked)
    assert is_well(channel)


@pytest.mark.reference("it takes a negative number for a real one")
def test_bug_post_of_minus_five_rewinds_to_a_negative_number(channel: Channel) -> None:
    assert channel.ask("POST", -5, b"b").headers["lp-trickle-seq"] == "-5"
    assert channel.next_seq() == -4
    with pytest.raises(BrokenOffError):
        channel.ask("GET", -1)
