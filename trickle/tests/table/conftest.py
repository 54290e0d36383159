"""The servers and channels of the table's tests, and which tests are for which server."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from uuid import uuid4

import pytest

from .table_channels import Channel
from .table_servers import HASTY_FLAGS, UnavailableError, asks_the_reference, serving, serving_ours
from .table_silence import TOLD_SECONDS, LongSilence, keeping_silent

OURS_ALONE = "improved"
REFERENCE_ALONE = "reference"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{OURS_ALONE}(why): ours answers better here than the reference: not asked of it"
    )
    config.addinivalue_line("markers", f"{REFERENCE_ALONE}(why): what only the reference does: not asked of ours")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    other = OURS_ALONE if asks_the_reference() else REFERENCE_ALONE
    left_out = [item for item in items if item.get_closest_marker(other)]
    config.hook.pytest_deselected(items=left_out)
    kept = [item for item in items if item not in left_out]
    items[:] = sorted(kept, key=waits_long)


def waits_long(item: pytest.Item) -> bool:
    """Whether a test waits for the long silence, and so comes last."""
    return "long_silence" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def base_of() -> Iterator[Callable[[str], str]]:
    """The base URL of a server of one kind, started when first asked for."""
    bases: dict[str, str] = {}
    with ExitStack() as servers:

        def base_of(kind: str) -> str:
            if kind not in bases:
                try:
                    bases[kind] = servers.enter_context(serving(kind))
                except UnavailableError as error:
                    pytest.skip(str(error))
            return bases[kind]

        yield base_of


@pytest.fixture
def channel_at() -> Iterator[Callable[[str], Channel]]:
    """A channel of a name of its own, not yet created, at the server of a base URL."""
    with ExitStack() as wires:
        yield lambda base: Channel(base=base, name=f"table-{uuid4().hex[:12]}", wires=wires)


@pytest.fixture
def channel(base_of: Callable[[str], str], channel_at: Callable[[str], Channel]) -> Channel:
    """A channel of a server with autocreate."""
    return channel_at(base_of("PLAIN"))


@pytest.fixture
def strict_channel(base_of: Callable[[str], str], channel_at: Callable[[str], Channel]) -> Channel:
    """A channel of a server without autocreate, below a path of its own."""
    return channel_at(base_of("STRICT"))


@pytest.fixture
def swept_channel(base_of: Callable[[str], str], channel_at: Callable[[str], Channel]) -> Channel:
    """A channel of a server that sweeps soon."""
    return channel_at(base_of("SWEPT"))


@pytest.fixture
def announced_channel(base_of: Callable[[str], str], channel_at: Callable[[str], Channel]) -> Channel:
    """A channel of a server with a changefeed."""
    return channel_at(base_of("CHANGEFEED"))


@pytest.fixture
def hooked_channel(base_of: Callable[[str], str], channel_at: Callable[[str], Channel]) -> Channel:
    """A channel of a server with hooks."""
    return channel_at(base_of("HOOKED"))


@pytest.fixture(scope="session")
def hasty_base() -> Iterator[str]:
    """The base URL of our server with short limits."""
    with serving_ours(*HASTY_FLAGS) as base:
        yield base


@pytest.fixture
def hasty_channel(hasty_base: str, channel_at: Callable[[str], Channel]) -> Channel:
    """A channel of our server with short limits."""
    return channel_at(hasty_base)


@pytest.fixture(scope="session", autouse=True)
def silence(request: pytest.FixtureRequest, base_of: Callable[[str], str]) -> Iterator[Future[LongSilence] | None]:
    """A silent POST that begins with the first test, where a test asks what came of it."""
    if not any(map(waits_long, request.session.items)):
        yield None
        return
    with keeping_silent(base_of("PLAIN"), f"{uuid4().hex}/0") as silence:
        yield silence


@pytest.fixture
def long_silence(silence: Future[LongSilence]) -> LongSilence:
    """What the silent POST was told in its first twenty seconds."""
    return silence.result(3 * TOLD_SECONDS)
