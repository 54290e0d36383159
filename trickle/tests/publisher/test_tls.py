"""TLS is checked unless it is said otherwise."""

import ssl
from pathlib import Path

import pytest
import trustme
from trickle_servers import running_server

from livepeer.trickle._errors import UnreachableError
from livepeer.trickle._outcomes import Acknowledged

from .conftest import Make


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure_url(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("tls")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    with running_server(ssl_certfile=str(folder / "both.pem"), ssl_keyfile=str(folder / "both.pem")) as server:
        yield server.base_url


async def test_a_server_whose_certificate_is_not_trusted_is_refused(make: Make, secure_url: str):
    with pytest.raises(UnreachableError):
        async with make(f"{secure_url}/c"):
            pass


async def test_a_server_can_be_trusted_by_its_authority_or_without_a_check(
    make: Make, secure_url: str, authority: trustme.CA, flavour: str
):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    for number, options in enumerate([{"ssl_context": context}, {"verify": False}]):
        async with make(f"{secure_url}/{flavour}-{number}", **options) as publisher:
            for _ in range(20):
                await publisher.publish(b"a" * 1000)
            segment = await publisher.publish(b"b" * 3_000_000)
            assert await segment.outcome() == Acknowledged(seq=20, bytes=3_000_000)
        assert publisher.stats.acknowledged == 21
        assert publisher.stats.reconnections == 0
