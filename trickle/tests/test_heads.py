import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepeer.trickle._errors import ProtocolError
from livepeer.trickle._wire.heads import Answer, RequestHead

POST = RequestHead(b"POST", [(b"Host", b"h:1"), (b"Transfer-Encoding", b"chunked")])


def asked() -> Answer:
    return POST.to(b"/c/0")


def test_the_head_of_a_request_is_ready_to_be_sent_to_one_target_after_the_other():
    assert POST.to(b"/c/0").head == b"POST /c/0 HTTP/1.1\r\nHost: h:1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert POST.to(b"/c/1?a=b").head == b"POST /c/1?a=b HTTP/1.1\r\nHost: h:1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("header", [(b"a b", b"c"), (b"a", b"b\r\nc: d"), (b"a", b"b\0")])
def test_a_header_that_would_change_the_request_is_refused(header: tuple[bytes, bytes]):
    with pytest.raises(ValueError, match="cannot be sent"):
        RequestHead(b"GET", [(b"Host", b"h"), header])


@pytest.mark.parametrize("target", [b"", b"/c 0", b"/c/0 HTTP/1.1\r\nx: y", b"/c/0\n", b"/\xc3\xa9"])
def test_a_target_that_would_change_the_request_is_refused(target: bytes):
    with pytest.raises(ValueError, match="cannot be sent"):
        POST.to(target)


def test_an_early_answer_is_read_while_the_body_is_not_sent():
    answer = asked()
    answer.feed(b"HTTP/1.1 200 OK\r\nConnection: close\r\nLp-Trickle-Closed: terminated\r\nLp-Trickle-Seq: 4\r\n")
    assert answer.status is None
    answer.feed(b"Lp-Trickle-Latest: 5\r\nContent-Length: 0\r\n\r\n")
    assert (answer.status, answer.seq, answer.latest, answer.closed) == (200, 4, 5, True)
    assert (answer.done, answer.closing, answer.reusable) == (True, True, False)


def test_any_number_of_provisional_heads_may_come_before_the_answer():
    answer = asked()
    for _ in range(300):
        answer.feed(b"HTTP/1.1 100 Continue\r\n\r\n")
    answer.feed(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (answer.provisional, answer.status, answer.reusable) == (301, 200, True)


def test_the_status_of_trickle_itself_is_one():
    answer = asked()
    assert answer.feed(b"HTTP/1.1 470 status code 470\r\nContent-Length: 15\r\n\r\nEntry not found") == [
        b"Entry not found"
    ]
    assert (answer.status, answer.reusable) == (470, True)


@given(st.integers(min_value=1, max_value=200))
def test_a_head_and_a_body_may_come_in_pieces_of_any_length(length: int):
    wire = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLp-Trickle-Seq: 0\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    )
    answer = asked()
    pieces = [wire[at : at + length] for at in range(0, len(wire), length)]
    assert b"".join(part for piece in pieces for part in answer.feed(piece)) == b"abcdefg"
    assert answer.reusable


def test_a_sized_body_is_done_at_its_length_and_what_follows_spoils_the_connection():
    answer = asked()
    assert answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1") == [b"abc"]
    assert (answer.done, answer.reusable) == (True, False)


def test_a_body_without_a_length_ends_with_the_connection():
    answer = asked()
    assert answer.feed(b"HTTP/1.1 200 OK\r\n\r\nab") == [b"ab"]
    assert answer.feed(b"c") == [b"c"]
    assert not answer.done
    answer.feed_eof()
    assert (answer.done, answer.reusable) == (True, False)


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_an_error(wire: bytes):
    answer = asked()
    if wire:
        answer.feed(wire)
    with pytest.raises(ProtocolError, match="closed the connection"):
        answer.feed_eof()


@pytest.mark.parametrize(
    "wire", [b"SSH-2.0-OpenSSH\r\n\r\n", b"\x00" * 100, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_http_is_an_error(wire: bytes):
    with pytest.raises(ProtocolError):
        asked().feed(wire)


def test_a_head_that_does_not_end_is_an_error():
    with pytest.raises(ProtocolError):
        asked().feed(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000)


@pytest.mark.parametrize("text", ["", "x", "-1", "1" * 30, "\u0663"])
def test_a_number_that_is_none_counts_as_missing(text: str):
    answer = asked()
    answer.feed(b"HTTP/1.1 200 OK\r\nLp-Trickle-Seq: " + text.encode() + b"\r\nContent-Length: 0\r\n\r\n")
    assert answer.seq is None
