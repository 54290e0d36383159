import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def test_an_answer_is_json_on_standard_output_and_the_models_words_are_not(livepeer: Run, targets: Path) -> None:
    result = livepeer("predict", f"{targets}:Echo", "-i", "text=123", "-i", "number=7", "-i", f"content=@{__file__}")
    assert json.loads(result.stdout) == {"text": "123", "number": 7, "content": Path(__file__).read_text()}
    assert result.stderr.decode().splitlines() == ["echo is being set up", "echo is running"]
    assert result.returncode == 0


def test_a_whole_document_comes_from_standard_input(livepeer: Run, targets: Path) -> None:
    result = livepeer("predict", f"{targets}:Echo", "-i", "@-", stdin=b'{"text": "piped"}')
    assert json.loads(result.stdout)["text"] == "piped"


def test_streamed_strings_run_on_as_one_text(livepeer: Run, targets: Path) -> None:
    result = livepeer("predict", f"{targets}:Story")
    assert (result.stdout, result.stderr, result.returncode) == (b"once upon a time\n", b"", 0)


def test_streamed_items_are_lines_and_progress_is_shown_beside_them(livepeer: Run, targets: Path) -> None:
    result = livepeer("predict", f"{targets}:Items", "-i", "count=2")
    assert result.stdout == b'{"place": 0}\n{"place": 1}\n'
    assert result.stderr.decode().split("\n") == [" 50% counting", "100% counting", ""]


def test_a_stream_that_fails_keeps_what_came_before(livepeer: Run, targets: Path) -> None:
    result = livepeer("predict", f"{targets}:Items", "-i", "count=3")
    assert len(result.stdout.splitlines()) == 3
    assert b"RuntimeError: too many" in result.stderr
    assert result.stderr.splitlines()[-1].startswith(b"error: The model failed: ")
    assert result.returncode == 1


def test_binary_goes_to_a_file_and_into_a_pipe_as_it_is(livepeer: Run, targets: Path, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    piped = livepeer("predict", f"{targets}:Picture")
    written = livepeer("predict", f"{targets}:Picture", "-o", path)
    assert piped.stdout.startswith(b"\x89PNG")
    assert (written.stdout, path.read_bytes()) == (b"", piped.stdout)


def test_a_data_uri_is_written_to_a_file_as_what_it_holds(livepeer: Run, targets: Path, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    piped = livepeer("predict", f"{targets}:Address")
    livepeer("predict", f"{targets}:Address", "-o", path)
    assert piped.stdout.startswith(b"data:image/png;base64,")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_binary_is_not_dumped_on_a_terminal(command: Path, targets: Path) -> None:
    terminal, other_end = pty.openpty()
    try:
        result = subprocess.run(
            [command, "predict", f"{targets}:Picture"],
            stdout=other_end,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
    finally:
        os.close(other_end)
        os.close(terminal)
    assert result.stderr == b"error: the answer is image/png: write it to a file with -o FILE, or into a pipe\n"
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("name", "items", "line"),
    [
        ("Echo", (), "error: The input does not fit the schema: text: Field required"),
        ("BrokenSetup", ("-i", "text=x"), "error: setup() failed: RuntimeError: no weights"),
        ("Crash", (), "error: the model's process ended with exit code 3"),
        ("Nothing", (), "has no attribute 'Nothing'"),
        ("Story --route nothing", (), "error: there is no operation at nothing; there is predict"),
    ],
)
def test_what_goes_wrong_is_the_last_line(
    livepeer: Run, targets: Path, name: str, items: tuple[str], line: str
) -> None:
    result = livepeer("predict", *f"{targets}:{name}".split(), *items)
    assert line in result.stderr.decode().splitlines()[-1]
    assert result.stdout == b""
    assert result.returncode == (2 if "--route" in name else 1)
