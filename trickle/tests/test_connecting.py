import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio
import pytest
import trustme

from livepeer.trickle._errors import UnreachableError
from livepeer.trickle._wire.connecting import Transport, wait, wait_readable, wait_writable
from livepeer.trickle._wire.sockets import Connection
from livepeer.trickle._wire.urls import ChannelUrl

LIMIT_SECONDS = 5


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Generator[int]:
    """Take one connection and hand it to `answer`, on a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT_SECONDS)

        def run() -> None:
            with listener.accept()[0] as accepted:
                accepted.settimeout(LIMIT_SECONDS)
                answer(accepted)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(LIMIT_SECONDS)
    assert not thread.is_alive()


def url(port: int, scheme: str = "http", host: str = "127.0.0.1") -> ChannelUrl:
    return ChannelUrl.parse(f"{scheme}://{host}:{port}/c")


def send_all(connection: Connection, data: bytes) -> None:
    view = memoryview(data)
    while view:
        sent = connection.send([view])
        view = view[sent:]
        if view:
            assert wait([(connection, False, True)], LIMIT_SECONDS)


def receive_all(connection: Connection) -> bytes:
    parts: list[bytes] = []
    while (data := connection.receive()) != b"":
        if data is None:
            assert wait([(connection, True, False)], LIMIT_SECONDS)
        else:
            parts.append(data)
    return b"".join(parts)


def echo(accepted: socket.socket) -> None:
    """Send a megabyte back once all of it has come."""
    received = b""
    while len(received) < 1 << 20:
        received += accepted.recv(65536)
    accepted.sendall(received)


MEGABYTE = bytes(range(256)) * 4096


def test_a_megabyte_goes_both_ways():
    with listening(echo) as port:
        connection = Transport(url(port)).connect()
        send_all(connection, MEGABYTE)
        assert receive_all(connection) == MEGABYTE
        connection.close()
        connection.close()


async def test_a_megabyte_goes_both_ways_in_an_event_loop():
    with anyio.fail_after(LIMIT_SECONDS), listening(echo) as port:
        connection = await Transport(url(port)).connect_async()
        view = memoryview(MEGABYTE)
        while view:
            view = view[connection.send([view[:1000], view[1000:]]) :]
            await wait_writable(connection)
        parts: list[bytes] = []
        while (data := connection.receive()) != b"":
            if data is None:
                await wait_readable(connection)
            else:
                parts.append(data)
        connection.close()
    assert b"".join(parts) == MEGABYTE


def test_several_buffers_leave_in_one_call():
    received: list[bytes] = []
    with listening(lambda accepted: received.append(accepted.recv(100))) as port:
        connection = Transport(url(port)).connect()
        assert connection.send([b"ab", memoryview(b"cd"), bytearray(b"ef")]) == 6
        assert receive_all(connection) == b""
        connection.close()
    assert received == [b"abcdef"]


def test_a_connection_that_nobody_reads_takes_no_more_and_says_so():
    done = threading.Event()
    with listening(lambda _: done.wait(LIMIT_SECONDS) and None) as port:
        connection = Transport(url(port)).connect()
        while connection.send([MEGABYTE]):
            pass
        assert connection.send([b"x"]) == 0
        assert not wait([(connection, False, True)], 0)
        connection.close()
        done.set()


def test_the_system_holds_little_for_a_network_that_takes_nothing():
    done = threading.Event()
    with listening(lambda _: done.wait(LIMIT_SECONDS) and None) as port:
        connection = Transport(url(port)).connect()
        taken = 0
        while count := connection.send([MEGABYTE]):
            taken += count
        connection.close()
        done.set()
    assert taken < 2 * len(MEGABYTE)


class Authority:
    """A certificate authority, and a server that it vouches for under some names."""

    def __init__(self, *names: str) -> None:
        self._authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(self.server)
        self.client = ssl.create_default_context()
        self._authority.configure_trust(self.client)

    def shake(self, answer: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
        def run(accepted: socket.socket) -> None:
            try:
                secure = self.server.wrap_socket(accepted, server_side=True)
            except ssl.SSLError:
                return
            with secure:
                answer(secure)

        return run


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("127.0.0.1")


def test_a_megabyte_goes_both_ways_over_tls(authority: Authority):
    with listening(authority.shake(echo)) as port:
        connection = Transport(url(port, "https"), ssl_context=authority.client).connect()
        send_all(connection, MEGABYTE)
        assert receive_all(connection) == MEGABYTE
        connection.close()


@pytest.mark.parametrize("first", [1, 100, 20_000])
def test_what_tls_did_not_take_may_come_again_in_other_buffers_with_more_behind_it(authority: Authority, first: int):
    read_on, received = threading.Event(), bytearray()

    def read_late(accepted: socket.socket) -> None:
        assert read_on.wait(LIMIT_SECONDS)
        while not received.endswith(b"!"):
            received.extend(accepted.recv(65536))

    with listening(authority.shake(read_late)) as port:
        connection = Transport(url(port, "https"), ssl_context=authority.client).connect()
        sent = 0
        while taken := connection.send([(MEGABYTE[:40_000])[sent % 40_000 :]]):
            sent += taken
        rest = memoryview(MEGABYTE[sent % 40_000 : 40_000] + bytes(60_000) + b"!")
        total = sent + len(rest)
        read_on.set()
        while rest:
            assert wait([(connection, False, True)], LIMIT_SECONDS)
            rest = rest[connection.send([rest[:first], rest[first:]]) :]
        assert receive_all(connection) == b""
        connection.close()
    assert len(received) == total
    assert received[:sent] == (MEGABYTE[:40_000] * (sent // 40_000 + 1))[:sent]


async def test_tls_works_in_an_event_loop(authority: Authority):
    with (
        anyio.fail_after(LIMIT_SECONDS),
        listening(authority.shake(lambda accepted: accepted.sendall(b"hello"))) as port,
    ):
        connection = await Transport(url(port, "https"), ssl_context=authority.client).connect_async()
        await wait_readable(connection)
        while (data := connection.receive()) is None:
            await wait_readable(connection)
        assert data == b"hello"
        connection.close()


def test_a_certificate_that_nobody_vouches_for_is_refused_with_advice(authority: Authority):
    with (
        listening(authority.shake(lambda _: None)) as port,
        pytest.raises(UnreachableError, match=r"is not trusted .*verify=False"),
    ):
        Transport(url(port, "https")).connect()


def test_a_certificate_for_another_name_is_refused():
    authority = Authority("elsewhere.invalid")
    with (
        listening(authority.shake(lambda _: None)) as port,
        pytest.raises(UnreachableError, match="is not trusted"),
    ):
        Transport(url(port, "https"), ssl_context=authority.client).connect()


def test_anybody_is_trusted_when_it_is_asked_for(authority: Authority):
    with listening(authority.shake(lambda accepted: accepted.sendall(b"hello"))) as port:
        connection = Transport(url(port, "https"), verify=False).connect()
        assert receive_all(connection) == b"hello"
        connection.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_server_that_is_not_there_is_unreachable():
    with pytest.raises(UnreachableError, match="refused"):
        Transport(url(closed_port())).connect()


async def test_a_server_that_is_not_there_is_unreachable_from_an_event_loop():
    with pytest.raises(UnreachableError, match="refused"):
        await Transport(url(closed_port())).connect_async()


def test_a_name_that_means_nothing_is_unreachable():
    with pytest.raises(UnreachableError, match="cannot be reached"):
        Transport(url(80, host="nowhere.invalid")).connect()


def test_a_server_that_says_nothing_is_given_up(authority: Authority):
    done = threading.Event()
    with listening(lambda _: done.wait(LIMIT_SECONDS) and None) as port:
        with pytest.raises(UnreachableError, match="in time"):
            Transport(url(port, "https"), ssl_context=authority.client, connect_seconds=0.1).connect()
        done.set()


async def test_a_server_that_says_nothing_is_given_up_in_an_event_loop(authority: Authority):
    done = threading.Event()
    with anyio.fail_after(LIMIT_SECONDS), listening(lambda _: done.wait(LIMIT_SECONDS) and None) as port:
        with pytest.raises(UnreachableError, match="in time"):
            await Transport(url(port, "https"), ssl_context=authority.client, connect_seconds=0.1).connect_async()
        done.set()


async def test_a_connecting_that_is_cancelled_leaves_no_socket(authority: Authority):
    done = threading.Event()
    with listening(lambda _: done.wait(LIMIT_SECONDS) and None) as port:
        with anyio.move_on_after(0.1) as scope:
            await Transport(url(port, "https"), ssl_context=authority.client).connect_async()
        done.set()
    assert scope.cancelled_caught  # A socket left open would be a ResourceWarning, which is an error here.


@pytest.fixture
def silent_first(monkeypatch: pytest.MonkeyPatch) -> Generator[int]:
    """A name with two addresses: at the first nobody answers, for its backlog is full."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as silent, socket.socket() as filler:
        port = silent.getsockname()[1]
        filler.connect(("127.0.0.2", port))
        with socket.create_server(("127.0.0.1", port)):
            found = [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))
                for host in ("127.0.0.2", "127.0.0.1")
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            yield port


def test_a_silent_address_leaves_time_for_the_next(silent_first: int):
    Transport(url(silent_first, host="two-addresses"), connect_seconds=1).connect().close()


async def test_a_silent_address_leaves_time_for_the_next_in_an_event_loop(silent_first: int):
    (await Transport(url(silent_first, host="two-addresses"), connect_seconds=1).connect_async()).close()


def test_there_may_be_no_limit_to_the_opening():
    with listening(lambda accepted: accepted.sendall(b"hello")) as port:
        connection = Transport(url(port), connect_seconds=float("inf")).connect()
        assert receive_all(connection) == b"hello"
        connection.close()
