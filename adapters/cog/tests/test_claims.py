"""What the adapter takes for a Cog model, and how it loads it."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from livepeer.adapters.cog import CogAdapter
from livepeer.adapters.cog._capability import CogCapability
from livepeer.adapters.cog._scope import Scope
from livepeer.core import Call, Target, TargetError

Load = Callable[[str], CogCapability]
MODELS = Path(__file__).parent / "models"
SHAPES = MODELS / "unit_shapes.py"

MODEL = """
import sys
from cog import BasePredictor

class Predictor(BasePredictor):
    def predict(self) -> list:
        return [__name__, sys.modules[__name__].Predictor is type(self)]
"""


def claims(text: str | Path) -> bool:
    return CogAdapter().claims(Target.parse(str(text)))


def outputs(capability: CogCapability, **inputs: str) -> list[object]:
    return list(capability._model.run(inputs, Scope(call=Call())))


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("Derived", "derived x"),
        ("New", "new x"),
        ("Inheriting", "derived x"),
        ("Mixed", "mixed x"),
        ("WithInput", "with input x"),
        ("Static", "static x"),
        ("function", "function x"),
        ("instance", "derived x"),
    ],
)
def test_what_is_written_for_cog_is_claimed_and_runs(load: Load, name: str, output: str) -> None:
    assert claims(f"{SHAPES}:{name}")
    assert outputs(load(f"{SHAPES}:{name}"), text="x") == [output]


@pytest.mark.parametrize("name", ["WithPath", "WithOutput", "odd"])
def test_cogs_types_in_a_signature_are_enough(name: str) -> None:
    assert claims(f"{SHAPES}:{name}")


@pytest.mark.parametrize("name", ["Plain", "plain_function", "Native", "NativeChild", "number"])
def test_what_has_nothing_to_do_with_cog_is_left_to_others(name: str) -> None:
    assert not claims(f"{SHAPES}:{name}")


def test_a_claim_does_not_change_what_it_looks_at(load: Load) -> None:
    for _ in range(2):
        assert claims(f"{SHAPES}:function")
        load(f"{SHAPES}:function")


def test_a_directory_is_claimed_by_its_cog_yaml_alone(tmp_path: Path) -> None:
    assert not claims(tmp_path)
    (tmp_path / "cog.yaml").write_text("run: nothing.py")
    assert claims(tmp_path)
    (tmp_path / "livepeer.yaml").write_text("target: nothing.py")
    assert not claims(tmp_path)


def test_a_file_that_a_cog_yaml_names_is_claimed(tmp_path: Path) -> None:
    (tmp_path / "cog.yaml").write_text("run: sub/unit_named.py:Bare")
    (tmp_path / "sub").mkdir()
    named = tmp_path / "sub" / "unit_named.py"
    named.write_text("class Bare:\n    def predict(self): ...\nclass Other:\n    def predict(self): ...\n")
    other = tmp_path / "sub" / "unit_other.py"
    other.write_text("class Bare:\n    def predict(self): ...\n")
    assert claims(f"{named}:Bare")
    assert claims(named)
    assert not claims(f"{named}:Other")
    assert not claims(f"{other}:Bare")


def test_a_file_that_is_no_python_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\0")
    assert not claims(tmp_path / "model.bin")


def test_a_file_without_cog_is_left_to_others_and_imported_once(tmp_path: Path) -> None:
    path = tmp_path / "unit_counting.py"
    path.write_text("import builtins\nbuiltins.unit_count = getattr(builtins, 'unit_count', 0) + 1\n")
    assert not claims(f"{path}")
    Target.parse(str(path)).load_module()
    import builtins

    assert builtins.unit_count == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("content", ["raise RuntimeError('broken')", "raise SystemExit(1)", "def"])
def test_a_file_that_cannot_be_imported_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "unit_broken.py"
    path.write_text(content)
    with pytest.raises(TargetError, match=r"importing unit_broken\.py failed"):
        claims(path)
    assert "unit_broken" not in sys.modules


def test_a_module_is_claimed_as_a_file_is(monkeypatch: pytest.MonkeyPatch, load: Load) -> None:
    monkeypatch.syspath_prepend(str(MODELS))
    adapter = CogAdapter()
    assert adapter.claims(Target.parse("unit_shapes:Derived"))
    assert not adapter.claims(Target.parse("unit_shapes:Plain"))
    with pytest.raises(TargetError, match="no attribute 'Nobody'"):
        adapter.claims(Target.parse("unit_shapes:Nobody"))
    with pytest.raises(TargetError, match="importing unit_nowhere failed"):
        adapter.claims(Target.parse("unit_nowhere:Model"))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Both", "Both defines both"),
        ("Neither", "Neither defines neither"),
        ("Demanding", r"Demanding\(\) failed: TypeError"),
        ("Nobody", "no attribute 'Nobody'"),
        ("number", "int defines neither"),
    ],
)
def test_what_cannot_be_served_says_why(load: Load, name: str, error: str) -> None:
    with pytest.raises(TargetError, match=error):
        load(f"{SHAPES}:{name}")


def test_a_failed_load_leaves_everything_as_it_was(load: Load) -> None:
    before = (Path.cwd(), list(sys.path), sys.stdout, dict(os.environ))
    with pytest.raises(TargetError):
        load(f"{SHAPES}:Both")
    assert before == (Path.cwd(), list(sys.path), sys.stdout, dict(os.environ))


def test_a_load_is_undone_at_the_end(tmp_path: Path, load: Load) -> None:
    (tmp_path / "cog.yaml").write_text("run: unit_undone.py")
    (tmp_path / "unit_undone.py").write_text(MODEL)
    before = (Path.cwd(), list(sys.path), sys.stdout)
    capability = load(str(tmp_path))
    assert (Path.cwd(), sys.path[0]) == (tmp_path, str(tmp_path))
    assert outputs(capability) == [["unit_undone", True]]
    capability.teardown()
    assert before == (Path.cwd(), list(sys.path), sys.stdout)


def test_two_models_of_one_name_live_beside_each_other(tmp_path: Path, load: Load) -> None:
    capabilities: list[CogCapability] = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "unit_same.py").write_text(MODEL)
        capabilities.append(load(f"{folder}/unit_same.py"))
    found = [outputs(capability)[0] for capability in capabilities]
    assert found[0] == ["unit_same", True]
    assert found[1][0].startswith("unit_same_")  # type: ignore[index]
    assert found[1][1]  # type: ignore[index]


def test_the_projects_root_is_on_the_path_and_the_models_folder_is_not(tmp_path: Path, load: Load) -> None:
    (tmp_path / "cog.yaml").write_text("predict: sub/unit_deep.py")
    (tmp_path / "unit_neighbour.py").write_text("WORD = 'found'")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "unit_hidden.py").touch()
    (tmp_path / "sub" / "unit_deep.py").write_text(
        "import importlib.util, unit_neighbour\nfrom cog import BasePredictor\n"
        "HIDDEN = importlib.util.find_spec('unit_hidden')\n"
        "class Predictor(BasePredictor):\n"
        "    def predict(self) -> list:\n        return [unit_neighbour.WORD, HIDDEN]\n"
    )
    assert outputs(load(str(tmp_path / "sub" / "unit_deep.py"))) == [["found", None]]


@pytest.mark.parametrize(
    ("content", "output"),
    [
        ("class Predictor:\n    def predict(self) -> str: return 'predictor'", "predictor"),
        (
            "class Predictor:\n    def predict(self) -> str: return 'predictor'\n"
            "class Runner:\n    def run(self) -> str: return 'runner'",
            "runner",
        ),
        (
            "class Predictor:\n    def predict(self) -> str: return 'predictor'\nclass Runner:\n    other = 1",
            "predictor",
        ),
        ("def Runner() -> str: return 'function'", "function"),
    ],
)
def test_a_file_alone_means_its_runner_or_its_predictor(tmp_path: Path, load: Load, content: str, output: str) -> None:
    (tmp_path / "cog.yaml").write_text("run: unit_alone.py")
    (tmp_path / "unit_alone.py").write_text(content)
    assert outputs(load(str(tmp_path))) == [output]


def test_a_file_without_either_asks_for_a_name(tmp_path: Path, load: Load) -> None:
    (tmp_path / "cog.yaml").write_text("run: unit_nobody.py")
    (tmp_path / "unit_nobody.py").write_text("class Model: ...")
    with pytest.raises(TargetError, match=r"no Runner and no Predictor; name the model"):
        load(str(tmp_path))


def test_a_file_that_is_not_there_is_told(tmp_path: Path, load: Load) -> None:
    (tmp_path / "cog.yaml").write_text("run: unit_absent.py:Runner")
    with pytest.raises(TargetError, match=r"there is no file 'unit_absent\.py'"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("place", "name"),
    [("unit_shapes.py:Derived", "derived"), ("unit_shapes.py:WithInput", "with-input")],
)
def test_a_file_alone_has_its_models_name(load: Load, place: str, name: str) -> None:
    assert load(place).info.name == name


def test_an_old_cog_is_refused_by_name_and_only_for_cog_models(tmp_path: Path) -> None:
    site, project = tmp_path / "site", tmp_path / "project"
    (site / "cog-0.16.9.dist-info").mkdir(parents=True)
    (site / "cog-0.16.9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: cog\nVersion: 0.16.9\n")
    (site / "cog.py").write_text("class BasePredictor: ...")
    project.mkdir()
    (project / "old.py").write_text("import cog\nclass Predictor(cog.BasePredictor): ...")
    (project / "plain.py").write_text("def predict(text: str) -> str: ...")
    code = (
        "import sys\nfrom livepeer.core import Target, TargetError\nfrom livepeer.adapters.cog import CogAdapter\n"
        "print(CogAdapter().claims(Target.parse('plain.py:predict')))\n"
        "try:\n    CogAdapter().claims(Target.parse('old.py:Predictor'))\n"
        "except TargetError as error:\n    print(error)\n"
    )
    # The adapter is on the path of this environment; the old Cog comes before it.
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONWARNINGS": "error"}
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout.splitlines()[0] == "False"
    assert "cog 0.16.9 is of the time when Cog was built on pydantic" in found.stdout


def test_the_adapter_is_found_by_its_entry_point() -> None:
    (entry,) = importlib.metadata.entry_points(group="livepeer.adapters", name="cog")
    assert entry.load() is CogAdapter
