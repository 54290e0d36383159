"""Files that a document of the contract's own face names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bento_operations import PNG, data_uri, files_in, in_base64, items, living

from livepeer.core import Call, CallCancelledError

pytestmark = pytest.mark.anyio

INPUTS = "bento_unit_inputs.py:Inputs"
NO_FILE = "Must be a data: URI, an http(s) URL, or base64"
NO_STRING = "Must be a string: a data: URI, an http(s) URL, or base64"


@asynccontextmanager
async def web(content: bytes = b"fetched", media_type: str = "text/plain", hang: bool = False) -> AsyncIterator[str]:
    """A web server on loopback that answers every request alike, or never."""
    asked = asyncio.Event()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        if hang:
            await over.wait()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield url
    finally:
        over.set()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("text", "suffix"),
    [(data_uri("text"), ".txt"), (in_base64("text"), ""), ("data:,text", ".txt"), ("dGV4\ndA==", "")],
)
async def test_a_file_comes_by_data_uri_or_in_base64(text: str, suffix: str) -> None:
    async with living(INPUTS) as faces:
        found = await faces.value("files", {"path": text, "count": "3"})
        assert (found["path"], found["count"]) == ([suffix, "text"], 3)
        assert files_in(found["folder"]) == []


async def test_files_come_in_lists_and_objects() -> None:
    async with living(INPUTS) as faces:
        document = {
            "path": data_uri("p"),
            "paths": [in_base64("1"), data_uri("2", "text/csv")],
            "named": {"a": in_base64("n")},
        }
        found = await faces.value("files", document)
        assert (found["paths"], found["named"]) == ([["", "1"], [".csv", "2"]], {"a": ["", "n"]})


async def test_files_of_a_users_own_model_are_addresses_too() -> None:
    async with living(INPUTS) as faces:
        document = {"documents": [{"document": in_base64("d"), "numberOfPages": 3}, {"document": data_uri("e")}]}
        assert await faces.value("nested", document) == [["", "d", 3], [".txt", "e", 1]]


async def test_a_file_is_found_at_any_depth_and_read_once() -> None:
    async with living(INPUTS) as faces:
        tree: dict[str, Any] = {"kind": "leaf", "file": in_base64("deep")}
        for _ in range(80):
            tree = {"kind": "branch", "children": [tree]}
        assert await faces.value("forest", {"tree": tree}) == ["Leaf", 80, ["", "deep"]]
        assert list(await faces.refusal("forest", {"tree": {"children": [{"kind": "leaf", "file": "%"}]}})) == [
            "tree.children.0.file"
        ]


async def test_a_large_file_in_base64_is_read() -> None:
    async with living(INPUTS) as faces:
        for text in (in_base64("x" * 2_000_000), data_uri("x" * 2_000_000)):
            assert len((await faces.value("files", {"path": text}))["path"][1]) == 2_000_000


async def test_no_string_is_ever_a_path_of_this_machine() -> None:
    async with living(INPUTS) as faces:
        for path in ("/etc/hostname", "file:///etc/hostname", "C:\\a", "ftp://h/a", "~/a", "étc"):
            assert await faces.refusal("files", {"path": path}) == {"path": NO_FILE}
            assert await faces.refusal("nested", {"documents": [{"document": path}]}) == {
                "documents.0.document": NO_FILE
            }
            assert await faces.refusal("defaulted", {"path": in_base64(""), "maybe": path}) == {"maybe": NO_FILE}


async def test_defaults_are_the_services_own() -> None:
    async with living(INPUTS) as faces:
        assert await faces.value("defaulted", {"maybe": None}) == "/etc/hostname None"


async def test_bytes_are_base64() -> None:
    async with living(INPUTS) as faces:
        document = {"content": in_base64("a"), "contents": [data_uri("b"), in_base64("")]}
        assert await faces.value("raw", document) == "[b'a', [b'b', b'']]"
        assert await faces.refusal("raw", {"content": "%%", "contents": [5]}) == {
            "content": NO_FILE,
            "contents.0": NO_STRING,
        }


@pytest.mark.parametrize("odd", [None, 5, [], {}, True])
async def test_what_is_no_string_is_no_file(odd: Any) -> None:
    async with living(INPUTS) as faces:
        assert await faces.refusal("files", {"path": odd}) == {"path": NO_STRING}
        assert await faces.refusal("root_path", odd) == {"": NO_STRING}


async def test_every_bad_field_is_named_files_and_others() -> None:
    async with living(INPUTS) as faces:
        found = await faces.refusal("files", {"path": "%", "paths": "x", "named": {"a": "%"}, "count": "z"})
        assert set(found) == {"path", "paths", "named.a", "count"}
        assert set(await faces.refusal("files", {"named": {"a": "%"}})) == {"path", "named.a"}
        assert set(await faces.refusal("image", {"image": in_base64("no image"), "mask": 7})) == {"image", "mask"}


async def test_an_image_that_is_none_is_the_callers_error() -> None:
    async with living(INPUTS) as faces:
        assert await faces.value("image", {"image": PNG}) == ["PNG", 3, 2, True]
        assert await faces.value("image", {"image": PNG, "mask": PNG}) == ["PNG", 3, 2, False]
        broken = {"image": data_uri("no image", "image/png")}
        assert await faces.refusal("image", broken) == {"image": "this is no image that can be read"}
        assert await faces.refusal("image", {}) == {"image": "Field required"}
        assert await faces.refusal("root_image", in_base64("no")) == {"": "this is no image that can be read"}


async def test_a_media_type_that_an_api_does_not_take_is_refused() -> None:
    async with living(INPUTS) as faces:
        assert await faces.value("typed", {"text": data_uri("a")}) == [".txt", "a"]
        found = await faces.refusal("typed", {"text": data_uri("a", "image/png")})
        assert found == {"text": "Value error, Invalid content type image/png, expected text/*"}


async def test_a_url_is_downloaded_under_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    async with living(INPUTS) as faces, web() as url:
        refused = await faces.refusal("files", {"path": f"{url}/a.txt"})
        assert refused == {"path": "127.0.0.1 is not on the public network"}
        monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")
        found = await faces.value("files", {"path": f"{url}/a.txt?x=1", "paths": [f"HTTP{url[4:]}/b"]})
        assert found["path"][1] == found["paths"][0][1] == "fetched"
        assert found["path"][0].endswith(".txt")
        assert await faces.value("raw", {"content": url}) == "[b'fetched', None]"


async def test_a_url_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")
    async with living(INPUTS) as faces, web() as url:
        found = await faces.refusal("files", {"path": "http://", "paths": ["https://[", f"{url[:-1]}x/"]})
        assert set(found) == {"path", "paths.0", "paths.1"}


async def test_the_size_limit_is_for_all_files_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_MOST_BYTES", "10")
    monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")
    async with living(INPUTS) as faces, web(b"12345") as url:
        first = in_base64("12345")
        assert (await faces.value("files", {"path": first, "paths": [url]}))["paths"] == [[".txt", "12345"]]
        for last in (in_base64("123456"), data_uri("123456"), in_base64("1" * 1000)):
            assert "larger than 5 bytes" in (await faces.refusal("files", {"path": first, "paths": [last]}))["paths.0"]
        assert set(await faces.refusal("files", {"path": first, "paths": [url, url]})) == {"paths.1"}


async def test_a_caller_that_leaves_ends_its_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")
    async with living(INPUTS) as faces, web(hang=True) as url:
        call = Call()
        asking = asyncio.ensure_future(faces.document("files", {"path": url}, call=call))
        call.cancelled = True
        with pytest.raises(CallCancelledError):
            await asyncio.wait_for(asking, 10)


async def test_many_files_leave_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")
    before = _open_files()
    async with living(INPUTS) as faces, web(b"x" * 2_000_000) as url:
        for _ in range(3):
            await faces.value("files", {"path": url})
            await faces.refusal("files", {"path": url, "count": "z"})
    assert _open_files() <= before


async def test_a_stream_has_its_files_until_its_end() -> None:
    async with living("bento_unit_streams.py:Streams") as faces:
        _, found = await items(faces.predict("lines"), f'{{"path": "{data_uri("a,b")}", "image": "{PNG}"}}'.encode())
        assert [item.body for item in found] == [b'"a"', b'"b"', b"[3,2]"]


async def test_a_stream_with_a_bad_file_does_not_begin() -> None:
    async with living("bento_unit_streams.py:Streams") as faces:
        found = await faces.refusal("lines", {"path": "%", "image": "%"})
        assert found == {"path": NO_FILE, "image": NO_FILE}


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
