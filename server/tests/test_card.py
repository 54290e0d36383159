"""The discovery card: what it says, and what goes when there is no room."""

import json

import pytest

from livepeer.core import Description, Info, OperationDescription
from livepeer.server import Card, RegistrationOptions, runner_offer, static_runners


def described(text: str = "d", *, streams: bool = False, capacity: int = 2) -> Description:
    operation = OperationDescription(
        name="predict",
        path="/predict",
        input_schema={"type": "object", "properties": {"text": {"type": "string"}}},
        output_schema={"type": "object"},
        streams=streams,
        capacity=capacity,
    )
    return Description(info=Info(name="m", version="1.2", description=text, adapter="t"), operations=(operation,))


def options(**fields: object) -> RegistrationOptions:
    given = {"orch_url": "http://o", "orch_token": "s", "capability_url": "http://w:5000/", "token": "t", **fields}
    return RegistrationOptions.model_validate(given)


def card(description: Description, **fields: object) -> tuple[Card, tuple[str, ...]]:
    made = {"name": "m", "schema_url": "http://w/schema", **fields}
    return Card.of(description, **made).fitted()  # pyright: ignore[reportArgumentType]


def test_a_card_that_fits_says_everything() -> None:
    found, dropped = card(described("Says it."), image="r/i@sha256:ab", deadline_seconds=30)
    document = json.loads(found.metadata())
    assert dropped == ()
    assert document.pop("schema_sha256")
    assert document == {
        "name": "m",
        "kind": "batch",
        "description": "Says it.",
        "image": "r/i@sha256:ab",
        "schema_url": "http://w/schema",
        "transport": "http",
        "deadline_seconds": 30,
    }
    assert card(described(streams=True))[0].kind == "stream"


@pytest.mark.parametrize("letter", ["x", "ж", "漢", "🦊"])
def test_bytes_are_counted_and_not_letters(letter: str) -> None:
    rest = len(card(described("x"))[0].metadata().encode()) - 1
    room = (1024 - rest) // len(letter.encode())
    assert card(described(letter * room))[1] == ()
    fitted, dropped = card(described(letter * (room + 1)))
    assert dropped == ("description",)
    assert fitted.schema_sha256


def test_what_identifies_goes_last() -> None:
    fitted, dropped = card(described("x" * 900), image="i" * 900, name="n" * 300, deadline_seconds=1)
    assert dropped == ("description", "image")
    fitted, dropped = card(described("x" * 900), image="i" * 900, name="n" * 1000, deadline_seconds=1)
    assert dropped == ("description", "image", "transport", "deadline_seconds", "kind", "name")
    assert set(json.loads(fitted.metadata())) == {"schema_url", "schema_sha256"}
    fitted, dropped = card(described(), schema_url="http://" + "u" * 2000)
    assert dropped[-1] == "schema_url"
    assert len(fitted.metadata().encode()) <= 1024


def test_characters_that_an_orchestrator_refuses_are_escaped() -> None:
    metadata = card(described("a\ufffdb\ud800c"))[0].metadata()
    assert "\ufffd" not in metadata
    metadata.encode()
    assert json.loads(metadata)["description"] == "a\ufffdb\ud800c"


def test_an_offer_takes_the_options_before_the_capability() -> None:
    runner, _ = runner_offer(described(), options())
    assert (runner.app, runner.label, runner.capacity) == ("capability/m", "m", 2)
    assert (runner.runner_url, runner.mode, runner.price_info) == ("http://w:5000", "single-shot", None)
    assert json.loads(runner.metadata)["schema_url"] == "http://w:5000/schema"
    runner, _ = runner_offer(
        described(),
        options(
            app="org/m", capacity=5, capability_name="n", price_usd="0.10", price_unit="fixed", schema_url="https://s/x"
        ),
    )
    assert (runner.app, runner.label, runner.capacity) == ("org/m", "n", 5)
    assert runner.price_info is not None
    assert runner.price_info.model_dump() == {"price": "0.10", "currency": "usd", "unit": "fixed"}
    assert json.loads(runner.metadata)["schema_url"] == "https://s/x"


def test_a_static_entry_names_healthz_and_routes_by_label() -> None:
    (entry,) = static_runners(described(), options(price_usd="2"))["runners"]
    assert (entry["health_url"], entry["healthy_status_code"]) == ("/healthz", 200)
    assert (entry["routing"], entry["label"], entry["runner_url"]) == ("label", "m", "http://w:5000")
    assert "runner_id" not in entry
    (entry,) = static_runners(described(), options(capability_name="org/m"))["runners"]
    assert (entry["label"], entry["app"]) == ("org-m", "capability/org/m")
    assert "status" not in entry


@pytest.mark.parametrize(
    ("field", "value"),
    [("app", "no-org"), ("app", "a b/c"), ("price_usd", "-1"), ("price_unit", "day"), ("schema_url", "/schema")],
)
def test_a_setting_that_does_not_fit_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        options(**{field: value})
