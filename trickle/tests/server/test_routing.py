"""Where a path leads, as Go's router has it."""

import pytest

from livepeer.trickle.server._routing import BadPathError, Redirect, Target, find_target, raw_path, segment_number


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/ch", Target(name="ch")),
        ("/ch/0", Target(name="ch", item="0")),
        ("/ch/next", Target(name="ch", item="next")),
        ("/.hidden/..x", Target(name=".hidden", item="..x")),
        ("/x%2Fy/%30", Target(name="x/y", item="0")),
        ("/%2e%2e/next", Target(name="..", item="next")),
        ("/%C3%A9/0", Target(name="é", item="0")),
        ("/%ff/0", Target(name="\udcff", item="0")),
        ("/", None),
        ("/ch/", None),
        ("/ch/0/", None),
        ("/a/b/c", None),
        ("/ch/%2F", None),
        ("/%2f/0", None),
        ("//0", Redirect(location="/0")),
        ("/ch//0", Redirect(location="/ch/0")),
        ("/./ch/../x/0/", Redirect(location="/x/0/")),
        ("/../..", Redirect(location="/")),
        ("//x%2Fy/0", Redirect(location="/x%252Fy/0")),
    ],
)
def test_a_path_leads_to_a_channel_to_something_of_it_to_its_clean_form_or_nowhere(
    path: str, found: Target | Redirect | None
):
    assert find_target(path.encode(), b"/") == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/ai/trickle/ch/0", Target(name="ch", item="0")),
        ("/ai/trickle//ch", Redirect(location="/ai/trickle/ch")),
        ("/ai/tricklech/0", None),
        ("/ch/0", None),
        ("/ai/trickle", None),
    ],
)
def test_only_paths_under_the_base_lead_anywhere(path: str, found: Target | Redirect | None):
    assert find_target(path.encode(), b"/ai/trickle/") == found


@pytest.mark.parametrize("path", ["/%", "/%zz/0", "/ch/%4"])
def test_an_escape_that_is_none_leads_nowhere(path: str):
    with pytest.raises(BadPathError):
        find_target(path.encode(), b"/")


def test_a_server_that_gives_no_raw_path_is_served_from_the_decoded_one():
    assert raw_path({"path": "/a b/0"}) == b"/a%20b/0"
    assert raw_path({"path": "/x/y/0", "raw_path": b"/x%2Fy/0"}) == b"/x%2Fy/0"


@pytest.mark.parametrize(
    ("text", "seq"),
    [
        ("0", 0),
        ("-0", 0),
        ("+1", 1),
        ("01", 1),
        ("0" * 30 + "7", 7),
        ("-2", -2),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("-3", None),
        ("9" * 5000, None),
        ("1_0", None),
        ("٣", None),
        ("", None),
        ("+-1", None),
        (" 1", None),
        ("1\n", None),
        ("0x1", None),
        ("1.0", None),
    ],
)
def test_a_number_is_what_go_takes_for_one(text: str, seq: int | None):
    assert segment_number(text, range(-2, 2**63)) == seq
