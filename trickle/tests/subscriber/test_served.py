"""Reading from a real server."""

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
import trustme
from trickle_servers import RunningServer, running_server

from livepeer.trickle import (
    AsyncSubscriber,
    ChannelNotFoundError,
    Gap,
    SegmentInterruptedError,
    Subscriber,
    UnreachableError,
)

from .conftest import Collect

LIMIT_SECONDS = 10
MEGABYTE = bytes(range(256)) * 4096


class Post:
    """A segment that is written by hand."""

    def __init__(self, port: int, target: str, *headers: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS)
        lines = [f"POST {target} HTTP/1.1", "Host: test", "Transfer-Encoding: chunked", *headers, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())

    def write(self, data: bytes) -> None:
        self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self._socket.sendall(b"0\r\n\r\n")
        answer = self._socket.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        self._socket.close()

    def drop(self) -> None:
        self._socket.close()


def request(port: int, method: str, target: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n".encode())
        return connection.recv(4096)


def publish(port: int, target: str, data: bytes) -> None:
    post = Post(port, target)
    post.write(data)
    post.end()


@pytest.fixture
def server() -> Generator[RunningServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def url(server: RunningServer) -> str:
    request(server.port, "POST", "/c")
    return f"{server.base_url}/c"


def test_segments_are_read_in_order_to_the_end_of_the_channel(server: RunningServer, url: str, collect: Collect):
    posts = [Post(server.port, f"/c/{seq}") for seq in range(3)]
    posts[0].write(b"0")
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(collect, url)
        for seq, post in enumerate(posts):
            if seq:
                post.write(b"%d" % seq)
            post.end()
        publish(server.port, "/c/3", b"3")
        request(server.port, "DELETE", "/c")
        done = reading.result(LIMIT_SECONDS)
    # How far it came before the channel ended is chance; it has ended, and what was read is whole.
    assert done.failure is None or isinstance(done.failure, ChannelNotFoundError)
    assert all(data == b"%d" % seq for seq, data in done.data.items())


def test_a_part_is_read_while_its_segment_is_written(server: RunningServer, url: str):
    post = Post(server.port, "/c/0")
    with Subscriber(url) as subscriber:
        post.write(b"ab")
        reader = next(subscriber)
        assert next(reader) == b"ab"
        post.write(b"cd")
        assert next(reader) == b"cd"
        post.end()
        assert reader.read() == b""


@pytest.mark.parametrize("size", [1, 1 << 10, 1 << 20, 20 << 20])
def test_a_segment_of_any_size_is_whole(server: RunningServer, url: str, collect: Collect, size: int):
    data = (MEGABYTE * (size // len(MEGABYTE) + 1))[:size]
    publish(server.port, "/c/0", data)
    assert collect(url, count=1).data == {0: data}


def test_a_reader_that_sleeps_is_told_what_it_missed(server: RunningServer, url: str):
    with Subscriber(url, start=0) as subscriber:
        publish(server.port, "/c/0", b"0")
        assert next(subscriber).read() == b"0"
        for seq in range(1, 20):
            publish(server.port, f"/c/{seq}", b"%d" % seq)
        first = next(subscriber)
        second = next(subscriber)
        # The request for segment 1 was on its way when that was written, and keeps it.
        assert [first.seq, first.gap] == [1, None]
        assert [second.seq, second.gap, second.read()] == [19, Gap(first=2, last=18), b"19"]
        assert subscriber.latest == 19
        assert subscriber.stats.missed == 17


def test_the_earliest_segments_are_still_there(server: RunningServer, url: str):
    for seq in range(8):
        publish(server.port, f"/c/{seq}", b"%d" % seq)
    with Subscriber(url, start="earliest") as subscriber:
        seen = [next(subscriber).seq for _ in range(5)]
    assert seen == [3, 4, 5, 6, 7]


async def test_the_next_segment_is_one_that_has_not_begun(server: RunningServer, url: str):
    publish(server.port, "/c/0", b"0")
    with anyio.fail_after(LIMIT_SECONDS):
        async with AsyncSubscriber(url, start="next") as subscriber, anyio.create_task_group() as group:

            async def read() -> None:
                assert await (await anext(subscriber)).read() == b"1"

            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await anyio.to_thread.run_sync(publish, server.port, "/c/1", b"1")


def test_a_publisher_that_begins_anew_at_0_is_found(server: RunningServer, url: str):
    for seq in range(20):
        publish(server.port, f"/c/{seq}", b"old")
    with Subscriber(url, refresh_seconds=0.2) as subscriber:
        assert next(subscriber).seq == 19
        post = Post(server.port, "/c/0")
        post.write(b"new")
        reader = next(subscriber)
        assert (reader.seq, reader.restarted, reader.gap) == (0, True, None)
        assert next(reader) == b"new"
        post.end()
        publish(server.port, "/c/1", b"newer")
        following = next(subscriber)
        assert (following.seq, following.restarted) == (1, False)


@contextmanager
def served(port: int) -> Generator[subprocess.Popen[str]]:
    """Start a server that can be killed."""
    command = [sys.executable, "-m", "livepeer.trickle.server", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline()
            yield server
        finally:
            server.kill()


def test_a_server_that_was_killed_and_comes_back_is_read_again(collect: Collect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    half_read = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with served(port):
            publish(port, "/c/0", b"old")
            post = Post(port, "/c/1")
            post.write(b"half")
            reading = pool.submit(
                collect,
                f"http://127.0.0.1:{port}/c",
                start=0,
                count=3,
                wait_seconds=LIMIT_SECONDS,
                on_part=lambda part: part == b"half" and half_read.set(),
            )
            assert half_read.wait(LIMIT_SECONDS)
        post.drop()
        with served(port):
            publish(port, "/c/0", b"new")
            done = reading.result(LIMIT_SECONDS)
    assert done.failure is None
    assert [seen.data for seen in done.segments] == [b"old", b"half", b"new"]
    assert [seen.interrupted is not None for seen in done.segments] == [False, True, False]
    assert done.segments[2].restarted


def test_a_publisher_that_dies_in_a_segment_does_not_hang_its_reader(collect: Collect):
    with running_server(abort_grace_seconds=0.1) as server:
        post = Post(server.port, "/c/0")
        post.write(b"half")
        post.drop()
        (first,) = collect(f"{server.base_url}/c", count=1).segments
    assert first.data == b"half"
    assert isinstance(first.interrupted, SegmentInterruptedError)


def test_channels_that_nobody_makes_are_not_found(collect: Collect):
    with running_server(autocreate=False) as server:
        assert isinstance(collect(f"{server.base_url}/c").failure, ChannelNotFoundError)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA, tmp_path: Path) -> Generator[RunningServer]:
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for index, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(tmp_path / "certificate.pem", append=index > 0)
    files = {"ssl_certfile": str(tmp_path / "certificate.pem"), "ssl_keyfile": str(tmp_path / "key.pem")}
    with running_server(**files) as running:
        yield running


def test_a_server_is_read_over_tls(authority: trustme.CA, secure: RunningServer, collect: Collect):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    data = MEGABYTE * 3
    exchange_over_tls(secure.port, "POST", "/c/0", data)
    exchange_over_tls(secure.port, "POST", "/c/1", b"b")
    reading = collect(f"{secure.base_url}/c", start=0, count=2, ssl_context=context)
    assert reading.data == {0: data, 1: b"b"}


def exchange_over_tls(port: int, method: str, target: str, data: bytes) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as plain,
        context.wrap_socket(plain) as connection,
    ):
        head = f"{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data)
        assert connection.recv(4096)


def test_a_certificate_that_nobody_trusts_is_a_failure_at_once(secure: RunningServer, collect: Collect):
    failure = collect(f"{secure.base_url}/c").failure
    assert isinstance(failure, UnreachableError)
    assert "not trusted" in str(failure)


def test_a_certificate_that_nobody_trusts_may_be_taken(secure: RunningServer, collect: Collect):
    exchange_over_tls(secure.port, "POST", "/c/0", b"a")
    assert collect(f"{secure.base_url}/c", count=1, verify=False).data == {0: b"a"}
