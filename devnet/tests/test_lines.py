"""The line rules of BYOC contract, section 4, however the bytes are cut."""

import pytest

from livepeer.devnet._lines import MAX_LINE_BYTES, GatewayLines, LineRelay, OrchestratorLines

STREAM = b"data: 1\r\n\r\n: ping\n\n" + b"x" * MAX_LINE_BYTES + b"\ndata: a[DONE]b\n\ndata: 2\n\nrest"
CUT_SIZES = [1, 2, 3, 7, 4096, 65_536, 1_000_000]


def relayed(lines: LineRelay, stream: bytes, size: int) -> bytes:
    out = b""
    for start in range(0, len(stream), size):
        out += lines.feed(stream[start : start + size])
        if lines.ended:
            break
    return out + lines.finish()


@pytest.mark.parametrize("size", CUT_SIZES)
@pytest.mark.parametrize("kind", [OrchestratorLines, GatewayLines])
def test_the_result_does_not_depend_on_how_the_stream_arrives(kind: type[LineRelay], size: int):
    assert relayed(kind(), STREAM, size) == relayed(kind(), STREAM, len(STREAM))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("size", CUT_SIZES)
def test_the_limit_counts_a_carriage_return_and_no_newline(end: bytes, size: int):
    longest = b"x" * (MAX_LINE_BYTES - end.count(b"\r"))

    assert relayed(OrchestratorLines(), longest + end, size) == longest + b"\n"
    assert relayed(OrchestratorLines(), b"data: 1\nx" + longest + end, size) == b"data: 1\n"


def test_every_line_that_contains_done_is_preceded_by_the_balance():
    balance = b'data: {"balance": 0.000}\n\n\n'

    assert (
        OrchestratorLines().feed(b"a\n[DONE]\nb\nc[DONE]\n")
        == b"a\n" + balance + b"[DONE]\nb\n" + balance + b"c[DONE]\n"
    )


def test_an_unfinished_line_waits_for_its_end():
    lines = GatewayLines()

    assert lines.feed(b"data: 1\ndata:") == b"data: 1\n"
    assert lines.feed(b" 2") == b""
    assert lines.feed(b"\n") == b"data: 2\n"
    assert lines.finish() == b""
