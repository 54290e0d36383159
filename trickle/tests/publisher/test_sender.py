"""What goes over which connection, seen from the other end of each."""

import socket
from collections.abc import Generator

import pytest

from livepeer.trickle._errors import ChannelClosedError
from livepeer.trickle._outcomes import Lost
from livepeer.trickle._publish.links import Link
from livepeer.trickle._publish.publication import Publication
from livepeer.trickle._publish.requests import Requests
from livepeer.trickle._publish.sender import Sender
from livepeer.trickle._wire.sockets import Connection
from livepeer.trickle._wire.urls import ChannelUrl

URL = "http://127.0.0.1:9/ai/trickle/c"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\nLp-Trickle-Closed: terminated\r\nContent-Length: 0\r\n\r\n"


class Wires:
    """A sender whose connections lead here."""

    def __init__(self) -> None:
        self.publication = Publication(URL, max_buffered_bytes=1_000_000, restart_seconds=1.0)
        self.publication.begin(0)
        self.sender = Sender(
            self.publication,
            Requests(ChannelUrl.parse(URL), "a/b", {}),
            stall_seconds=10.0,
        )
        self.ends: list[socket.socket] = []

    def connect(self) -> Link:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.settimeout(5)
        self.ends.append(theirs)
        return self.sender.pool.add(Connection(ours))

    def close(self) -> None:
        self.sender.pool.close()
        for end in self.ends:
            end.close()


@pytest.fixture
def wires() -> Generator[Wires]:
    wires = Wires()
    yield wires
    wires.close()


def test_bytes_leave_before_the_next_head(wires: Wires):
    wires.connect()
    wires.sender.pump(0.0)
    assert wires.ends[0].recv(9999).startswith(b"POST /ai/trickle/c/0 HTTP/1.1\r\n")
    wires.connect()
    post = wires.publication.open()
    wires.publication.write(post, b"abc")
    wires.publication.end(post)
    wires.sender.pump(0.0)
    assert wires.ends[0].recv(9999) == b"3\r\nabc\r\n0\r\n\r\n"
    assert wires.ends[1].recv(9999).startswith(b"POST /ai/trickle/c/1 HTTP/1.1\r\n")


def test_a_good_answer_that_is_read_before_the_news_of_the_close_is_not_believed(wires: Wires):
    first, second = wires.connect(), wires.connect()
    post = wires.publication.open()
    wires.publication.write(post, b"abc")
    wires.publication.end(post)
    wires.sender.pump(0.0)
    assert (first.seq, second.seq) == (0, 1)
    wires.ends[1].sendall(CLOSED)
    wires.ends[0].sendall(GOOD)
    wires.sender.receive(first, 0.0)
    assert isinstance(post.outcome, Lost)
    assert isinstance(wires.publication.failure, ChannelClosedError)
    wires.sender.pump(0.0)
    assert wires.sender.pool.links == []


def test_a_network_that_takes_bytes_again_is_no_stall_however_late_that_is_seen(wires: Wires):
    link = wires.connect()
    post = wires.publication.open()
    wires.publication.write(post, bytes(900_000))
    wires.sender.pump(1.0)
    assert link.blocked
    wires.ends[0].recv(900_000)
    wires.sender.collect(100.0)
    wires.sender.expire(100.0)
    assert post.outcome is None
    wires.sender.pump(100.0)
    assert link.blocked
    wires.sender.collect(110.0)
    wires.sender.expire(110.0)
    assert isinstance(post.outcome, Lost)
    assert post.outcome.reason == "stalled"


def test_an_answer_that_takes_long_but_comes_is_no_stall(wires: Wires):
    link = wires.connect()
    post = wires.publication.open()
    wires.publication.write(post, b"abc")
    wires.publication.end(post)
    wires.sender.pump(1.0)
    wires.ends[0].sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    wires.sender.receive(link, 1.0)
    link = wires.connect()
    wires.sender.pump(1.0)
    assert wires.ends[1].recv(9999).startswith(b"GET /ai/trickle/c/0 HTTP/1.1\r\n")
    wires.ends[1].sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
    wires.sender.receive(link, 9.0)
    wires.sender.expire(12.0)
    assert post.outcome is None
    wires.ends[1].sendall(b"1\r\nc\r\n0\r\n\r\n")
    wires.sender.receive(link, 15.0)
    assert post.outcome == post.acknowledged()


def test_an_idle_connection_that_the_server_closed_is_not_used(wires: Wires):
    wires.connect()
    wires.ends[0].close()
    wires.sender.pump(0.0)
    assert wires.sender.pool.links == []
    assert wires.sender.wants_link


def test_what_a_server_said_before_it_closed_is_read_when_no_more_can_be_sent(wires: Wires):
    link = wires.connect()
    post = wires.publication.open()
    wires.publication.write(post, b"abc")
    wires.sender.pump(0.0)
    wires.ends[0].recv(9999)
    wires.ends[0].sendall(b"HTTP/1.1 413 x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlong")
    wires.ends[0].close()
    wires.publication.write(post, b"def")
    wires.sender.pump(0.0)
    assert link not in wires.sender.pool.links
    assert post.outcome is not None
    assert "long" in str(post.outcome)


def test_only_the_oldest_and_two_more_have_bytes_on_the_wire(wires: Wires):
    for _ in range(6):
        wires.connect()
        post = wires.publication.open()
        wires.publication.write(post, b"a")
        wires.publication.end(post)
        wires.sender.pump(0.0)
    assert [link.seq for link in wires.sender.pool.links] == [0, 1, 2, 3, None, None]
    assert [post.begun for post in wires.publication.window.items][:4] == [True, True, True, False]


def test_no_segment_begins_before_the_one_before_it(wires: Wires):
    """The server's next number would go back (trickle, table 1, row 28)."""
    first, second = wires.connect(), wires.connect()
    post = wires.publication.open()
    wires.sender.pump(0.0)
    while first.connection.send([b"x" * 65536]):  # The network takes no more of it.
        pass
    wires.publication.write(post, b"a")
    wires.publication.write(wires.publication.open(), b"b")
    wires.sender.pump(0.0)
    assert first.blocked
    assert second.seq == 1
    assert wires.ends[1].recv(9999).endswith(b"\r\n\r\n")
    assert [post.begun for post in wires.publication.window.items] == [False, False, False]


def test_what_makes_no_progress_is_given_up_and_its_readers_are_told(wires: Wires):
    wires.connect()
    post = wires.publication.open()
    wires.publication.write(post, b"a" * 10_000_000)
    wires.sender.pump(1.0)
    assert wires.sender.seconds_left(2.0) == 9.0
    wires.sender.expire(10.9)
    assert post.outcome is None
    wires.sender.expire(11.0)
    assert isinstance(post.outcome, Lost)
    assert post.outcome.reason == "stalled"
    assert wires.publication.errands[0].kind == "delete"


def test_a_failure_in_the_middle_of_a_turn_ends_it(wires: Wires):
    wires.connect()
    wires.publication.trouble._patience_seconds = 0.0
    wires.publication.trouble.again(0.0)
    wires.publication.trouble.end(0.0)
    post = wires.publication.open()
    wires.sender.pump(0.0)
    wires.ends[0].close()
    wires.publication.write(post, b"a")
    wires.publication.finish()
    wires.sender.pump(0.1)
    assert wires.publication.failure is not None
    assert wires.sender.pool.links == []
    assert isinstance(post.outcome, Lost)


def test_no_head_leaves_before_a_server_whose_connection_broke_was_asked(wires: Wires):
    first = wires.connect()
    wires.sender.pump(0.0)
    wires.ends[0].close()
    wires.sender.receive(first, 0.0)
    second = wires.connect()
    wires.sender.pump(0.0)
    assert wires.publication.trouble.active
    assert second.answer is None
    wires.sender.resume(0, fresh=False, now=0.0)
    wires.sender.pump(0.0)
    assert wires.ends[1].recv(9999).startswith(b"POST /ai/trickle/c/0 HTTP/1.1\r\n")
