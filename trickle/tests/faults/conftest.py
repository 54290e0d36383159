from collections.abc import Generator

import pytest

from .fault_server import ServerProcess, server_process


@pytest.fixture
def server() -> Generator[ServerProcess]:
    with server_process() as running:
        yield running


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param
