import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livepeer.adapters.cog._capability import CogCapability
from livepeer.core import Call, InvalidInputError, MalformedBodyError, TargetError
from livepeer.fetch import FetchError

Load = Callable[[str], CogCapability]
NOT_A_URL = "Must be an http(s) URL or a data URI"


def data_uri(text: str, media_type: str = "text/plain") -> str:
    return f"data:{media_type};base64,{base64.b64encode(text.encode()).decode()}"


def ask(capability: CogCapability, document: Any) -> Any:
    operation = capability.operations[0]
    value = operation.decode(json.dumps(document).encode(), "application/json")
    return json.loads(operation.encode(operation.invoke(value, Call())).body)


def refusal(capability: CogCapability, document: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        ask(capability, document)
    return {error.field: error.reason for error in caught.value.errors}


def test_what_is_left_out_gets_its_default(load: Load) -> None:
    found = ask(load("unit_inputs.py:Plain"), {"text": "t"})
    assert found == {
        "text": "t", "count": 3, "ratio": 0.5, "flag": False, "size": "small", "code": "A", "words": ["a"],
    }  # fmt: skip


def test_numbers_arrive_as_they_are_written(load: Load) -> None:
    found = ask(load("unit_inputs.py:Plain"), {"text": "t", "count": 3.0, "ratio": 3})
    assert (repr(found["count"]), repr(found["ratio"])) == ("3.0", "3")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"count": "3"}, '"3" is not of type "integer"'),
        ({"count": True}, 'true is not of type "integer"'),
        ({"count": 0}, "0 is less than the minimum of 1"),
        ({"count": 6}, "6 is greater than the maximum of 5"),
        ({"count": None}, 'null is not of type "integer"'),
        ({"ratio": -1}, "-1 is less than the minimum of 0"),
        ({"flag": 1}, '1 is not of type "boolean"'),
        ({"size": "huge"}, '"huge" is not one of ["small","large"]'),
        ({"code": "a"}, '"a" does not match "^[A-Z]+$"'),
        ({"code": "ABCD"}, '"ABCD" is longer than 3 characters'),
        ({"words": "a"}, '"a" is not of type "array"'),
    ],
)
def test_what_does_not_fit_is_refused_in_cogs_words(load: Load, wrong: dict[str, Any], reason: str) -> None:
    assert refusal(load("unit_inputs.py:Plain"), {"text": "t", **wrong}) == dict.fromkeys(wrong, reason)


def test_all_that_is_wrong_is_told_at_once(load: Load) -> None:
    found = refusal(load("unit_inputs.py:Plain"), {"count": 0, "words": ["a", 1]})
    assert found == {
        "count": "0 is less than the minimum of 1",
        "words.1": '1 is not of type "string"',
        "text": "Field required",
    }


def test_a_long_value_is_not_repeated_whole(load: Load) -> None:
    reason = refusal(load("unit_inputs.py:Plain"), {"text": "t", "words": "x" * 100_000})["words"]
    assert len(reason) < 1000
    assert reason.endswith('is not of type "array"')


def test_the_number_of_errors_is_bounded(load: Load) -> None:
    with pytest.raises(InvalidInputError) as caught:
        ask(load("unit_inputs.py:Plain"), {"text": "t", "words": [1] * 5000})
    assert len(caught.value.errors) == 100


def test_what_the_model_does_not_take_is_dropped(load: Load) -> None:
    assert ask(load("unit_inputs.py:Plain"), {"text": "t", "unknown": {"deep": 1}})["text"] == "t"


def test_a_document_that_is_no_object_is_refused(load: Load) -> None:
    assert refusal(load("unit_inputs.py:Plain"), [1]) == {"": '[1] is not of type "object"'}


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"ratio": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_malformed(load: Load, body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        load("unit_inputs.py:Plain").operations[0].decode(body, "application/json")


def test_an_empty_body_is_an_empty_document(load: Load) -> None:
    with pytest.raises(InvalidInputError, match="text: Field required"):
        load("unit_inputs.py:Plain").operations[0].decode(b"", "application/json")


def test_what_may_be_none_may_be_left_out(load: Load) -> None:
    assert ask(load("unit_inputs.py:Maybe"), {"required": "r"}) == [None, None, None, None, None, "r"]


def test_what_may_be_none_may_be_null(load: Load) -> None:
    nulls = dict.fromkeys(("optional", "described", "none", "first", "plain"))
    assert ask(load("unit_inputs.py:Maybe"), {**nulls, "required": "r"}) == [None, None, None, None, None, "r"]


def test_an_input_without_a_default_is_required_though_cogs_object_holds_none(load: Load) -> None:
    assert refusal(load("unit_inputs.py:Maybe"), {}) == {"required": "Field required"}
    assert refusal(load("unit_inputs.py:Maybe"), {"required": None}) == {"required": 'null is not of type "string"'}


def test_a_union_may_begin_with_none(load: Load) -> None:
    capability = load("unit_inputs.py:NoneFirst")
    assert ask(capability, {}) == [None, None]
    assert ask(capability, {"either": "a", "many": [{"x": 1}]}) == ["a", [{"x": 1}]]
    assert set(refusal(capability, {"either": 1.5, "many": [1]})) == {"either", "many.0"}


def test_what_may_be_none_is_still_checked(load: Load) -> None:
    assert refusal(load("unit_inputs.py:Maybe"), {"required": "r", "plain": "1"}) == {
        "plain": '"1" is not of type "integer"'
    }


def test_more_types_than_cogs_are_made(load: Load) -> None:
    given = {"mood": "bad", "level": 2, "grid": [[1, 2], []], "row": [3], "kinds": ["b", "a"], "holes": [1, None]}
    assert ask(load("unit_inputs.py:More"), {**given, "anything": [1]}) == {
        "mood": "<Mood.BAD: 'bad'>",
        "level": 2,
        "grid": [[1, 2], []],
        "row": "(3,)",
        "kinds": ["a", "b"],
        "holes": [1, None],
        "anything": [1],
    }


def test_wrong_values_of_more_types_are_refused(load: Load) -> None:
    found = refusal(load("unit_inputs.py:More"), {"mood": "odd", "level": 3, "grid": [[1], ["x"]]})
    assert found == {
        "mood": '"odd" is not one of ["good","bad"]',
        "level": "3 is not one of [1,2]",
        "grid.1.0": '"x" is not of type "integer"',
    }


def test_unions_are_told_apart_strictly(load: Load) -> None:
    capability = load("unit_inputs.py:Unions")
    assert ask(capability, {"either": "1", "perhaps": ["a"]}) == ["1", ["a"], {"x": 1}, 1]
    assert ask(capability, {"either": 1, "perhaps": None, "point": {"y": "any"}}) == [1, None, {"y": "any"}, 1]
    assert set(refusal(capability, {"either": True, "perhaps": [1]})) == {"either", "perhaps"}


def test_files_come_as_cog_names_them_and_go_afterwards(load: Load) -> None:
    given = {"path": data_uri("p", "image/png"), "file": data_uri("f"), "paths": [data_uri("1"), data_uri("2")]}
    found = ask(load("unit_inputs.py:Files"), given)
    kind, name, text = found["path"]
    assert (kind, name[:3], name[-8:], text) == ("Path", "tmp", "file.png", "p")
    assert (found["file"], found["paths"], found["standard"]) == ("f", ["1", "2"], "https://example.com/a.png")
    assert not Path(found["folder"]).exists()


@pytest.mark.parametrize("odd", ["/etc/hostname", "file:///etc/hostname", "ftp://h/a", "", "a.png", "httpx://h/a"])
def test_a_file_that_is_no_url_is_refused_by_name(load: Load, odd: str) -> None:
    given = {"path": odd, "paths": [data_uri("1"), odd]}
    assert refusal(load("unit_inputs.py:Files"), given) == {"path": NOT_A_URL, "paths.1": NOT_A_URL}


@pytest.mark.parametrize("url", ["http://", "http://[", "https://?", "data:no-comma", "data:;base64,%%%"])
def test_a_url_that_is_none_is_the_callers_error(load: Load, url: str) -> None:
    with pytest.raises(FetchError):
        ask(load("unit_inputs.py:Files"), {"path": url})


def test_a_private_address_is_not_downloaded_from(load: Load) -> None:
    with pytest.raises(FetchError):
        ask(load("unit_inputs.py:Files"), {"path": "http://127.0.0.1:1/a.png"})


def test_the_size_limit_is_for_all_files_of_a_prediction(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_MOST_BYTES", "10")
    capability = load("unit_inputs.py:Files")
    assert ask(capability, {"path": data_uri("12345"), "file": data_uri("12345")})["file"] == "12345"
    with pytest.raises(FetchError, match="larger than"):
        ask(capability, {"path": data_uri("12345"), "file": data_uri("123456")})


def test_a_limit_that_is_none_is_told_before_serving(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_SECONDS", "soon")
    with pytest.raises(TargetError, match="LIVEPEER_FETCH_SECONDS"):
        load("unit_inputs.py:Files")


def test_secrets_are_wrapped_in_lists_too(load: Load) -> None:
    assert ask(load("unit_inputs.py:Secrets"), {"key": "k", "keys": ["a", "b"]}) == ["k", ["a", "b"], None]


def test_a_secret_is_not_repeated_when_it_is_refused(load: Load) -> None:
    assert refusal(load("unit_inputs.py:Secrets"), {"key": "k", "short": "hidden"}) == {
        "short": '"**********" is longer than 3 characters'
    }


def test_defaults_that_are_secret_or_files_of_this_machine_are_not_shown(load: Load) -> None:
    schema = load("unit_inputs.py:Secrets").operations[0].description.input_schema
    assert "hidden" not in json.dumps(schema)
    properties = load("unit_inputs.py:Files").operations[0].description.input_schema["properties"]
    assert properties["standard"]["default"] == "https://example.com/a.png"
    assert "default" not in properties["local"]


def test_the_schema_says_what_cogs_says(load: Load) -> None:
    schema = load("unit_inputs.py:Plain").operations[0].description.input_schema
    assert schema["required"] == ["text"]
    assert schema["properties"]["count"] == {
        "type": "integer", "minimum": 1, "maximum": 5, "title": "Count", "x-order": 1, "default": 3,
        "description": "How many",
    }  # fmt: skip
    assert schema["properties"]["size"]["enum"] == ["small", "large"]
    assert schema["properties"]["code"]["deprecated"] is True


def test_the_schema_says_null_where_it_is_taken(load: Load) -> None:
    properties = load("unit_inputs.py:Maybe").operations[0].description.input_schema["properties"]
    assert properties["plain"] == {
        "anyOf": [{"type": "integer"}, {"type": "null"}],
        "title": "Plain",
        "x-order": 4,
    }
    assert properties["required"]["type"] == "string"


def test_a_model_that_calls_itself_sees_the_defaults_that_it_means(load: Load) -> None:
    capability = load("unit_inputs.py:Kept")
    capability.setup()
    assert ask(capability, {"text": "a"}) == ["aa", ["warmwarm", None]]


def test_a_model_that_is_loaded_again_keeps_its_constraints(load: Load) -> None:
    load("unit_inputs.py:Kept")
    again = load("unit_inputs.py:Kept")
    again.setup()
    assert refusal(again, {"text": "a", "times": 0}) == {"times": "0 is less than the minimum of 1"}


def test_a_decorated_predict_has_the_inputs_of_the_one_inside(load: Load) -> None:
    capability = load("unit_inputs.py:Decorated")
    assert list(capability.operations[0].description.input_schema["properties"]) == ["text"]
    assert ask(capability, {}) == "x"


def test_a_return_type_that_means_nothing_at_run_time_is_any(load: Load) -> None:
    assert ask(load("unit_inputs.py:Unresolved"), {}) == "x"


def test_a_regex_that_json_schema_has_not_is_left_out(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    assert ask(load("unit_inputs.py:OddRegex"), {"text": "b"}) == "b"
    assert "'text'" in caplog.text


@pytest.mark.parametrize("name", ["UnresolvedInput", "Unknown", "PathOrText", "Pair", "Positional"])
def test_an_input_without_a_form_on_the_wire_is_named(load: Load, name: str) -> None:
    with pytest.raises(TargetError, match="input 'thing'"):
        load(f"unit_inputs.py:{name}")
