"""Cases of the shapes that a model may have, and of where it lies."""

from typing import Any

from .asking import refuses, succeeds
from .records import Answer, Case, Difference, Holding, Matching, Model
from .setups import health_and_prediction, in_cogs_words, setup_failed


def shape(
    target: str,
    output: str,
    *,
    file: str = "loading.py",
    key: str = "predict",
    more: tuple[Case, ...] = (),
    **fields: Any,
) -> Model:
    return Model(
        name=f"loading {target}",
        file=file,
        target=target,
        key=key,
        cases=[succeeds("a word", {"text": "word"}, output), *more],
        **fields,
    )


def unmounted(reason: str) -> list[Any]:
    """The problems that our server answers without a model's process."""
    problem = Holding(
        {"status": 503, "code": "not_ready", "detail": Matching(f"the model cannot be served: .*{reason}")}
    )
    return [problem, Answer(status=503, body=Matching(reason))]


def unloadable(name: str, file: str, target: str, error: str, ours: str, **fields: Any) -> Model:
    return Model(
        name=name,
        file=file,
        target=target,
        schema=False,
        cases=[
            Case(
                name="health and prediction",
                ask=health_and_prediction,
                cog=setup_failed(in_cogs_words(f"failed to load predictor: {error}")),
                ours=unmounted(ours),
                because=Difference.UNLOADABLE,
            )
        ],
        **fields,
    )


MODELS = (
    shape("OldStyle", "old word"),
    shape("NewStyle", "new word", file="runners.py", key="run", since="0.20"),
    shape("RunnerThatPredicts", "mixed word", file="runners.py", key="run", since="0.20"),
    shape("Bare", "bare word", more=(succeeds("its default", {}, "bare default"),)),
    shape("BareRunner", "bare runner word", key="run"),
    shape("Child", "child of old word"),
    shape("Inheriting", "old word", schema=False),
    shape(
        "function",
        "wordword",
        more=(
            succeeds("three times", {"text": "a", "times": 3}, "aaa"),
            refuses("no times", {"text": "a", "times": 0}, ("times", "0 is less than the minimum of 1")),
        ),
    ),
    shape("later_function", "WORD"),
    unloadable(
        "both run and predict",
        "loading.py",
        "Both",
        "ValueError: Both must define either run() or predict(), not both",
        "both run.. and predict..",
    ),
    unloadable(
        "neither run nor predict",
        "loading.py",
        "Neither",
        "ValueError: run or predict method not found: Neither",
        "neither run.. nor predict..",
    ),
    unloadable(
        "no such name",
        "loading.py",
        "Nobody",
        "AttributeError: module 'loading' has no attribute 'Nobody'",
        "no attribute 'Nobody'",
    ),
    unloadable(
        "a module that breaks",
        "broken.py",
        "Predictor",
        "RuntimeError: broken at import",
        "RuntimeError: broken at import",
    ),
    Model(
        name="a file alone",
        file="defaults.py",
        since="0.20",
        schema=False,
        cases=[succeeds("its runner", {"text": "a"}, "runner a")],
    ),
    Model(
        name="a file with a runner and a predictor",
        file="defaults.py",
        since="0.20",
        target="Predictor",
        cases=[succeeds("the named one", {"text": "a"}, "predictor a")],
    ),
    Model(
        name="a subdirectory",
        file="imports.py",
        target="Predictor",
        folder="inner/deep",
        files={"neighbour.py": "WORD = 'beside'", "inner/deep/hidden.py": "", "cog-unrelated.txt": ""},
        cases=[succeeds("what it imports", {"text": "a"}, "beside a True")],
    ),
    Model(
        name="places",
        file="loading.py",
        target="Places",
        files={"notes.txt": "noted"},
        yaml={"environment": ["GREETING=hello there", "EMPTY=", "WITH_EQUALS=a=b"]},
        cases=[
            succeeds(
                "all as in the image",
                {},
                {
                    "name": "loading",
                    "registered": True,
                    "same folder": True,
                    "notes": ["noted", "noted"],
                    "variables": {"GREETING": "hello there", "EMPTY": "", "WITH_EQUALS": "a=b"},
                    "argv": True,
                },
            )
        ],
    ),
    Model(
        name="state",
        file="loading.py",
        target="Counting",
        repeatable=False,
        cases=[
            succeeds("the first call", {}, [1, 1]),
            succeeds("the second", {"add": 5}, [6, 2]),
            refuses("a refused call does not count", {"add": "1"}, ("add", '"1" is not of type "integer"')),
            succeeds("the third", {}, [7, 3]),
        ],
    ),
    Model(
        name="threads",
        file="loading.py",
        target="Threads",
        cases=[succeeds("no loop runs in a sync predict", {}, True)],
    ),
    Model(
        name="calling itself",
        file="loading.py",
        target="SelfCalling",
        cases=[succeeds("a default that is a plain number", {}, "int 3")],
    ),
)
