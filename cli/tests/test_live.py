"""`livepeer live`: a real stream through a real network, checked by what is in the file."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

Run = Callable[..., subprocess.CompletedProcess[bytes]]
TARGETS = Path(__file__).with_name("live_targets.py")
PICTURES, FPS = 50, 25


def shade(number: int) -> int:
    return 20 + 4 * (number % 50)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=FPS, options={"g": "25", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for number in range(PICTURES):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade(number), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


@pytest.fixture(scope="module")
def transport_stream(clip: Path) -> Path:
    path = clip.with_suffix(".ts")
    with av.open(str(clip)) as source, av.open(str(path), "w") as output:
        copy = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                output.mux(packet)
    return path


class Network:
    """An orchestrator, a gateway, and one worker on them."""

    def __init__(self, start: Callable[..., Any], command: Path, target: str, *, networks: tuple[str, ...]) -> None:
        ports = ("--gateway-port", "0", "--orchestrator-port", "0")
        speaks = [word for network in networks for word in ("--network", network)]
        self.net = start(sys.executable, "-m", "livepeer.devnet", "--secret", "s", *ports, *speaks)
        self.orch_url: str = self.net.wait_for(r"orchestrator +(\S+)")[1]
        self.gateway_url: str = self.net.wait_for(r"gateway +(\S+)")[1]
        mode = ("--runner-mode", "persistent", "--app", "me/model") if "live-runner" in networks else ()
        self.worker = start(
            *(command, "serve", f"{TARGETS}:{target}", "--host", "127.0.0.1", "--port", "0"),
            *("--capability-name", "model", "--network", networks[0], *mode),
            ORCH_URL=self.orch_url,
            ORCH_TOKEN="s",
        )
        self.worker.wait_for("registered model")


@pytest.fixture(scope="module")
def network(start: Callable[..., Any], command: Path) -> Network:
    return Network(start, command, "Negative", networks=("byoc",))


@pytest.fixture(params=["orchestrator", "gateway"])
def way(request: pytest.FixtureRequest, network: Network) -> tuple[str, str]:
    return ("--orch", network.orch_url) if request.param == "orchestrator" else ("--gateway", network.gateway_url)


@pytest.fixture
def orch(network: Network) -> tuple[str, str]:
    return "--orch", network.orch_url


def shades(file: Path | bytes) -> list[float]:
    with av.open(BytesIO(file) if isinstance(file, bytes) else str(file)) as media:
        return [float(frame.to_ndarray(format="rgb24").mean()) for frame in media.decode(video=0)]


EXPECTED = [shade(number) for number in range(PICTURES)]


def test_a_clip_comes_back_whole_by_either_way(livepeer: Run, way: Any, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.ts"
    result = livepeer("live", "model", "--input", clip, "--output", path, *way)
    assert result.returncode == 0, result.stderr
    assert result.stdout == b""
    assert shades(path) == pytest.approx(EXPECTED, abs=8)
    last = result.stderr.decode().splitlines()[-1]
    assert re.search(rf"fps  latency \d+ ms  sent {PICTURES}  received {PICTURES}", last), last


def test_params_and_data_and_standard_output(livepeer: Run, orch: Any, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    words = ("--input", clip, "--output", "-", "--data", path, "--param", "inverted=true")
    result = livepeer("live", "model", *words, *orch)
    assert result.returncode == 0, result.stderr
    assert shades(result.stdout) == pytest.approx([255 - expected for expected in EXPECTED], abs=8)
    means = [json.loads(line)["mean"] for line in path.read_text().splitlines()]
    assert means == pytest.approx(EXPECTED, abs=8)


def test_data_alone_go_to_standard_output(livepeer: Run, orch: Any, clip: Path) -> None:
    result = livepeer("live", "model", "--input", clip, "--data", "-", *orch)
    assert result.returncode == 0, result.stderr
    assert [json.loads(line)["mean"] for line in result.stdout.splitlines()] == pytest.approx(EXPECTED, abs=8)


def test_a_transport_stream_can_be_piped_in(livepeer: Run, orch: Any, transport_stream: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.ts"
    result = livepeer("live", "model", "--input", "-", "--output", path, *orch, stdin=transport_stream.read_bytes())
    assert result.returncode == 0, result.stderr
    came = shades(path)  # Sent faster than it plays, so that the worker may leave pictures out.
    assert came == sorted(came)
    assert len(came) > 0
    assert all(min(abs(expected - shown) for expected in EXPECTED) < 4 for shown in came)


def test_a_named_pipe_is_read_as_standard_input_is(
    livepeer: Run, orch: Any, transport_stream: Path, tmp_path: Path
) -> None:
    pipe, path = tmp_path / "pipe", tmp_path / "out.ts"
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", str(transport_stream), str(pipe)]):
        result = livepeer("live", "model", "--input", pipe, "--output", path, *orch)
    assert result.returncode == 0, result.stderr
    assert len(shades(path)) > 0


def test_what_is_piped_in_and_no_transport_stream_is_refused(livepeer: Run, orch: Any, clip: Path) -> None:
    result = livepeer("live", "model", "--input", "-", *orch, stdin=clip.read_bytes())
    assert result.returncode == 2
    assert b"no MPEG-TS" in result.stderr.splitlines()[-1]


def test_a_file_is_not_written_over_while_it_is_sent(livepeer: Run, orch: Any, clip: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "clip.mp4", tmp_path / "other.mp4"
    path.write_bytes(clip.read_bytes())
    other.symlink_to(path)
    for option in ("--output", "--data"):
        result = livepeer("live", "model", "--input", path, option, other, *orch)
        assert result.returncode == 2
        assert b"written over" in result.stderr
    assert path.read_bytes() == clip.read_bytes()


def test_a_full_disk_is_one_line(livepeer: Run, orch: Any, clip: Path) -> None:
    result = livepeer("live", "model", "--input", clip, "--output", "/dev/full", *orch)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == b"error: /dev/full: No space left on device"
    assert b"Traceback" not in result.stderr


@contextmanager
def streaming(command: Path, *words: object, stdin: bytes | None = None) -> Generator[subprocess.Popen[bytes]]:
    """Run the command until its first figures, with small pipes; nobody reads its output yet."""
    with subprocess.Popen(
        [str(command), "live", "model", *map(str, words)],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pipesize=4096 if stdin is None else -1,
    ) as running:
        try:
            if running.stdin is not None:
                running.stdin.write(stdin or b"")
                running.stdin.flush()
            assert running.stderr is not None
            while b"fps" not in (line := running.stderr.readline()):  # some seconds later, or at the end
                assert line
            yield running
        finally:
            running.kill()


def last_line(running: subprocess.Popen[bytes]) -> bytes:
    assert running.stderr is not None
    return running.stderr.read().splitlines()[-1]


def test_ctrl_c_ends_a_stream_whose_pipe_is_silent(
    command: Path, orch: Any, transport_stream: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.ts"
    stdin = transport_stream.read_bytes()
    with streaming(command, "--input", "-", "--output", path, *orch, stdin=stdin) as running:
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
    assert len(shades(path)) > 0


@pytest.mark.parametrize("option", ["--output", "--data"])
def test_ctrl_c_ends_a_stream_whose_output_nobody_reads(command: Path, way: Any, clip: Path, option: str) -> None:
    with streaming(command, "--input", clip, "--loop", option, "-", *way) as running:
        running.send_signal(signal.SIGINT)
        assert running.wait(5) == 130
        assert last_line(running) == b"error: standard output: nobody reads what came last"


def test_a_named_pipe_that_nobody_reads_does_not_keep_the_command(
    command: Path, orch: Any, clip: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with streaming(command, "--input", clip, "--loop", "--output", pipe, *orch) as running:
        running.send_signal(signal.SIGINT)
        assert running.wait(5) == 130
        assert last_line(running).endswith(b"pipe: nobody reads what came last")


def test_a_second_signal_breaks_a_stream_off(command: Path, orch: Any, clip: Path) -> None:
    with streaming(command, "--input", clip, "--loop", "--output", "-", *orch) as running:
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 130
        assert last_line(running) == b"error: the stream was broken off"


def test_a_loop_ends_after_its_seconds(livepeer: Run, orch: Any, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.ts"
    result = livepeer("live", "model", "--input", clip, "--loop", "--seconds", "3", "--output", path, *orch)
    assert result.returncode == 0, result.stderr
    assert PICTURES < len(shades(path)) < 2 * PICTURES
    assert shades(path)[PICTURES : PICTURES + 5] == pytest.approx(EXPECTED[:5], abs=8)


def test_ctrl_c_ends_the_stream_and_keeps_what_came(
    start: Any, command: Path, orch: Any, clip: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.ts"
    running = start(command, "live", "model", "--input", clip, "--loop", "--output", path, *orch)
    running.wait_for(r"received [1-9]")
    assert running.end(signal.SIGINT) == 0
    assert shades(path)[:PICTURES] == pytest.approx(EXPECTED, abs=8)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_without_input_lasts_until_it_is_ended(
    start: Any, command: Path, network: Network, way: Any, number: int
) -> None:
    running = start(command, "live", "model", *way)
    running.wait_for(r"fps  sent 0  received 0")
    assert running.end(number) == 0
    network.worker.wait_for("the session ended: stopped")


def test_the_figures_move_on_a_terminal(command: Path, orch: Any, clip: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = ("live", "model", "--input", clip, "--output", tmp_path / "out.ts", *orch)
    with subprocess.Popen([command, *map(str, words)], stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b"".join(_read_all(ours))
        assert process.wait(30) == 0
    os.close(ours)
    assert len(re.findall(rb"fps", shown)) > 4
    assert b"\x1b[" in shown


def _read_all(terminal: int) -> Iterator[bytes]:
    try:
        while data := os.read(terminal, 65536):
            yield data
    except OSError:  # how a pseudo-terminal says that the other side is closed
        return


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--input", "nowhere.mp4"], 2, "nowhere.mp4: there is no such file"),
        (["--input", TARGETS], 2, "live_targets.py cannot be read"),
        (["--loop"], 2, "--loop goes with --input FILE"),
        (["--output", "-", "--data", "-"], 2, "cannot both go to standard output"),
        (["--signer", "http://127.0.0.1:1"], 2, "a gateway pays by itself"),
        (["--input", TARGETS.parent], 2, "is no file"),
        (["--output", "out.ts", "--data", "./out.ts"], 2, "cannot both go to one file"),
        (["--output", "/nowhere/out.ts"], 1, "/nowhere/out.ts"),
        (["--param", "inverted=perhaps"], 1, "inverted"),
        (["--param", "nonsense"], 2, "neither name=value nor @file"),
    ],
)
def test_what_cannot_work_is_one_line(livepeer: Run, orch: Any, words: list[Any], code: int, says: str) -> None:
    way = () if "--signer" in words else orch
    result = livepeer("live", "model", *words, *way)
    lines = result.stderr.decode().splitlines()
    assert lines[-1].startswith("error: ")
    assert says in lines[-1]
    assert (result.returncode, result.stdout) == (code, b"")


def test_a_network_that_is_not_there_is_one_line(livepeer: Run, clip: Path) -> None:
    result = livepeer("live", "model", "--input", clip, "--orch", "http://127.0.0.1:1")
    assert result.returncode == 1
    assert b"livepeer dev runs a network on this machine" in result.stderr


def test_a_worker_that_fails_fails_the_command(
    start: Any, command: Path, livepeer: Run, clip: Path, tmp_path: Path
) -> None:
    network = Network(start, command, "Failing", networks=("byoc",))
    result = livepeer("live", "model", "--input", clip, "--output", tmp_path / "out.ts", "--orch", network.orch_url)
    assert result.returncode == 1
    assert b"no more pictures" in result.stderr
    assert result.stderr.splitlines()[-1].startswith(b"error: model: the stream ended: hook_failed")


@pytest.mark.parametrize(
    ("target", "by", "says"),
    [("Failing", "gateway", b"hook_failed: more than 30 calls"), ("Dying", "orch", b"failed: the model's process")],
)
def test_a_stream_that_ends_while_its_pipe_is_silent_ends_the_command(
    start: Any, command: Path, transport_stream: Path, target: str, by: str, says: bytes
) -> None:
    network = Network(start, command, target, networks=("byoc",))
    way = (f"--{by}", network.gateway_url if by == "gateway" else network.orch_url)
    with streaming(command, "--input", "-", *way, stdin=transport_stream.read_bytes()) as running:
        assert running.wait(5) == 1
        assert last_line(running).startswith(b"error: model: the stream ended: " + says)


def test_what_the_worker_refuses_behind_a_gateway_names_who_tells_why(
    livepeer: Run, network: Network, clip: Path, tmp_path: Path
) -> None:
    words = ("--input", clip, "--loop", "--output", tmp_path / "out.ts", "--param", "inverted=perhaps")
    result = livepeer("live", "model", *words, "--gateway", network.gateway_url)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith(
        b"error: model: the stream ended before its input did; if the worker has refused it, --orch URL tells why"
    )


def test_a_live_runner_is_found_by_its_name(
    start: Any, command: Path, livepeer: Run, clip: Path, tmp_path: Path
) -> None:
    network = Network(start, command, "Negative", networks=("live-runner",))
    path = tmp_path / "out.ts"
    result = livepeer("live", "model", "--input", clip, "--output", path, "--orch", network.orch_url)
    assert result.returncode == 0, result.stderr
    assert shades(path) == pytest.approx(EXPECTED, abs=8)
