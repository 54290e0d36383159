import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_target_is_served_until_a_signal(
    start: Callable[..., Any], command: Path, targets: Path, number: signal.Signals
) -> None:
    served = start(command, "serve", f"{targets}:Echo", "--host", "127.0.0.1", "--port", "0")
    url = served.wait_for(r"at (http://127.0.0.1:\d+); Ctrl-C ends it").group(1)
    served.wait_for("echo is being set up")
    with httpx2.Client(base_url=url, transport=httpx2.HTTPTransport(retries=3)) as client:
        assert client.get("/schema").json()["name"] == "echo"
    assert served.end(number) == 0


def test_settings_that_do_not_fit_are_one_line(livepeer: Callable[..., Any], targets: Path) -> None:
    result = livepeer("serve", f"{targets}:Echo", "--port", "0", ORCH_URL="http://127.0.0.1:1")
    assert result.returncode == 2
    assert result.stderr.decode().splitlines()[-1] == (
        "error: ORCH_URL is set: set ORCH_TOKEN to the orchestrator's secret too"
    )
