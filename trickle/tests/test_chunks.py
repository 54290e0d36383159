import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepeer.trickle._errors import ProtocolError
from livepeer.trickle._wire.chunks import LAST_CHUNK, ChunkDecoder, frame

parts_of_a_body = st.lists(st.binary(min_size=1, max_size=400), max_size=20)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at places of any order, as a network does."""
    marks = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(marks)]


def decode(pieces: list[bytes]) -> tuple[bytes, ChunkDecoder]:
    decoder = ChunkDecoder()
    return b"".join(part for piece in pieces for part in decoder.feed(piece)), decoder


@given(parts_of_a_body, st.lists(st.integers(min_value=0), max_size=30), st.binary(max_size=20))
def test_what_was_framed_is_decoded_however_the_network_cuts_it(parts: list[bytes], places: list[int], after: bytes):
    body = b"".join(b"".join(frame(part)) for part in parts) + LAST_CHUNK
    decoded, decoder = decode(cut(body + after, places))
    assert decoded == b"".join(parts)
    assert decoder.done
    assert decoder.unused == after


@given(parts_of_a_body, st.integers(min_value=1))
def test_a_body_that_is_cut_off_is_never_done(parts: list[bytes], missing: int):
    body = b"".join(b"".join(frame(part)) for part in parts) + LAST_CHUNK
    cut_off = body[: -1 - missing % len(body)]
    decoded, decoder = decode([cut_off])
    assert not decoder.done
    assert b"".join(parts).startswith(decoded)


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_garbage_is_a_protocol_error_and_nothing_else(pieces: list[bytes]):
    decoder, decoded = ChunkDecoder(), 0
    try:
        for piece in pieces:
            decoded += sum(map(len, decoder.feed(piece)))
    except ProtocolError:
        return
    assert decoded + len(decoder.unused) <= sum(map(len, pieces))


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=12))
def test_a_size_is_hexadecimal_digits_and_nothing_else(text: str):
    line = text.encode("latin-1")
    plain = line.partition(b";")[0].rstrip(b" \t")
    valid = 0 < len(plain) <= 15 and all(digit in b"0123456789abcdefABCDEF" for digit in plain)
    if b"\r" in line or b"\n" in line:
        return
    decoder = ChunkDecoder()
    if valid:
        assert decoder.feed(line + b"\r\n") == []
    else:
        with pytest.raises(ProtocolError):
            decoder.feed(line + b"\r\n")


def test_extensions_and_trailers_are_passed_over():
    decoded, decoder = decode([b"3;a=b\r\nabc\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\nrest"])
    assert (decoded, decoder.done, decoder.unused) == (b"abc", True, b"rest")


@pytest.mark.parametrize("size", [b"0x3", b"-3", b"+3", b"1_0", b" 3", b"", b"g", b"1" * 16])
def test_a_size_that_python_would_read_as_a_number_is_still_none(size: bytes):
    with pytest.raises(ProtocolError, match="of the size"):
        decode([size + b"\r\nabc\r\n"])


def test_a_chunk_longer_than_it_says_is_a_protocol_error():
    with pytest.raises(ProtocolError, match="longer than it says"):
        decode([b"2\r\nabc\r\n"])


def test_a_size_line_that_does_not_end_is_a_protocol_error():
    with pytest.raises(ProtocolError, match="does not end"):
        decode([b"1" * 5000])


def test_a_trailer_that_does_not_end_is_a_protocol_error():
    with pytest.raises(ProtocolError, match="trailer"):
        decode([b"0\r\n", *[b"x-a: " + b"b" * 1000 + b"\r\n"] * 20])


def test_framing_copies_nothing():
    data = bytearray(b"abc")
    assert frame(data)[1] is data
