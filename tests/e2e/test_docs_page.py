"""The documentation page, as a browser without any network but this machine shows it."""

import shutil
import subprocess
from pathlib import Path

import anyio.to_thread
import pytest
from edge_harness import make_worker, serve_with

pytestmark = pytest.mark.anyio

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")


def rendered(url: str, profile: Path) -> str:
    """The page's elements, once its scripts have run."""
    assert BROWSER is not None
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--virtual-time-budget=10000", "--dump-dom", url,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.skipif(BROWSER is None, reason="needs chromium on the path")
async def test_the_page_shows_the_operation_and_its_fields(tmp_path: Path) -> None:
    async with serve_with(make_worker("process", "Rich")) as served:
        page = await anyio.to_thread.run_sync(rendered, f"{served.url}/docs", tmp_path)
    assert "rich-model" in page
    assert "Draw it." in page
    assert 'id="operations-default-predict"' in page
