"""Frames, events and errors: what goes in comes out."""

import json
import os
import random
import socket

import psutil
import pytest

from livepeer.core import MAX_LINE_BYTES, BusyError, FieldError, InvalidInputError, Problem, sse_event
from livepeer.host._mount_wire import (
    MOUNT_END,
    MOUNT_GONE,
    MOUNT_MESSAGES,
    MOUNT_OPEN,
    pack_end,
    pack_messages,
    pack_open,
    unpack_end,
    unpack_messages,
    unpack_open,
)
from livepeer.host._wire import (
    ANSWER,
    CALL,
    EVENTS,
    HEAD,
    FrameReader,
    pack,
    pack_answer,
    pack_call,
    pack_credit,
    pack_head,
    pack_shared,
    read_shared,
    share,
    unpack_answer,
    unpack_call,
    unpack_credit,
    unpack_head,
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
    assert (second.kind, unpack_answer(second)) == (ANSWER, (b"image/png", b"{}", b"png", 0, 200, []))
    assert unpack_answer(third) == (b"", b"", b"1", 0, 200, ())
    assert unpack_credit(credit) == 2**40


def test_an_answer_and_a_stream_have_a_status_and_headers_of_their_own() -> None:
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2: x"), (b"x-empty", b"")]
    answer = pack_answer(1, media_type=b"", metrics=b"", body=b"1", status=418, headers=headers)
    bare = pack_answer(2, media_type=b"", metrics=b"", body=b"1", status=404)
    first, second, third = through(answer, bare, pack_head(3, status=202, headers=headers))
    assert unpack_answer(first) == (b"", b"", b"1", 0, 418, headers)
    assert unpack_answer(second) == (b"", b"", b"1", 0, 404, ())
    assert (third.kind, unpack_head(third)) == (HEAD, (202, headers))


@pytest.mark.parametrize(
    "header",
    [(b"a b", b"x"), (b"", b"x"), (b"a:b", b"x"), (b"X-Upper", b"x"), (b"a", b"x\r\ninjected: 1"), (b"a", b"\n")],
)
def test_what_is_no_header_does_not_cross(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="is none"):
        pack_answer(1, media_type=b"", metrics=b"", headers=[header])
    with pytest.raises(ValueError, match="is none"):
        pack_head(1, status=200, headers=[header])


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


SCOPE = {
    "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "PUT",
    "scheme": "http", "path": "/é😀", "raw_path": b"/%C3%A9", "query_string": b"a=\xff", "client": ("::1", 5),
    "server": ("/run/socket", None), "headers": [(b"X-Odd", b"caf\xe9"), (b"x-odd", b"")],
}  # fmt: skip

MESSAGES = [
    {"type": "http.request", "body": b"\x00\xff", "more_body": True},
    {"type": "http.response.start", "status": 200, "headers": [(b"a", b"\xe9"), (b"a", b"")]},
    {"type": "http.response.body"},
    {"type": "websocket.receive", "bytes": None, "text": "é😀"},
    {"type": "websocket.send", "bytes": b"", "text": None},
    {"type": "websocket.close", "code": 4000, "reason": "é"},
]


def test_a_scope_crosses_whole_and_what_cannot_stays() -> None:
    here_only = {"state": {"x": object()}, "app": object(), "root_path": "/outer"}
    extensions = {"websocket.http.response": {}, "http.response.pathsend": {}}
    sent = {**SCOPE, **here_only, "extensions": extensions}
    (frame,) = through(pack_open(7, 3, request_id="id", scope=sent, messages=MESSAGES))
    assert (frame.kind, frame.call) == (MOUNT_OPEN, 7)
    opening = unpack_open(frame.payload)
    assert opening[:2] == (3, "id")
    assert opening.scope == {**SCOPE, "root_path": "", "extensions": {"websocket.http.response": {}}}
    assert opening.messages == MESSAGES


def test_messages_are_read_as_they_were_written() -> None:
    frames = through(
        pack_messages(1, MESSAGES),
        *(pack_messages(1, [message], kind=MOUNT_GONE) for message in MESSAGES),
        pack_end(1, MESSAGES, None),
        pack_end(1, [], b'{"code":"x"}'),
    )
    assert [frame.kind for frame in frames] == [MOUNT_MESSAGES, *([MOUNT_GONE] * len(MESSAGES)), MOUNT_END, MOUNT_END]
    assert unpack_messages(frames[0].payload) == MESSAGES
    assert [unpack_messages(frame.payload)[0] for frame in frames[1:-2]] == MESSAGES
    assert unpack_end(frames[-2].payload) == (MESSAGES, None)
    assert unpack_end(frames[-1].payload) == ([], '{"code":"x"}')


@pytest.mark.parametrize("body", [5, object(), {"a": 1}])
def test_what_is_no_message_is_refused_where_it_is_sent(body: object) -> None:
    with pytest.raises(TypeError):
        pack_messages(1, [{"type": "http.response.body", "body": body}])
    with pytest.raises(TypeError):
        pack_messages(1, [{"type": "http.response.body", "more_body": object()}])
