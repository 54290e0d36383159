"""What the lookout does at the edges of its times."""

import socket
from collections.abc import Generator

import pytest
from scripted_servers import segment

from livepeer.trickle import UnreachableError
from livepeer.trickle._subscribe.fetches import Fetches
from livepeer.trickle._subscribe.lookout import Lookout
from livepeer.trickle._subscribe.patience import Patience
from livepeer.trickle._subscribe.sequence import Progress
from livepeer.trickle._wire.sockets import Connection
from livepeer.trickle._wire.urls import ChannelUrl

HOURS = 3600.0


class Wire:
    """Connections whose other ends are at hand."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def open(self) -> tuple[Connection, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._sockets += [ours, theirs]
        return Connection(ours), theirs

    def close(self) -> None:
        for each in self._sockets:
            each.close()


@pytest.fixture
def wire() -> Generator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture
def lookout() -> Lookout:
    url = ChannelUrl.parse("http://localhost/c")
    progress = Progress(start=0, lag="latest")
    return Lookout(url, fetches=Fetches(url, {}), progress=progress, refresh_seconds=20, retry_seconds=30, waits=False)


def test_an_answer_that_came_at_the_last_moment_is_taken(lookout: Lookout, wire: Wire):
    first, server = wire.open()
    lookout.connected(first)
    lookout.keep(0)
    lookout.connected(wire.open()[0])
    server.send(segment(0, b"a"))
    lookout.keep(20.5)
    assert lookout.fetch is not None
    assert lookout.fetch.connection is first
    assert lookout.fetch.parts == [b"a"]
    assert lookout.refreshes == 0


def test_a_silent_request_is_made_again_over_the_other_connection(lookout: Lookout, wire: Wire):
    first, old = wire.open()
    second, new = wire.open()
    lookout.connected(first)
    lookout.keep(0)
    lookout.keep(19.9)
    assert not lookout.wants_connection(19.9, spare=False)
    assert lookout.wants_connection(20, spare=False)
    lookout.keep(20)
    assert lookout.fetch is not None
    assert lookout.fetch.connection is first, "it is not dropped before there is another"
    lookout.connected(second)
    lookout.keep(20)
    assert old.recv(9) == b"GET /c/0 "
    assert old.recv(4096).endswith(b"\r\n\r\n")
    assert old.recv(1) == b""
    assert new.recv(9) == b"GET /c/0 "


def test_a_channel_may_be_silent_for_hours(lookout: Lookout, wire: Wire):
    now = 0.0
    while now < 6 * HOURS:
        connections, seconds = lookout.watch(now)
        assert seconds is not None
        assert seconds <= 20
        assert len(connections) <= 1
        now += seconds
        if lookout.wants_connection(now, spare=True):
            lookout.connected(wire.open()[0])
        lookout.keep(now)
    assert lookout.failure is None
    assert lookout.refreshes >= 6 * 3 * 60 - 2


def test_a_connection_that_was_closed_while_it_was_idle_is_not_used(lookout: Lookout, wire: Wire):
    closed, server = wire.open()
    open_, _ = wire.open()
    lookout.connected(open_)
    lookout.connected(closed)
    server.close()
    lookout.keep(0)
    assert lookout.fetch is not None
    assert lookout.fetch.connection is open_
    assert not lookout.troubled


def test_a_spare_that_cannot_be_opened_is_no_trouble(lookout: Lookout, wire: Wire):
    lookout.connected(wire.open()[0])
    lookout.keep(0)
    assert lookout.wants_connection(0, spare=True)
    lookout.unconnected(UnreachableError("full"), 0)
    assert not lookout.wants_connection(0, spare=True)
    assert not lookout.troubled
    assert lookout.fetch is not None


def test_a_proxy_that_ends_every_silence_is_no_trouble_in_the_long_run(lookout: Lookout, wire: Wire):
    for minute in range(120):
        connection, server = wire.open()
        lookout.connected(connection)
        lookout.keep(minute * 60)
        server.close()
        assert not lookout.look(minute * 60 + 15)
        assert lookout.failure is None
    assert lookout.reconnections == 120


def test_connections_that_break_at_once_are_trouble_in_time(lookout: Lookout, wire: Wire):
    now = 0.0
    while lookout.failure is None:
        connection, server = wire.open()
        lookout.connected(connection)
        lookout.keep(now)
        server.close()
        assert not lookout.look(now)
        now += lookout.watch(now)[1] or 0
        assert now < 60
    assert isinstance(lookout.failure, UnreachableError)
    assert now >= 30
    assert lookout.reconnections < 60, "it takes its time"


def test_patience_has_pauses_that_grow_and_an_end():
    patience = Patience(10)
    now, pauses = 100.0, list[float]()
    while patience.lasts(now):
        pauses.append(patience.retry_at - now)
        now = patience.retry_at
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert now >= 110
    patience.renew()
    assert patience.lasts(now)
    assert not Patience(0).lasts(0)
