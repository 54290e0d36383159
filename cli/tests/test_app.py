import subprocess
import sys

import pytest
from typer.testing import CliRunner

import livepeer.cli
from livepeer.cli import app

COMMANDS = ("serve", "predict", "schema", "dev", "call", "live")


def test_every_exported_name_exists_and_is_sorted() -> None:
    assert sorted(livepeer.cli.__all__) == livepeer.cli.__all__
    assert all(hasattr(livepeer.cli, name) for name in livepeer.cli.__all__)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_ends_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert result.output.strip().splitlines()[-1].strip().startswith(f"Example: livepeer {command} ")


def test_the_command_alone_shows_its_help() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0
    assert all(command in result.output for command in COMMANDS)


def test_the_version_is_the_distributions() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, "livepeer 0.1.0\n")


def test_the_help_needs_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from livepeer.cli import app\n"
        "CliRunner().invoke(app, ['dev', '--help'])\n"
        "sys.exit(' '.join(sys.modules.keys() & {'uvicorn', 'httpx2', 'livepeer.core', 'livepeer.server'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=False)
    assert result.stderr.strip() == b""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["predict"], "error: Missing argument 'TARGET'. (see livepeer predict --help)"),
        (["nonsense"], "error: No such command 'nonsense'. (see livepeer --help)"),
        (["serve", "x", "--port", "99999"], "error: Invalid value for '--port'"),
        (["call", "x", "-i", "text"], "error: -i 'text' is neither name=value nor @file"),
        (["call", "x", "--gateway", "nonsense"], "error: 'nonsense' is no base URL"),
    ],
)
def test_a_usage_error_is_one_line_and_exit_code_2(arguments: list[str], line: str) -> None:
    result = CliRunner().invoke(app, arguments, prog_name="livepeer")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(line)


@pytest.mark.parametrize("command", ["serve", "predict", "schema", "dev"])
def test_a_target_that_does_not_exist_is_one_line_and_exit_code_1(command: str) -> None:
    for target in ("no_such_module:Thing", "no/such/file.py"):
        result = CliRunner().invoke(app, [command, target])
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith(f"error: {target!r}: there is n")
