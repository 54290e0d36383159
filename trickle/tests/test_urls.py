import pytest

from livepeer.trickle._wire.urls import ChannelUrl


def test_a_channel_has_its_segments_below_it():
    url = ChannelUrl.parse("http://host:2939/ai/trickle/chan/")
    assert (url.host, url.port, url.secure, url.authority) == ("host", 2939, False, b"host:2939")
    assert url.text == "http://host:2939/ai/trickle/chan"
    assert url.segment(7) == b"/ai/trickle/chan/7"
    assert url.segment(-2) == b"/ai/trickle/chan/-2"
    assert url.next_url == "http://host:2939/ai/trickle/chan/next"
    assert url.segment_url(7) == "http://host:2939/ai/trickle/chan/7"


@pytest.mark.parametrize(("text", "port"), [("http://h/c", 80), ("https://h/c", 443), ("https://h:8443/c", 8443)])
def test_the_scheme_has_a_port(text: str, port: int):
    assert ChannelUrl.parse(text).port == port


def test_an_ipv6_address_loses_its_brackets_for_the_system_and_keeps_them_in_the_header():
    url = ChannelUrl.parse("http://[::1]:80/c")
    assert (url.host, url.authority) == ("::1", b"[::1]")


def test_what_is_encoded_stays_encoded_and_what_is_not_becomes_it():
    assert ChannelUrl.parse("http://h/a%2Fb/c d").segment(0) == b"/a%2Fb/c%20d/0"


def test_a_query_follows_the_segment():
    url = ChannelUrl.parse("http://h/c?token=1")
    assert url.segment(3) == b"/c/3?token=1"
    assert url.next_url == "http://h/c/next?token=1"
    assert url.next_target == b"/c/next?token=1"
    assert url.segment_url(3) == "http://h/c/3?token=1"
    assert url.url == "http://h/c?token=1"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write it as"),
        ("host/channel", "write it as"),
        ("ftp://h/c", "write it as"),
        ("http:///c", "write it as"),
        ("http://h", "names no channel"),
        ("http://h/", "names no channel"),
        ("http://me:secret@h/c", "give them as a header"),
        ("http://h:99999/c", "is no URL"),
    ],
)
def test_another_url_is_refused_with_advice(text: str, advice: str):
    with pytest.raises(ValueError, match=advice) as caught:
        ChannelUrl.parse(text)
    assert "secret" not in str(caught.value)
