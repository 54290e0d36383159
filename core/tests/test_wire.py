"""Frames, events and errors: what goes in comes out."""

import json
import os
import random
import socket

import psutil
import pytest

from livepeer.core import MAX_LINE_BYTES, BusyError, FieldError, InvalidInputError, Problem, sse_event
from livepeer.host._wire import (
    ANSWER,
    CALL,
    EVENTS,
    FrameReader,
    pack,
    pack_answer,
    pack_call,
    pack_credit,
    pack_shared,
    read_shared,
    share,
    unpack_answer,
    unpack_call,
    unpack_credit,
)


def through(*sent: bytes) -> list[object]:
    """Send pieces, and read frames as they come."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = FrameReader(theirs)
        frames: list[object] = []
        for piece in sent:
            ours.sendall(piece)
            while found := reader.receive(wait=False):
                frames += found
        return frames


def test_frames_come_out_whole_however_they_are_cut() -> None:
    rng = random.Random(5)
    payloads = [rng.randbytes(rng.choice([0, 1, 30, 5_000])) for _ in range(50)]
    wire = b"".join(pack(EVENTS, number, payload) for number, payload in enumerate(payloads))
    for _ in range(20):
        cuts = sorted(rng.sample(range(len(wire)), 40))
        pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
        frames = through(*pieces)
        assert [frame.payload for frame in frames] == payloads
        assert [frame.call for frame in frames] == list(range(50))


def test_a_call_and_an_answer_are_read_as_they_were_written() -> None:
    call = pack_call(7, 1, timeout_seconds=1.5, media_type=b"a/b", request_id=b"id", headers=b"a:b\nc:d", body=b"body")
    answer = pack_answer(8, media_type=b"image/png", metrics=b"{}", body=b"png")
    plain = pack_answer(9, media_type=b"", metrics=b"", body=b"1")
    first, second, third, credit = through(call, answer, plain, pack_credit(3, 2**40))
    assert (first.kind, first.call) == (CALL, 7)
    assert unpack_call(first) == (1, 1.5, "a/b", "id", b"a:b\nc:d", b"body")
    assert (second.kind, unpack_answer(second)) == (ANSWER, (b"image/png", b"{}", b"png", 0))
    assert unpack_answer(third) == (b"", b"", b"1", 0)
    assert unpack_credit(credit) == 2**40


def test_shared_bodies_keep_to_their_frames() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = FrameReader(theirs)
        for number in range(5):
            ours.sendall(pack(EVENTS, 100 + number, b"small"))
            body = share(bytes([number]) * 100_000)
            socket.send_fds(ours, [pack_shared(EVENTS, number)], [body])
            os.close(body)
        frames: list[object] = []
        while found := reader.receive(wait=False):
            frames += found
        for frame in frames:
            if frame.shared is not None:
                assert read_shared(frame.shared, 100_000) == bytes([frame.call]) * 100_000
                os.close(frame.shared)
        assert len(frames) == 10


def test_descriptors_of_frames_never_read_are_closed() -> None:
    before = psutil.Process().num_fds()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = FrameReader(theirs)
        body = share(b"x" * 100)
        socket.send_fds(ours, [pack_shared(EVENTS, 1)[:5]], [body])
        os.close(body)
        assert reader.receive() == []
        reader.close()
    assert psutil.Process().num_fds() == before


@pytest.mark.parametrize("size", [1, MAX_LINE_BYTES - 6, MAX_LINE_BYTES - 5, 1_000_000])
def test_no_event_has_a_line_that_a_relay_drops(size: int) -> None:
    for letter in ("a", "é", "😀"):
        data = ('"' + letter * size + '"').encode()
        event = sse_event(data)
        lines = event.split(b"\n")
        assert max(map(len, lines)) <= MAX_LINE_BYTES
        assert all(line.decode().startswith("data: ") for line in lines[:-2])
        assert b"".join(line[6:] for line in lines) == data


def test_done_inside_data_is_escaped_and_means_the_same() -> None:
    for value in ("[DONE]", "\\[DONE]", ["[DONE]", {"[DONE]": "[[DONE]]"}]):
        data = json.dumps(value, separators=(",", ":")).encode()
        event = sse_event(data)
        assert b"[DONE]" not in event
        assert json.loads(event.removeprefix(b"data: ")) == value


def test_an_error_survives_its_journey() -> None:
    for error in (
        InvalidInputError("bad", errors=[FieldError(field="a.0", reason="no")]),
        BusyError("full", retry_after_seconds=2),
    ):
        back = Problem.model_validate_json(Problem.of(error, request_id="r").to_json()).to_error()
        assert type(back) is type(error)
        assert (back.detail, back.errors, back.retry_after_seconds) == (
            error.detail, error.errors, error.retry_after_seconds,
        )  # fmt: skip
