"""What the program around a server refuses (trickle, table 1, row 39)."""

import logging

import anyio
import pytest

from livepeer.trickle.server import HookRequest, RefusedError

from .server_wire import served


@pytest.mark.parametrize(
    ("message", "status", "answered", "text"),
    [
        ("not here", 403, 403, "not here\n"),
        ("", 404, 404, "Not Found\n"),
        ("", 499, 499, "status code 499\n"),
        ("moved", 302, 400, "moved\n"),
        ("broken", 503, 400, "broken\n"),
    ],
)
async def test_a_refusal_is_4xx_with_its_message(message: str, status: int, answered: int, text: str):
    def refuse(_: HookRequest) -> None:
        raise RefusedError(message, status)

    async with served(before_create=refuse, before_delete=refuse) as site:
        kept = site.server.create("ch")
        for answer in (await site.ask("POST", "new"), await site.ask("DELETE", "ch")):
            assert (answer.status, answer.body.decode()) == (answered, text)
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert site.server.channel("new") is None
        assert not kept.closed


async def test_a_hook_may_take_its_time_and_sees_the_request():
    seen: list[HookRequest] = []

    async def look(request: HookRequest) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(request)

    async with served(path="/base", before_create=look, before_delete=look) as site:
        assert (await site.ask("POST", "a%2Fb", "X-Who: me", "Expect-Content: text/x")).status == 200
        assert site.channel("a/b").content_type == "text/x"
        assert (await site.ask("DELETE", "a%2Fb", "X-Who: you")).status == 200

    assert [(request.name, request.headers["x-who"]) for request in seen] == [("a/b", "me"), ("a/b", "you")]
    assert [request.client and request.client[0] for request in seen] == ["127.0.0.1"] * 2


async def test_a_hook_is_asked_before_anything_is_looked_up():
    def refuse(_: HookRequest) -> None:
        raise RefusedError("no", 401)

    async with served(autocreate=False, before_create=refuse, before_delete=refuse) as site:
        assert (await site.ask("POST", "unknown")).status == 401
        assert (await site.ask("DELETE", "unknown")).status == 401


async def test_a_hook_is_not_asked_about_segments_nor_about_the_embedders_own_channels():
    def refuse(_: HookRequest) -> None:
        raise RefusedError("no")

    async with served(before_create=refuse, before_delete=refuse) as site:
        assert (await site.ask("POST", "ch/0", body=b"data")).status == 200
        assert (await site.ask("DELETE", "ch/0")).status == 200
        assert site.server.delete("ch")


async def test_a_hook_that_fails_is_500_and_logged_and_tells_the_client_nothing(caplog: pytest.LogCaptureFixture):
    def fail(_: HookRequest) -> None:
        raise LookupError("the secret detail")

    with caplog.at_level(logging.ERROR, logger="livepeer.trickle"):
        async with served(before_create=fail) as site:
            answer = await site.ask("POST", "ch")

    assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
    assert "the secret detail" in caplog.text
