from collections.abc import Iterator
from itertools import count

import pytest
from trickle_servers import RunningServer, running_server

_NUMBERS = count()


@pytest.fixture(scope="package")
def server() -> Iterator[RunningServer]:
    with running_server(abort_grace_seconds=0.1) as running:
        yield running


@pytest.fixture
def url(server: RunningServer) -> str:
    """Of a channel that nobody has used."""
    return f"{server.base_url}/channel-{next(_NUMBERS)}"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param
