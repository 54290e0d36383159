"""Rows 35 to 39: the changefeed, methods and paths, what is not implemented, and hooks."""

import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from .table_answers import (
    CHANNEL_NOT_FOUND,
    DONE,
    ERROR,
    INVALID_CHANNEL,
    INVALID_SEQ,
    PAGE_NOT_FOUND,
    TEXT,
    absent,
    chunked,
    content,
    counted,
    empty,
    latest,
    refusal,
    seq,
)
from .table_channels import Channel
from .table_wire import Answer

NOT_ALLOWED = b"Method Not Allowed\n"
SEGMENT_METHODS = {"allow": "DELETE, GET, HEAD, POST"}
CHANNEL_METHODS = {"allow": "DELETE, POST"}


FRAMING = {"content-length", "transfer-encoding"}


def without_body(answer: Answer) -> Answer:
    """What HEAD of a segment answers where GET answers this."""
    headers = {name: value for name, value in answer.headers.items() if name not in FRAMING}
    return Answer(status_line=answer.status_line, headers=headers, body=b"")


def test_row_35_the_changefeed_announces_itself_first(announced_channel: Channel) -> None:
    feed = announced_channel.sibling("_changes")
    answer = feed.ask("GET", 0)
    assert answer.body == b'{"added":["_changes"]}'
    assert answer.headers["content-type"] == "application/json"


def test_row_35_a_created_channel_is_announced_at_once(announced_channel: Channel) -> None:
    feed = announced_channel.sibling("_changes")
    number = feed.next_seq()
    reader = feed.waiting(number)
    announced_channel.create()
    body = f'{{"added":["{announced_channel.name}"]}}'.encode()
    assert reader.read() == chunked(content("application/json") | seq(number), body)


def test_row_35_a_channel_that_a_segment_creates_is_announced_once(announced_channel: Channel) -> None:
    feed = announced_channel.sibling("_changes")
    number = feed.next_seq()
    announced_channel.publish_all(0, 1)
    assert json.loads(feed.ask("GET", number).body) == {"added": [announced_channel.name]}
    assert feed.next_seq() == number + 1


def test_row_35_a_deleted_channel_is_announced_at_once(announced_channel: Channel) -> None:
    feed = announced_channel.sibling("_changes")
    announced_channel.create()
    number = feed.next_seq()
    reader = feed.waiting(number)
    announced_channel.ask("DELETE")
    assert reader.read().body == f'{{"removed":["{announced_channel.name}"]}}'.encode()


def test_row_35_without_it_there_is_no_changefeed(channel: Channel) -> None:
    assert channel.sibling("_changes").ask("GET", "next") == CHANNEL_NOT_FOUND


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("asked", ["1", "next", "abc"])
def test_row_36_other_methods_of_a_segment_are_not_allowed(channel: Channel, method: str, asked: str) -> None:
    assert channel.ask(method, asked) == refusal("405 Method Not Allowed", NOT_ALLOWED, SEGMENT_METHODS)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "OPTIONS"])
def test_row_36_other_methods_of_a_channel_are_not_allowed(channel: Channel, method: str) -> None:
    channel.create()
    assert channel.ask(method) == refusal("405 Method Not Allowed", NOT_ALLOWED, CHANNEL_METHODS)


def test_row_36_head_of_a_channel_is_not_allowed(channel: Channel) -> None:
    channel.create()
    headers = ERROR | CHANNEL_METHODS | {"content-length": str(len(NOT_ALLOWED))}
    assert channel.ask("HEAD") == Answer(status_line="HTTP/1.1 405 Method Not Allowed", headers=headers, body=b"")


@pytest.mark.parametrize("asked", ["0", "1", "-2"])
def test_row_36_head_of_a_segment_is_get_without_a_body_and_its_framing(channel: Channel, asked: str) -> None:
    channel.publish(0, b"hello")
    channel.ask("POST", 1)
    with channel.dial() as wire:
        wire.send("HEAD", channel.path(asked))
        head = wire.read()
        wire.send("GET", channel.path(asked))
        assert head == without_body(wire.read())


@pytest.mark.parametrize("asked", ["next", "7", "abc"])
def test_row_36_head_of_what_is_no_segment_is_get_without_a_body(channel: Channel, asked: str) -> None:
    channel.create()
    with channel.dial() as wire:
        wire.send("HEAD", channel.path(asked))
        head = wire.read()
        wire.send("GET", channel.path(asked))
        assert head == replace(wire.read(), body=b"")


def test_row_36_head_of_the_next_seq_waits(channel: Channel) -> None:
    channel.create()
    with channel.dial() as wire:
        wire.send("HEAD", channel.path(0))
        assert wire.stays_silent()
        channel.publish(0, b"hello")
        assert wire.read() == without_body(chunked(content() | seq(0), b"hello"))


@pytest.mark.parametrize("asked", ["01", "+1", "%31", "0000000000000000000000001", "1?query=2"])
def test_row_37_a_seq_may_be_written_in_other_ways(channel: Channel, asked: str) -> None:
    channel.create()
    channel.publish(0, b"zero")
    assert channel.ask("POST", asked, b"one") == empty(seq(1))
    assert channel.ask("GET", asked) == chunked(content() | seq(1) | latest(2), b"one")


def test_row_37_a_seq_may_be_a_negative_zero(channel: Channel) -> None:
    channel.publish(0, b"zero")
    assert channel.ask("GET", "-0").body == b"zero"


def test_row_37_an_escaped_slash_belongs_to_the_channels_name(announced_channel: Channel) -> None:
    feed = announced_channel.sibling("_changes")
    number = feed.next_seq()
    slashed = announced_channel.sibling(f"{announced_channel.name}%2Fy")
    assert slashed.ask("POST") == DONE
    assert json.loads(feed.ask("GET", number).body) == {"added": [f"{announced_channel.name}/y"]}
    assert slashed.ask("POST", 0, b"a") == empty(seq(0))
    assert slashed.ask("GET", 0).body == b"a"
    assert announced_channel.ask("GET", "next") == CHANNEL_NOT_FOUND


def test_row_37_one_name_may_be_escaped_in_several_ways(channel: Channel) -> None:
    channel.publish(0, b"a")
    escaped = channel.sibling("".join(f"%{ord(character):02x}" for character in channel.name))
    assert escaped.ask("GET", 0).body == b"a"


def test_row_37_a_name_may_have_any_characters(announced_channel: Channel) -> None:
    feed = announced_channel.sibling("_changes")
    number = feed.next_seq()
    named = announced_channel.sibling(f"{announced_channel.name}%20%C3%A9%22%5C")
    assert named.ask("POST") == DONE
    assert json.loads(feed.ask("GET", number).body) == {"added": [f'{announced_channel.name} é"\\']}


@pytest.mark.parametrize("asked", ["0/", "b/c", "", "0/0/0"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_row_37_other_paths_are_not_found(channel: Channel, method: str, asked: str) -> None:
    channel.create()
    assert channel.ask(method, asked) == PAGE_NOT_FOUND


def test_row_37_the_base_itself_is_not_found(channel: Channel, strict_channel: Channel) -> None:
    assert channel.sibling("").ask("GET") == PAGE_NOT_FOUND
    assert strict_channel.sibling("").ask("GET") == PAGE_NOT_FOUND


def test_row_37_a_channel_without_a_name_is_redirected(channel: Channel) -> None:
    there = f"{urlsplit(channel.base).path}0"
    page = f'<a href="{there}">Temporary Redirect</a>.\n\n'.encode()
    headers = content("text/html; charset=utf-8") | {"location": there}
    assert channel.sibling("").ask("GET", 0) == counted("307 Temporary Redirect", headers, page)


def test_row_37_a_post_to_a_channel_without_a_name_is_redirected_below_the_base(strict_channel: Channel) -> None:
    there = f"{urlsplit(strict_channel.base).path}0"
    assert strict_channel.sibling("").ask("POST", 0) == counted("307 Temporary Redirect", {"location": there})


def test_row_38_a_segment_has_no_size_and_no_type_of_its_own(channel: Channel) -> None:
    channel.create()
    channel.ask("POST", 0, b"hello", ["Content-Type: audio/x", "Lp-Trickle-Size: 5"])
    assert channel.ask("GET", 0) == chunked(content() | seq(0) | latest(1), b"hello")


def test_row_38_next_and_absence_have_no_size_either(channel: Channel) -> None:
    channel.create()
    channel.ask("POST", 0, b"hello", ["Lp-Trickle-Size: 5"])
    assert channel.ask("GET", "next") == counted("200 OK", TEXT | latest(1), b"1")
    assert channel.ask("GET", 2) == absent(2, 1)


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        ("403 not yours", "403 Forbidden"),
        ("409 taken", "409 Conflict"),
        ("503 busy", "400 Bad Request"),
        ("302 elsewhere", "400 Bad Request"),
    ],
)
def test_row_39_a_refusal_of_a_hook_keeps_a_status_of_4xx(hooked_channel: Channel, refused: str, status: str) -> None:
    text = refused.split(" ", 1)[1].encode() + b"\n"
    assert hooked_channel.ask("POST", headers=[f"X-Refuse: {refused}"]) == refusal(status, text)
    assert hooked_channel.ask("GET", "next") == CHANNEL_NOT_FOUND
    hooked_channel.create()
    assert hooked_channel.ask("DELETE", headers=[f"X-Refuse: {refused}"]) == refusal(status, text)
    assert hooked_channel.next_seq() == 0


def test_row_39_any_other_error_of_a_hook_is_a_500(hooked_channel: Channel) -> None:
    assert hooked_channel.ask("POST", headers=["X-Refuse: error broken"]).status == 500
    hooked_channel.create()
    assert hooked_channel.ask("DELETE", headers=["X-Refuse: error broken"]).status == 500
    assert hooked_channel.next_seq() == 0


def test_row_39_hooks_that_refuse_nothing_change_nothing(hooked_channel: Channel) -> None:
    assert hooked_channel.ask("POST") == DONE
    assert hooked_channel.ask("DELETE") == DONE


def test_row_39_a_hook_is_asked_before_the_channel_is_looked_for(hooked_channel: Channel) -> None:
    assert hooked_channel.ask("DELETE", headers=["X-Refuse: 403 no"]) == refusal("403 Forbidden", b"no\n")
    assert hooked_channel.ask("DELETE") == INVALID_CHANNEL


def test_row_39_segments_are_not_asked_of_hooks(hooked_channel: Channel) -> None:
    refused = ["X-Refuse: 403 no"]
    assert hooked_channel.ask("POST", 0, b"a", refused) == empty(seq(0))
    assert hooked_channel.ask("GET", 0, headers=refused).body == b"a"
    assert hooked_channel.ask("DELETE", 0, headers=refused) == DONE
    assert hooked_channel.ask("POST", "abc", headers=refused) == INVALID_SEQ
