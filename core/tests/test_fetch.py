import gzip
import http.server
import io
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from livepeer.core import CallCancelledError, InvalidInputError, Problem
from livepeer.fetch import (
    FetchError,
    FetchLimits,
    fetch,
    fetch_async,
    fetch_limits_from_environment,
    guarded_poster,
    read_data_uri,
)

OPEN = FetchLimits(allow_private=True, seconds=20, most_bytes=1_000_000)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        status, headers, body = self.server.answers[self.path.partition("?")[0]]
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Site:
    def __init__(self, server: Any) -> None:
        self.server = server
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = server.answers
        self.url = f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def site() -> Iterator[Site]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.seen, server.posted = {}, [], []
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Site(server)
        server.shutdown()
        thread.join()


@contextmanager
def saying(*pieces: bytes, then: Callable[[], Any] = lambda: None) -> Iterator[str]:
    """A host that says exactly this to whoever comes, and hangs up after `then`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)
            then()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/file"
    finally:
        thread.join()
        listener.close()


def load(url: str, limits: FetchLimits = OPEN) -> bytes:
    into = io.BytesIO()
    fetched = fetch(url, into, limits=limits)
    assert fetched.size == len(into.getvalue())
    return into.getvalue()


def test_a_file_arrives_whole_with_its_name_and_media_type(site: Site) -> None:
    site.answers["/a/my%20cat.PNG"] = (200, {"Content-Type": "Image/PNG; q=1"}, b"x" * 300_000)
    into = io.BytesIO()
    fetched = fetch(f"{site.url}/a/my%20cat.PNG?size=1", into, limits=OPEN, user_agent="me/1")
    assert into.getvalue() == b"x" * 300_000
    assert (fetched.filename, fetched.media_type, fetched.size) == ("my cat.PNG", "image/png", 300_000)
    assert site.server.seen[0][2]["User-Agent"] == "me/1"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", ""),
        ("/a%2Fb%00c", "a_b_c"),
        ("/..", ""),
        ("/%2e%2e", ""),
        ("/" + "n" * 300 + ".png", "n" * 196 + ".png"),
        ("/%C3%A9.txt", "é.txt"),
    ],
)
def test_a_file_name_is_safe_to_use_whatever_the_url_says(site: Site, path: str, name: str) -> None:
    site.answers[path] = site.answers["/"] = (200, {}, b"")
    assert fetch(site.url + path, io.BytesIO(), limits=OPEN).filename == name


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00::1]",
        "[ff02::1]",
    ],
)
def test_a_host_that_is_not_on_the_public_network_is_refused(host: str) -> None:
    with pytest.raises(FetchError, match=r"not on the public network|has no address|this is no URL"):
        fetch(f"http://{host}:9/", io.BytesIO(), limits=FetchLimits(seconds=10))


def test_a_refused_host_is_never_dialled(site: Site) -> None:
    site.answers["/"] = (200, {}, b"secret")
    with pytest.raises(FetchError, match=r"127\.0\.0\.1 is not on the public network"):
        fetch(site.url, io.BytesIO(), limits=FetchLimits())
    assert site.server.seen == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a/b", "gopher://a", "/etc/passwd", "", "http://", "http:/x"]
)
def test_only_http_urls_are_fetched(url: str) -> None:
    with pytest.raises(FetchError, match=r"only http and https|no URL"):
        fetch(url, io.BytesIO(), limits=OPEN)


def test_redirects_are_followed_to_the_end_and_the_name_is_the_first_ones(site: Site) -> None:
    site.answers["/first.txt"] = (302, {"Location": "/second"}, b"ignored")
    site.answers["/second"] = (307, {"Location": site.url + "/third"}, b"")
    site.answers["/third"] = (200, {}, b"here")
    into = io.BytesIO()
    assert fetch(f"{site.url}/first.txt", into, limits=OPEN).filename == "first.txt"
    assert into.getvalue() == b"here"


def test_a_redirect_to_a_file_of_the_disk_is_refused(site: Site) -> None:
    site.answers["/"] = (302, {"Location": "file:///etc/passwd"}, b"")
    with pytest.raises(FetchError, match="file: only http"):
        load(site.url)


def test_redirects_in_a_circle_end(site: Site) -> None:
    site.answers["/"] = (302, {"Location": "/"}, b"")
    with pytest.raises(FetchError, match="more than 5 redirects"):
        load(site.url)
    assert len(site.server.seen) == 6


@pytest.mark.parametrize("status", [206, 304, 404, 500, 599])
def test_anything_but_the_whole_file_is_an_error(site: Site, status: int) -> None:
    site.answers["/"] = (status, {}, b"")
    with pytest.raises(FetchError, match=rf"127\.0\.0\.1 answered {status}"):
        load(site.url)


def test_the_error_is_one_of_the_input_and_hides_credentials(site: Site) -> None:
    site.answers["/"] = (404, {}, b"")
    with pytest.raises(InvalidInputError) as caught:
        load(site.url.replace("//", "//me:hunter2@") + "/?token=hunter2")
    assert "hunter2" not in Problem.of(caught.value).to_json().decode()
    assert Problem.of(caught.value).code == "fetch_failed"
    assert site.server.seen[0][2]["Authorization"] == "Basic bWU6aHVudGVyMg=="


def test_credentials_do_not_follow_a_redirect(site: Site) -> None:
    site.answers["/"] = (302, {"Location": f"{site.url}/there"}, b"")
    site.answers["/there"] = (200, {}, b"")
    load(site.url.replace("//", "//me:hunter2@"))
    assert "Authorization" not in site.server.seen[1][2]


def test_a_file_that_says_that_it_is_too_large_is_not_read(site: Site) -> None:
    site.answers["/"] = (200, {}, b"x" * 1001)
    into = io.BytesIO()
    with pytest.raises(FetchError, match="larger than 1000 bytes"):
        fetch(site.url, into, limits=FetchLimits(allow_private=True, most_bytes=1000))
    assert into.getvalue() == b""


def test_a_file_that_turns_out_too_large_is_refused() -> None:
    with (
        saying(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1001) as url,
        pytest.raises(FetchError, match="larger than 1000 bytes"),
    ):
        load(url, FetchLimits(allow_private=True, most_bytes=1000))


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_body_is_unpacked_and_counted_after_it(site: Site, encoding: str, pack: Any) -> None:
    site.answers["/"] = (200, {"Content-Encoding": encoding}, pack(b"y" * 900_000))
    assert load(site.url) == b"y" * 900_000
    site.answers["/"] = (200, {"Content-Encoding": encoding}, pack(b"y" * 50_000_000))
    into = io.BytesIO()
    with pytest.raises(FetchError, match="larger than"):
        fetch(site.url, into, limits=OPEN)
    assert len(into.getvalue()) <= 1_000_000


def test_a_compressed_body_of_two_members_is_whole(site: Site) -> None:
    site.answers["/"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"one ") + gzip.compress(b"two"))
    assert load(site.url) == b"one two"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"z" * 10_000)[:-9]),
        ("gzip", b"nonsense"),
        ("gzip", b""),
        ("br", b"?"),
        ("gzip, gzip", b"?"),
    ],
)
def test_a_body_that_cannot_be_unpacked_whole_is_an_error(site: Site, encoding: str, body: bytes) -> None:
    site.answers["/"] = (200, {"Content-Encoding": encoding}, body)
    with pytest.raises(FetchError):
        load(site.url)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"220 smtp ready\r\n\r\n",
        b"",
    ],
)
def test_a_host_that_hangs_up_too_early_never_gives_a_file(said: bytes) -> None:
    with saying(said) as url, pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        load(url)


def test_a_host_that_nobody_answers_at_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        load(f"http://127.0.0.1:{port}/")


def test_a_host_that_drips_is_left_when_the_time_is_over() -> None:
    stopped = threading.Event()
    with saying(b"HTTP/1.1 200 OK\r\n", b"Content-Length: 10\r\n\r\nx", then=lambda: stopped.wait(20)) as url:
        with pytest.raises(FetchError, match=r"longer than 0\.4 s"):
            load(url, FetchLimits(allow_private=True, seconds=0.4))
        stopped.set()


def test_a_cancelled_download_ends_while_the_host_is_silent() -> None:
    stopped = threading.Event()
    looks = iter([False] * 4)
    with saying(b"HTTP/1.1 200 OK\r\n", then=lambda: stopped.wait(20)) as url:
        with pytest.raises(CallCancelledError):
            fetch(url, io.BytesIO(), limits=OPEN, cancelled=lambda: next(looks, True))
        stopped.set()


async def test_a_task_that_is_cancelled_leaves_once_nothing_writes_any_more() -> None:
    stopped, into = threading.Event(), io.BytesIO()
    with saying(b"HTTP/1.1 200 OK\r\n\r\nhalf", then=lambda: stopped.wait(20)) as url:
        with anyio.fail_after(20), anyio.move_on_after(0.5) as scope:
            await fetch_async(url, into, limits=OPEN)
        assert scope.cancelled_caught
        assert all(thread.name != "livepeer-lookup" for thread in threading.enumerate())
        into.close()
        stopped.set()


async def test_a_download_does_not_block_the_loop(site: Site) -> None:
    site.answers["/"] = (200, {}, b"here")
    into = io.BytesIO()
    assert (await fetch_async(site.url, into, limits=OPEN)).size == 4
    with pytest.raises(FetchError):
        await fetch_async(site.url, io.BytesIO(), limits=FetchLimits())


@pytest.mark.parametrize(
    ("uri", "data", "media_type"),
    [
        ("data:,a%20b", b"a b", "text/plain"),
        ("data:text/html;charset=utf-8,<p>", b"<p>", "text/html"),
        ("data:image/PNG;base64,aGk=", b"hi", "image/png"),
        ("DATA:;base64,aGk", b"hi", "text/plain"),
        ("data:a/b;x=y;BASE64,aGk%3D", b"hi", "a/b"),
        ("data:a/b;base64,aG k=\n", b"hi", "a/b"),
    ],
)
def test_a_data_uri_is_read(uri: str, data: bytes, media_type: str) -> None:
    assert read_data_uri(uri, limits=OPEN) == (data, media_type)


@pytest.mark.parametrize("uri", ["data:", "data:a/b;base64", "data:;base64,a!b=", "data:;base64,a", "http://a,b", ""])
def test_a_broken_data_uri_is_refused(uri: str) -> None:
    with pytest.raises(FetchError):
        read_data_uri(uri, limits=OPEN)


def test_a_data_uri_is_counted_after_decoding() -> None:
    limits = FetchLimits(most_bytes=3)
    assert read_data_uri("data:;base64,YWJj", limits=limits)[0] == b"abc"
    assert read_data_uri("data:,%61%62%63", limits=limits)[0] == b"abc"
    for uri in ("data:;base64,YWJjZA==", "data:,abcd", "data:," + "x" * 10_000):
        with pytest.raises(FetchError, match="larger than 3 bytes"):
            read_data_uri(uri, limits=limits)


def test_limits_come_from_the_environment() -> None:
    assert fetch_limits_from_environment({}) == FetchLimits()
    named = {
        "LIVEPEER_FETCH_MOST_BYTES": "1000",
        "LIVEPEER_FETCH_SECONDS": "2.5",
        "LIVEPEER_FETCH_ALLOW_PRIVATE": "yes",
    }
    assert fetch_limits_from_environment(named) == FetchLimits(most_bytes=1000, seconds=2.5, allow_private=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("MOST_BYTES", "1.5"), ("MOST_BYTES", "0"), ("SECONDS", "-1"), ("SECONDS", "nan"), ("ALLOW_PRIVATE", "maybe")],
)
def test_a_limit_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"LIVEPEER_FETCH_{name}"):
        fetch_limits_from_environment({f"LIVEPEER_FETCH_{name}": value})


async def test_a_document_is_posted_and_redirects_are_not_followed(site: Site) -> None:
    site.answers["/hook"] = (302, {"Location": "/there"}, b"")
    poster = guarded_poster(limits=OPEN, headers={"User-Agent": "me/1"})
    try:
        assert await poster.post(f"{site.url}/hook?a=b", b'{"a":1}') == 302
    finally:
        await poster.aclose()
    assert json.loads(site.server.posted[0]) == {"a": 1}
    command, path, headers = site.server.seen[0]
    assert (command, path, headers["User-Agent"]) == ("POST", "/hook?a=b", "me/1")
    assert (headers["Content-Type"], headers["Host"]) == ("application/json", site.url.removeprefix("http://"))


async def test_a_document_is_not_posted_to_a_private_address(site: Site) -> None:
    poster = guarded_poster(limits=FetchLimits(), headers={})
    try:
        with pytest.raises(FetchError, match="not on the public network"):
            await poster.post(site.url.replace("127.0.0.1", "localhost"), b"{}")
    finally:
        await poster.aclose()
    assert site.server.posted == []
