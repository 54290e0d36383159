from collections.abc import Iterator

import psutil
import pytest

from .program import Program, running

SEED = 20_261


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fuzz")
    group.addoption("--fuzz-seed", type=int, default=SEED, help="where the cases' chance begins")
    group.addoption("--fuzz-mutations", type=int, default=1_000, help="how many cases a server gets by chance")
    group.addoption("--fuzz-case", default="", help="send the cases alone whose names hold this")


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    # Another folder's run that comes here too has read its options before it knew of these.
    return request.config.getoption("--fuzz-seed", default=SEED)


@pytest.fixture(scope="module", params=["Rich", "Streaming", "Binary"])
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A server of each model, in turn."""
    with running(request.param) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    left = psutil.Process().children(recursive=True)
    assert not left, [process.cmdline() for process in left]
