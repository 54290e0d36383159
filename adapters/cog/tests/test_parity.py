"""The same models, served by Cog and by us, answer the same questions alike, but for what is meant to differ."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import httpx2
import pytest
from cog_server import Server
from packaging.version import Version
from parity import loopback
from parity.asking import Prediction
from parity.models import MODELS
from parity.records import SAME, Answer, Case, Difference, Model
from parity.serving import Pair, Pairs

COG = Version(version("cog"))
COMPARED_SINCE = Version("0.21")
"""The server of Cog 0.20 loses its slots; with that SDK our answers alone are compared with those of today's Cog."""

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module", autouse=True)
def loopback_server() -> Iterator[None]:
    with loopback.listening():
        yield


@pytest.fixture(scope="module")
def pairs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pairs]:
    asked = [params(item).get("model") for item in request.session.items]
    wanted = {model.name for model in asked if isinstance(model, Model)}
    folder = tmp_path_factory.mktemp("parity")
    pairs = Pairs([model for model in MODELS if model.name in wanted], folder, with_cog=COG >= COMPARED_SINCE)
    yield pairs
    pairs.close()
    shutil.rmtree(folder)


def params(item: Any) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}


NOT_ASKED = object()
BY_CHANCE = (Difference.SLOT, Difference.SETUP_LINES)
CASES = [pytest.param(model, case, id=f"{model.name}-{case.name}") for model in MODELS for case in model.cases]


@pytest.mark.parametrize(("model", "case"), CASES)
def test_we_answer_as_cog_does_but_for_what_is_meant(pairs: Pairs, model: Model, case: Case) -> None:
    needed = max(Version(model.since), Version(case.since))
    if needed > COG:
        pytest.skip(f"needs Cog {needed}")
    ours, cog = ask_both(pairs.take(model), case)
    assert (case.cog if case.ours is SAME else case.ours) == ours
    if cog is not NOT_ASKED:
        compare(case, cog, ours)
    if isinstance(case.ask, Prediction) and model.repeatable and not case.ask.fields:
        compare_with_predict(pairs.take(model).ours, case.ask.input, ours)


def ask_both(pair: Pair, case: Case) -> tuple[Any, Any]:
    """Ask at the same time, since some answers take long."""
    if pair.cog is None:
        return case.ask(pair.ours), NOT_ASKED
    with ThreadPoolExecutor(1) as executor:
        asked = executor.submit(case.ask, pair.cog)
        return case.ask(pair.ours), asked.result()


def compare(case: Case, cog: Any, ours: Any) -> None:
    """Cog answers as is known, and we do the same, or something else as long as it does."""
    assert case.cog == cog
    if case.ours is SAME:
        assert ours == cog
    else:
        assert ours != cog or case.because in BY_CHANCE, "there is no difference any more"


def compare_with_predict(server: Server, document: Any, envelope: Answer) -> None:
    """The network's own route gives what the envelope holds, and tells failures by their status."""
    response = server.client.post("/predict", json=document)
    if envelope.status == 422:
        assert response.status_code == 422
    elif envelope.body["status"] == "failed":
        # Once a stream has begun, its failure is its last event.
        assert response.status_code in (422, 500) or "event: error" in response.text
    else:
        assert response.status_code == 200, response.text
        assert outputs_of(response) == envelope.body["output"]


def outputs_of(response: httpx2.Response) -> Any:
    """The answer's document, or the list of a stream's items."""
    if not response.headers["content-type"].startswith("text/event-stream"):
        return response.json()
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    return [json.loads("".join(line.removeprefix("data: ") for line in event.split("\n"))) for event in events[:-2]]


@pytest.mark.parametrize("difference", Difference)
def test_each_difference_has_a_case(difference: Difference) -> None:
    assert any(case.because is difference for model in MODELS for case in model.cases)


def test_no_case_differs_without_a_reason() -> None:
    assert [
        case.name for model in MODELS for case in model.cases if (case.ours is SAME) is not (case.because is None)
    ] == []


def test_there_are_models_enough() -> None:
    assert len({(model.file, model.target) for model in MODELS}) >= 45
    assert len({model.name for model in MODELS}) == len(MODELS)
