"""The parser alone: where the bytes are cut never matters, and a flood costs no memory."""

import itertools
import random
import tracemalloc

import pytest

from livepeer.client import Event, ProtocolError
from livepeer.client._sse import SseParser

DOCUMENTS = [
    b"data: 1\n\ndata: 2\n\ndata: [DONE]\n",
    b"\xef\xbb\xbfdata: 1\r\n\r\ndata: 2\r\n\r\ndata: [DONE]\r\n\r\ndata: after\r\n\r\n",
    b"\xef\xbb\xbf\xef\xbb\xbfdata: not a field\r\rdata: 2\r\rdata: [DONE]\r",
    "event: ü\rdata: 日本\ndata: 語\r\nid: 7\n\n\n\nretry: 10\ndata:x\n\ndata\n\n: c\n\ndata:  y \n\n".encode(),
    b"id: a\0b\nretry: -1\nretry: 1x\nevent: gone\n\ndata: \xff\xe6\x97\n\nnofield\n: data: no\ndata: z\n\n",
    b"data: [DONE] is not alone\n\ndata: a\n\ndata: open\ndata: [DONE]",
]


def parse(chunks: list[bytes]) -> tuple[list[Event], bool]:
    parser = SseParser(max_event_bytes=1 << 20)
    events = [event for chunk in chunks for event in parser.feed(chunk)] + parser.finish()
    return events, parser.done


def by_the_letter(document: bytes) -> tuple[list[Event], bool]:
    """The standard's algorithm, one line after the other, with our end."""
    text = document.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, last = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines += [last] if last else []
    events: list[Event] = []
    data: list[str] = []
    kind, last_id, retry, done = "", None, None, False
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        done = name == "data" and value.rstrip() == "[DONE]"
        if done or not line:
            if data:
                events.append(Event("\n".join(data), kind or "message", last_id, retry))
                retry = None
            data, kind = [], ""
        elif name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            retry = int(value)
        if done:
            break
    return events, done


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_means_what_the_standard_says(document: bytes) -> None:
    assert parse([document]) == by_the_letter(document)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_cut_changes_the_meaning(document: bytes) -> None:
    expected = parse([document])
    assert parse([bytes((byte,)) for byte in document]) == expected
    for first, second in itertools.combinations(range(len(document) + 1), 2):
        assert parse([document[:first], document[first:second], document[second:]]) == expected


def test_random_documents_mean_what_the_standard_says_however_they_are_cut() -> None:
    pieces = [
        b"data",
        b"data: ",
        b":",
        b" ",
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
        b"[DONE]",
        b"event: e",
        b"id: 1",
        b"\xe6\x97\xa5",
    ]
    choose = random.Random(1)
    for _ in range(5_000):
        document = b"".join(choose.choices(pieces, k=choose.randrange(30)))
        cuts = sorted(choose.choices(range(len(document) + 1), k=4))
        chunks = [document[start:end] for start, end in itertools.pairwise([0, *cuts, len(document)])]
        assert parse(chunks) == by_the_letter(document), (document, chunks)


def test_nothing_after_the_end_is_looked_at() -> None:
    parser = SseParser(max_event_bytes=10)
    assert parser.feed(b"data: [DONE]\ndata: 1\n\n") == []
    assert parser.feed(b"data: " + b"x" * 100) == []
    assert parser.feed(b"\n\n") == []


@pytest.mark.parametrize("flood", [b"\n", b"\r\n", b": ping\n\n", b"event: e\n\n", b"id: 1\n", b"unknown\n"])
def test_a_flood_of_lines_without_data_costs_no_memory(flood: bytes) -> None:
    parser = SseParser(max_event_bytes=1000)
    chunk = flood * 1000
    parser.feed(chunk)
    tracemalloc.start()
    for _ in range(100):
        assert parser.feed(chunk) == []
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 10_000


@pytest.mark.parametrize("line", [b"data: " + b"x" * 99 + b"\n", b"x" * 100, b"data:\n" * 20])
def test_an_event_over_the_limit_is_an_error(line: bytes) -> None:
    parser = SseParser(max_event_bytes=10_000)
    assert parser.feed(b"data: 1\n\n") == [Event("1")]
    with pytest.raises(ProtocolError, match="over 10000 bytes"):  # noqa: PT012
        while True:
            assert parser.feed(line) == []


def test_a_retry_that_is_no_sensible_number_is_ignored() -> None:
    assert parse([b"retry: " + b"9" * 5000 + b"\ndata: 1\n\n"])[0] == [Event("1")]


def test_an_event_that_is_not_json_says_so() -> None:
    with pytest.raises(ProtocolError) as caught:
        Event("half a {").json()
    assert caught.value.code == "not_json"


def test_newlines_in_the_middle_of_json_text_are_the_workers_line_breaks() -> None:
    assert Event('{"text": "one\n word"}').json() == {"text": "one word"}
