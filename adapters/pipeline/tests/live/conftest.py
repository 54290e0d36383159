"""Each test has a trickle server of its own."""

from collections.abc import Iterator

import pytest

from .streams import Network, network


@pytest.fixture
def anyio_backend() -> str:
    """The host's loop is asyncio's."""
    return "asyncio"


@pytest.fixture(name="network")
def _network() -> Iterator[Network]:
    with network() as made:
        yield made
