"""BentoML's own clients against a real server of ours: they know it only by what it serves."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import bentoml
import numpy as np
import pytest
from bento_serving import serving
from bentoml.exceptions import BentoMLException, InvalidArgument, NotFound
from PIL import Image

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server's, which runs on a thread of its own: the sync client would keep this one's loop."""
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving("bento_clients.py:Everything")) as served,
    ):
        yield served.url


@pytest.fixture(scope="module")
def sync(url: str) -> Iterator[Any]:
    with bentoml.SyncHTTPClient(url, server_ready_timeout=10) as client:
        yield client
        client._temp_dir.cleanup()  # which it leaves to the garbage collector


@pytest.fixture
async def client(url: str) -> AsyncIterator[Any]:
    async with bentoml.AsyncHTTPClient(url, server_ready_timeout=10) as client:
        yield client
        client._temp_dir.cleanup()


def test_documents(sync: Any) -> None:
    assert sync.is_ready()
    assert sync.add(a=1) == 3
    assert sync.add(1, 5) == 6
    assert sync.mirror(point={"x": 1}) == {"x": 2, "y": 1}
    assert sync.root(["a", "b"]) == "a b"
    assert sync.shout("hello") == "HELLO"
    assert sync.squared([1, 2, 3]) == [1, 4, 9]
    assert np.array_equal(sync.doubled([[1, 2], [3, 4]]), [[2, 4], [6, 8]])


def test_files(sync: Any, tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(b"12345")
    assert sync.length(file=path) == "5 bytes"
    assert sync.length(path, unit="letters") == "5 letters"
    assert sync.lengths(files=[path, path]) == [5, 5]
    assert sync.written(text="words").read_text() == "words"


def test_images(sync: Any, tmp_path: Path) -> None:
    path = tmp_path / "some.png"
    Image.new("RGB", (3, 2)).save(path)
    with Image.open(path) as image:
        turned = sync.turned(image=image)
    assert (turned.size, turned.format) == ((2, 3), "PNG")


def test_errors_are_bentomls(sync: Any) -> None:
    with pytest.raises(NotFound, match="it is not there"):
        sync.missing()
    with pytest.raises(InvalidArgument, match="validation error"):
        sync.add(a="many")


def test_a_stream_of_texts_comes_as_events(sync: Any) -> None:
    # A known difference: BentoML puts no bounds between items, we send events, which its client gives as they are.
    text = "".join(sync.words(count=2))
    assert [line for line in text.splitlines() if line.startswith("data: ")][:2] == ['data: "word 0"', 'data: "word 1"']


async def test_documents_with_the_async_client(client: Any) -> None:
    assert await client.is_ready()
    assert await client.add(a=1) == 3
    assert await client.mirror(point={"x": 1}) == {"x": 2, "y": 1}
    assert await client.shout("hello") == "HELLO"


async def test_files_with_the_async_client(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(b"12345")
    assert await client.length(file=path) == "5 bytes"
    assert (await client.written(text="words")).read_text() == "words"


async def test_errors_with_the_async_client(client: Any) -> None:
    with pytest.raises(NotFound, match="it is not there"):
        await client.missing()


async def test_a_stream_with_the_async_client(client: Any) -> None:
    text = "".join([part async for part in client.words(count=3)])
    assert 'data: "word 2"\n\n' in text


async def test_tasks(client: Any) -> None:
    task = await client.later.submit(text="hello")
    await until(task, "completed")
    assert await task.get() == "HELLO"
    again = await task.retry()
    await until(again, "completed")
    assert (again.id != task.id, await again.get()) == (True, "HELLO")
    with pytest.raises(BentoMLException, match="completed already"):
        await task.cancel()


async def test_a_task_is_cancelled(client: Any) -> None:
    task = await client.never.submit()
    assert (await task.get_status()).value == "in_progress"
    await task.cancel()
    assert (await task.get_status()).value == "canceled"
    with pytest.raises(BentoMLException, match="was canceled"):
        await task.get()


def test_a_task_with_the_sync_client(sync: Any) -> None:
    # The client's own `submit` fails after it has sent (`_opened_files`), under `bentoml serve` too.
    task_id = sync.request("POST", "/later/submit", json={"text": "hello"}).json()["task_id"]
    while (status := sync.later.get_status(task_id).value) == "in_progress":
        pass
    assert (status, sync.later.get(task_id)) == ("completed", "HELLO")


async def test_a_client_brings_the_servers_token() -> None:
    async with serving("bento_clients.py:Everything", options=ServerOptions(token="secret")) as served:
        async with bentoml.AsyncHTTPClient(served.url, token="secret", server_ready_timeout=10) as client:
            assert await client.add(a=1) == 3
            task = await client.later.submit(text="hello")
            await until(task, "completed")
            client._temp_dir.cleanup()
        stranger = bentoml.AsyncHTTPClient(served.url, server_ready_timeout=0)
        with pytest.raises(BentoMLException, match="Failed to fetch schema"):
            await stranger.__aenter__()
        await stranger.close()
        stranger._temp_dir.cleanup()


async def until(task: Any, status: str) -> None:
    with anyio.fail_after(20):
        while (found := (await task.get_status()).value) == "in_progress":  # noqa: ASYNC110 - asked over HTTP
            await anyio.sleep(0.005)
    assert found == status
