"""Which failures another orchestrator, or another try, may mend."""

import contextlib
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from livepeer.client import (
    BusyError,
    DisconnectedError,
    LivepeerError,
    ModelFailedError,
    RefusedError,
    Signature,
    UnreachableError,
)


def says(status: int) -> Any:
    async def answer(seen: Any) -> Response:
        return JSONResponse({"title": f"says {status}", "status": status}, status)

    return answer


def read_call(connection: socket.socket) -> bool:
    """Read a whole request whose body is ``{}``: closing before that would reset the connection.

    The question for runners before it is answered as an orchestrator without Live Runner does.
    """
    received = b""
    while not received.endswith(b"\r\n\r\n{}"):
        chunk = connection.recv(65536)
        if not chunk:
            return False
        received += chunk
        if received.startswith(b"GET ") and received.endswith(b"\r\n\r\n"):
            assert b"/discovery HTTP" in received
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            received = b""
    return True


@pytest.mark.parametrize("status", [500, 503, 401])
async def test_the_next_orchestrator_is_asked_after(server: Any, caller: Any, status: int) -> None:
    first, one = server.orchestrator(says(status))
    second, two = server.orchestrator(says(200))
    assert await caller.run(caller.gateway(orch_url=[first, second]), "model") == {"title": "says 200", "status": 200}
    assert (len(one.seen), len(two.seen)) == (1, 1)
    assert one.seen[0].job == two.seen[0].job


async def test_a_4xx_is_final(server: Any, caller: Any) -> None:
    first, _ = server.orchestrator(says(404))
    second, two = server.orchestrator(says(200))
    with pytest.raises(RefusedError):
        await caller.run(caller.gateway(orch_url=[first, second]), "model")
    assert two.seen == []


async def test_an_orchestrator_that_answered_is_never_asked_again(server: Any, caller: Any, dead_url: str) -> None:
    first, one = server.orchestrator(says(500))
    second, two = server.orchestrator(says(503))
    with pytest.raises(BusyError) as caught:
        await caller.run(caller.gateway(orch_url=[dead_url, first, second], connect_retries=1), "model")
    assert (len(one.seen), len(two.seen)) == (1, 1)
    notes = "\n".join(caught.value.__notes__)
    assert f"{first}: says 500" in notes
    assert f"{dead_url}: cannot connect" in notes


async def test_the_next_orchestrator_is_asked_where_no_connection_opens(
    server: Any, caller: Any, dead_url: str
) -> None:
    live, _ = server.orchestrator(says(200))
    assert (await caller.stream(caller.gateway(orch_url=[dead_url, live]), "model"))[0].json()["status"] == 200


async def test_a_connection_that_cannot_be_opened_is_tried_again(server: Any, caller: Any) -> None:
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{late.getsockname()[1]}"
        asked = threading.Event()

        class Signer:
            def sign(self, request: str, parameters: str) -> Signature:
                asked.set()
                return Signature(sender="0x00", sig="00")

        def open_late() -> None:
            asked.wait(5)
            late.listen()
            connection, _ = late.accept()
            with connection:
                read_call(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue")

        thread = threading.Thread(target=open_late)
        thread.start()
        assert await caller.run(caller.gateway(orch_url=url, signer=Signer()), "model") is True
        thread.join()


async def test_tries_to_connect_are_bounded_and_pause_between(caller: Any, dead_url: str) -> None:
    started = time.monotonic()
    with pytest.raises(UnreachableError) as caught:
        await caller.run(caller.gateway(gateway_url=dead_url, connect_retries=1), "model")
    error: LivepeerError = caught.value
    assert (error.status, error.code, error.retryable) == (None, "unreachable", True)
    assert 0.2 <= time.monotonic() - started < 5


@pytest.fixture
def self_signed(tmp_path: pathlib.Path) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = [
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=orchestrator",
    ]
    command = [openssl, "req", *options, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_self_signed_certificate_is_accepted_only_when_asked(caller: Any, self_signed: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted: list[socket.socket] = []

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                accepted.append(connection)
                with contextlib.suppress(OSError), self_signed.wrap_socket(connection, server_side=True) as secured:
                    if read_call(secured):
                        secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue")
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(UnreachableError, match="verify") as caught:
            await caller.run(caller.gateway(orch_url=url), "model")
        assert not caught.value.retryable
        assert await caller.run(caller.gateway(orch_url=url, verify=False), "model") is True
        thread.join()
    assert len(accepted) == 2


async def test_a_call_that_may_have_run_is_never_sent_again(server: Any, caller: Any) -> None:
    live, worker = server.orchestrator(says(200))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            with connection:
                read_call(connection)

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(DisconnectedError):
            await caller.run(caller.gateway(orch_url=[url, live]), "model")
        thread.join()
    assert worker.seen == []


async def test_a_runner_elsewhere_is_verified_though_its_orchestrator_is_plain_http(
    server: Any, caller: Any, self_signed: ssl.SSLContext
) -> None:
    async def never(request: Any) -> Response:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError), self_signed.wrap_socket(connection, server_side=True):
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        orchestrator = server.live_orchestrator()
        orchestrator.add(never, url=f"https://127.0.0.1:{listener.getsockname()[1]}/apps/runner/app")
        with pytest.raises(UnreachableError, match="verify"):
            await caller.run(caller.gateway(orch_url=orchestrator.url), "model")
        thread.join()


@pytest.mark.parametrize(
    ("text", "status", "retryable"),
    [
        ("job not able to be processed, removing capability err=connection refused", 500, True),
        ('{"error": {"message": "connection refused"}}', 502, True),
        ("the model is at fault", 500, False),
    ],
)
async def test_a_worker_that_was_lost_is_worth_another_try(
    server: Any, caller: Any, text: str, status: int, retryable: bool
) -> None:
    async def lost(seen: Any) -> Response:
        return PlainTextResponse(text, status)

    url, _ = server.orchestrator(lost)
    with pytest.raises(ModelFailedError) as caught:
        await caller.run(caller.gateway(orch_url=url), "model")
    assert (caught.value.status, caught.value.retryable) == (status, retryable)
