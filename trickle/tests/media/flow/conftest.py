from collections.abc import Generator

import pytest
from media_stages import Stage
from trickle_servers import RunningServer, running_server


@pytest.fixture(scope="module")
def server() -> Generator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def stage(server: RunningServer) -> Generator[Stage]:
    stage = Stage(server)
    try:
        yield stage
    finally:
        stage.close()
