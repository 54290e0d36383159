"""Thousands of requests as bytes, most of them broken.

A failure names its case: `pytest tests/fuzz --fuzz-seed SEED --fuzz-case NAME` sends that one again.
"""

import json
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx2
import pytest

from .case import Case, request
from .grammar import LARGE_DOCUMENT, cases
from .program import BODY_SECONDS, LEAKS, Program, told
from .wire import Answer, Heard, MalformedAnswerError, play, reset

EXAMPLES = {
    "Rich": b'{"prompt": "sea", "size": {"width": 4}, "tags": ["a"], "image": "aGk=", "ratio": 0.5, "on": true}',
    "Streaming": b'{"items": ["a", 1, {"width": 2}], "times": 2}',
    "Binary": b'{"data": "aGVsbG8=", "times": 1}',
}
MOST_BYTES = 150 * 1024 * 1024
"""How much more memory a server may hold than at first, with bodies of 10 MB behind it."""

MOST_DESCRIPTORS = 8
"""How many more open files: a server keeps a few shared files for the next large body."""


@pytest.fixture(scope="module")
def example(program: Program) -> bytes:
    return EXAMPLES[program.model]


@pytest.fixture(autouse=True)
def _well_afterwards(program: Program, example: bytes) -> Iterator[None]:
    """Run the test, then see that the server is as it was before anybody came."""
    sound = httpx2.post(f"{program.url}/predict", content=example, timeout=10, trust_env=False)
    before = program.use()
    yield
    program.wait_until_alone()
    health = program.wait_until_idle()
    assert (health["slots"]["in_use"], health["slots"]["waiting"]) == (0, 0)
    again = httpx2.post(f"{program.url}/predict", content=example, timeout=10, trust_env=False)
    assert (again.status_code, again.content) == (200, sound.content)
    program.wait_until_alone()
    after = program.use()
    assert after.descriptors <= before.descriptors + MOST_DESCRIPTORS, (before, after)
    assert after.bytes <= before.bytes + MOST_BYTES, (before, after)
    assert (lines := told(program.log())) == [], "\n".join(lines[:60])


def test_whatever_is_sent_gets_a_sound_answer_or_the_end(
    program: Program, example: bytes, seed: int, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    mutations = pytestconfig.getoption("--fuzz-mutations", default=1_000)
    only = pytestconfig.getoption("--fuzz-case", default="")
    failed, sent, answered, slowest = [], 0, 0, 0.0
    name = program.model.lower().encode()
    for case in cases(Random(seed), example=example, name=name, mutations=mutations):
        if only not in case.name:
            continue
        sent += 1
        try:
            heard = play(program.port, case)
        except (MalformedAnswerError, TimeoutError, ValueError) as error:
            failed.append(_report(case, repr(error), seed, tmp_path))
            continue
        answered += len(heard.answers)
        slowest = max(slowest, heard.seconds)
        failed += [_report(case, wrong, seed, tmp_path) for wrong in _wrongs(case, heard)]
    print(f"{program.model}: {sent} cases, {answered} answers, the slowest {slowest:.2f} s, seed {seed}")
    assert not failed, "\n".join([*failed[:20], f"{len(failed)} of {sent} cases failed"])


def _wrongs(case: Case, heard: Heard) -> list[str]:
    """What is wrong with what was heard."""
    found = [wrong for answer in heard.answers if (wrong := _wrong(answer))]
    if len(heard.answers) > case.answers:
        found.append(f"{len(heard.answers)} answers to {case.answers} requests")
    if case.whole and case.ending == "read" and not heard.answers:
        found.append("no answer")
    # A server that has refused what follows a request resets who goes on sending, perhaps within that one's answer.
    if heard.rest and case.ending == "read" and (case.whole or not heard.reset):
        found.append(f"the connection ended within an answer: {heard.rest[:200]!r}")
    return found


def _wrong(answer: Answer) -> str:
    text = answer.body.decode("utf-8", "replace")
    if answer.status == 500 or (answer.status > 500 and answer.status not in (501, 503, 505)):
        return f"status {answer.status}: {text[:500]}"
    if leaks := [leak for leak in LEAKS if leak in text]:
        return f"the answer tells {leaks}: {text[:500]}"
    if answer.status >= 400:
        return _wrong_problem(answer, text)
    return ""


def _wrong_problem(answer: Answer, text: str) -> str:
    media_type = answer.headers.get("content-type", "")
    if media_type != "application/problem+json":
        return f"{answer.status} is {media_type!r}: {text[:500]}"
    if answer.body and json.loads(text)["status"] != answer.status:
        return f"{answer.status} says another status: {text[:500]}"
    return ""


def _report(case: Case, wrong: str, seed: int, folder: Path) -> str:
    """A failure in words, with all that it takes to see it again."""
    content = repr(case.pieces)
    if len(content) > 2_000:
        path = folder / f"{abs(hash(case.name))}.bytes"
        path.write_bytes(case.content)
        content = f"the bytes in {path}"
    return f"{wrong}\n    --fuzz-seed {seed} --fuzz-case {case.name!r}: {content}"


HALVES = {
    "nothing": b"",
    "half a first line": b"POST /pre",
    "half a head": b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nContent-Le",
    "a head that promises a body": b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nContent-Length: 100\r\n\r\n",
    "half a body": b'POST /predict HTTP/1.1\r\nHost: fuzz\r\nContent-Length: 100\r\n\r\n{"a": ',
    "half a chunk": b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "half a trailer": b"POST /predict HTTP/1.1\r\nHost: fuzz\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrail",
    "a body that is refused at once": b"POST /nothing HTTP/1.1\r\nHost: fuzz\r\nContent-Length: 100\r\n\r\n{",
    "a whole request": request(),
    "one and a half": request() + b"GET /hea",
}
SILENCE_SECONDS = BODY_SECONDS + 5 + 3
"""A body's time, that of an idle connection, and some for a busy machine."""


@pytest.mark.parametrize("program", ["Rich"], indirect=True)
def test_a_connection_that_falls_silent_is_closed_in_time(program: Program) -> None:
    begun = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for label, half in HALVES.items():
            sock = socket.create_connection(("127.0.0.1", program.port))
            sock.sendall(half)
            selector.register(sock, selectors.EVENT_READ, label)
        while selector.get_map():
            left = [str(key.data) for key in selector.get_map().values()]
            assert time.monotonic() - begun < SILENCE_SECONDS, f"still open: {left}"
            for key, _ in selector.select(0.1):
                if not _read(key.fileobj):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


@pytest.mark.parametrize("program", ["Rich"], indirect=True)
def test_a_head_that_comes_slowly_is_given_up(program: Program) -> None:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", program.port)) as sock:
        sock.settimeout(0.2)
        sock.sendall(b"GET /health HTTP/1.1\r\nName: ")
        while _goes_on(sock):
            assert time.monotonic() - begun < SILENCE_SECONDS


ENDLESS = {
    "method": (b"", b"G" * 65_536),
    "path": (b"GET /", b"a" * 65_536),
    "header": (b"GET /health HTTP/1.1\r\nName: ", b"x" * 65_536),
    "headers": (b"GET /health HTTP/1.1\r\n", b"Name: value\r\n" * 5_000),
    "chunk's extension": (b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 65_536),
    "trailer": (b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"Name: value\r\n" * 5_000),
    "trailer of a refused body": (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nName: ", b"x" * 65_536),
    "blank lines": (b"", b"\r\n" * 30_000),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_has_no_end_is_cut_off_early(program: Program, what: str) -> None:
    begin, more = ENDLESS[what]
    with socket.create_connection(("127.0.0.1", program.port), timeout=5) as sock:
        sent = 0
        try:
            sock.sendall(begin)
            while sent < 64 * 1024 * 1024:
                sock.sendall(more)
                sent += len(more)
        except (ConnectionResetError, BrokenPipeError):
            return
    raise AssertionError(f"the server took {sent} bytes")


def test_thousands_of_callers_who_come_and_go_leave_nothing(program: Program, example: bytes, seed: int) -> None:
    random = Random(seed)
    call = request(b"POST", b"/predict", body=example)
    for _ in range(3_000):
        with socket.create_connection(("127.0.0.1", program.port)) as sock:
            sock.sendall(call[: random.choice((0, 1, 20, len(call)))])
            if random.random() < 0.5:
                reset(sock)


def test_a_caller_who_resets_within_an_answer_leaves_nothing(program: Program) -> None:
    for size in (1, 100, 100_000):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", program.port)) as sock:
                sock.sendall(request(b"GET", LARGE_DOCUMENT) * 3)
                sock.recv(size)
                reset(sock)


def _read(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65_536)
    except ConnectionResetError:
        return b""


def _goes_on(sock: socket.socket) -> bool:
    """Send one more byte; whether the connection is still there a moment later."""
    try:
        sock.sendall(b"x")
        return bool(sock.recv(1))
    except TimeoutError:
        return True
    except (ConnectionResetError, BrokenPipeError):
        return False
