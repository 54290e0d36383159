from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from .summary import Row, table

_ROWS = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the scenarios counted, those that failed included."""
    rows = config.stash.get(_ROWS, [])
    if rows:
        terminalreporter.section("faults")
        for line in table(rows):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Puts a row into the table at the end."""
    return request.config.stash[_ROWS].append


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the models of this test leave their records."""
    monkeypatch.setenv("LIVEPEER_FAULTS_RECORDS", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    left = psutil.Process().children(recursive=True)
    assert not left, [process.cmdline() for process in left]
