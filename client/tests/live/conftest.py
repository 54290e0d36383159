from collections.abc import AsyncIterator

import pytest

from livepeer.client import Gateway

from .networks import Network, running


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with running() as network:
        yield network


@pytest.fixture
async def gateway(network: Network) -> AsyncIterator[Gateway]:
    async with Gateway(orch_url=network.url) as gateway:
        yield gateway
