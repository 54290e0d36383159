"""A call and its one answer, over both transports."""

import io
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx2
import pytest

from livepeer.client import Gateway
from livepeer.devnet import BlockingDevNet

pytestmark = pytest.mark.anyio

SERVES: dict[str, dict[str, str]] = {"Mirror": {}, "Carrier": {}, "File": {}, "Items": {}}

MEGABYTES_5 = bytes(range(256)) * (5 * 1024 * 1024 // 256)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        2**53 - 1,
        "",
        "text",
        "123",
        "null",
        "line\nline\r\n\u2028[DONE]\0",
        "é € 😀",
        [],
        [1, [2, {"three": None}]],
        {},
        {"text": "x", "nested": {"list": [1.25, "é", None]}, "balance": 1},
        "<html><body>not a page</body></html>",
        "x" * 1_000_000,
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_a_json_value_comes_back_as_it_is(caller: Gateway, value: Any) -> None:
    answer = await caller.run_async("mirror", {"value": value})
    assert answer == value
    assert type(answer) is type(value)


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(range(256)), b"\xff", b"\0", b"", MEGABYTES_5],
    ids=["png", "every", "high", "nul", "empty", "5-megabytes"],
)
async def test_bytes_go_there_and_back(caller: Gateway, content: bytes) -> None:
    assert await caller.run_async("carrier", {"data": content}) == content


async def test_every_kind_of_bytes_in_an_input_arrives_as_it_is(caller: Gateway, tmp_path: Path) -> None:
    contents = [b"\0\xff+/=", bytes(range(256)), "é".encode(), b""]
    file = tmp_path / "input.bin"
    file.write_bytes(contents[0])
    parts = [file, io.BytesIO(contents[1]), bytearray(contents[2]), memoryview(contents[3])]
    assert await caller.run_async("carrier", {"data": b"\1", "parts": parts}) == b"\1" + b"".join(contents)


async def test_a_file_answer_comes_back_as_its_content(caller: Gateway) -> None:
    assert await caller.run_async("file") == "from a file"


async def test_5_megabytes_of_json_go_there_and_back(caller: Gateway) -> None:
    value = {"text": "é[DONE]\n" * 600_000}
    assert await caller.run_async("mirror", {"value": value}) == value


async def test_a_streaming_models_answer_is_the_list_of_its_items(caller: Gateway) -> None:
    assert await caller.run_async("items", {"items": [0, "1", None]}) == [0, "1", None]
    assert await caller.run_async("items", {"items": []}) == []


async def test_the_blocking_face_gives_the_same(caller: Gateway) -> None:
    value = {"text": "é", "many": list(range(1000))}
    assert await anyio.to_thread.run_sync(lambda: caller.run("mirror", {"value": value})) == value


@pytest.mark.usefixtures("edges")
async def test_the_worker_answers_the_network_alone(net: BlockingDevNet) -> None:
    capability = net.capabilities["mirror"]
    assert capability.token
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": capability.token}):
            answer = await stranger.post(f"{capability.url}/predict", json={"value": 1}, headers=headers)
            assert answer.status_code == 401
        answer = await stranger.post(
            f"{capability.url}/predict", json={"value": 1}, headers={"Authorization": f"Bearer {capability.token}"}
        )
        assert answer.json() == 1
