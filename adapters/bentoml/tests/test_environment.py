import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import livepeer.adapters.bentoml
from livepeer.adapters.bentoml._bentofile import VariableSection
from livepeer.adapters.bentoml._environment import (
    Exports,
    check_required,
    declared_values,
    prepare,
    values_of,
    worker_index,
)
from livepeer.core import TargetError

SERVICE = """
import bentoml

NAME = "OF_A_NAME"

@bentoml.service(
    envs=[
        {"name": "GIVEN", "value": "yes"},
        {"name": "REQUIRED"},
        {"name": "OF_THE_BUILD", "value": "no", "stage": "build"},
        {"name": NAME, "value": "later"},
        {"name": "A_NUMBER", "value": 3},
        "nothing",
    ],
    workers=1,
)
class Svc: ...

@service(envs=[{"name": "GIVEN", "value": "second"}, {"name": "OTHER", "value": "", "stage": "runtime"}])
class Other: ...

@unrelated(envs=[{"name": "UNRELATED", "value": "no"}])
@bentoml.service(envs=NAME)
class Third: ...
"""


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Variables and a home that each test has for itself."""
    for name in ("BENTOML_DO_NOT_TRACK", "BENTOML_RESULT_STORE", "UNIT_ONE", "UNIT_TWO"):
        # Set first, so that what a test sets is unset after it.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "home"))


def variable(name: str, value: str = "", stage: str = "all") -> VariableSection:
    return VariableSection.model_validate({"name": name, "value": value, "stage": stage})


def test_nobody_is_told_unless_the_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    assert os.environ["BENTOML_DO_NOT_TRACK"] == "True"
    monkeypatch.setenv("BENTOML_DO_NOT_TRACK", "False")
    prepare()
    assert os.environ["BENTOML_DO_NOT_TRACK"] == "False"


def test_a_home_that_can_be_written_to_stays(tmp_path: Path) -> None:
    prepare()
    assert os.environ["BENTOML_HOME"] == str(tmp_path / "home")
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"bentos", "models", "envs", "tmp"}


def test_a_home_that_cannot_be_made_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "file" / "home"))
    prepare()
    home = Path(os.environ["BENTOML_HOME"])
    assert home.is_dir()
    assert not home.is_relative_to(tmp_path)
    prepare()
    assert os.environ["BENTOML_HOME"] == str(home)


def test_the_models_of_a_home_that_is_replaced_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "baked"
    (home / "models" / "small").mkdir(parents=True)
    (home / "tmp").touch()  # where BentoML would want a directory
    monkeypatch.setenv("BENTOML_HOME", str(home))
    prepare()
    assert os.environ["BENTOML_HOME"] != str(home)
    assert (Path(os.environ["BENTOML_HOME"]) / "models" / "small").is_dir()


def test_tasks_are_kept_in_a_file_of_this_process_unless_the_user_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    first = os.environ["BENTOML_RESULT_STORE"]
    assert Path(first).parent.is_dir()
    assert not Path(first).is_relative_to(os.environ["BENTOML_HOME"])
    prepare()
    assert os.environ["BENTOML_RESULT_STORE"] == first
    monkeypatch.setenv("BENTOML_RESULT_STORE", "mine.db")
    prepare()
    assert os.environ["BENTOML_RESULT_STORE"] == "mine.db"


def test_a_process_does_not_take_the_tasks_of_the_one_that_started_it() -> None:
    prepare()
    code = (
        "import os; from livepeer.adapters.bentoml._environment import prepare; prepare()\n"
        "print(os.environ['BENTOML_RESULT_STORE'])"
    )
    inherited = os.environ["BENTOML_RESULT_STORE"]
    assert run(code, dict(os.environ)).strip() != inherited
    assert run(code, {**os.environ, "BENTOML_RESULT_STORE": "mine.db"}).strip() == "mine.db"


def test_temporary_folders_go_with_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = (
        "import os; from livepeer.adapters.bentoml._environment import prepare; prepare()\n"
        "print(os.environ['BENTOML_HOME']); print(os.path.dirname(os.environ['BENTOML_RESULT_STORE']))"
    )
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path / "file" / "home"), "TMPDIR": str(tmp_path)}
    found = run(code, environment).splitlines()
    assert len(found) == 2
    assert all(Path(line).parent == tmp_path and not Path(line).exists() for line in found)


def test_nothing_of_bentoml_is_imported_for_it() -> None:
    code = (
        "import sys; import livepeer.adapters.bentoml; from livepeer.adapters.bentoml._environment import prepare\n"
        "prepare(); print([name for name in sys.modules if name in ('bentoml', '_bentoml_sdk', '_bentoml_impl')])"
    )
    assert run(code, dict(os.environ)).strip() == "[]"


def run(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize(("number", "index"), [(None, 1), ("0", 1), ("3", 4), ("", 1), ("some", 1)])
def test_a_replica_is_a_worker_of_bentomls(monkeypatch: pytest.MonkeyPatch, number: str | None, index: int) -> None:
    monkeypatch.delenv("LIVEPEER_REPLICA", raising=False)
    if number is not None:
        monkeypatch.setenv("LIVEPEER_REPLICA", number)
    assert worker_index() == index


def test_values_are_set_where_nothing_is_and_go_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIT_ONE", "the user's")
    exports = Exports()
    exports.add({"UNIT_ONE": "ours", "UNIT_TWO": "first"})
    assert (os.environ["UNIT_ONE"], os.environ["UNIT_TWO"]) == ("the user's", "first")
    exports.add({"UNIT_TWO": ""})
    assert (os.environ["UNIT_ONE"], os.environ["UNIT_TWO"]) == ("the user's", "")
    exports.remove()
    assert os.environ["UNIT_ONE"] == "the user's"
    assert "UNIT_TWO" not in os.environ


def test_what_is_of_the_build_or_has_no_value_is_none_to_set() -> None:
    asked = [variable("A", "a"), variable("B", "b", "build"), variable("C"), variable("D", "d", "runtime")]
    assert values_of(asked) == {"A": "a", "D": "d"}


def test_all_that_is_required_and_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIT_SET", "")
    asked = [variable("UNIT_ONE"), variable("UNIT_SET"), variable("UNIT_TWO", stage="runtime"), variable("UNIT_ONE")]
    with pytest.raises(TargetError, match=r"bentofile.yaml: set UNIT_ONE, UNIT_TWO in the environment"):
        check_required([*asked, variable("UNIT_BUILD", stage="build"), variable("UNIT_GIVEN", "x")], "bentofile.yaml")
    check_required([variable("UNIT_SET"), variable("UNIT_BUILD", stage="build")], "bentofile.yaml")


def test_the_values_of_decorators_are_read_from_the_text() -> None:
    assert declared_values(SERVICE) == {"GIVEN": "yes"}


@pytest.mark.parametrize("source", ["", "class", "\x00", "service(envs=[{}])", "service(envs=[f()])", "f()(envs=[1])"])
def test_a_text_without_values_has_none(source: str) -> None:
    assert declared_values(source) == {}


def test_one_module_alone_knows_bentomls_own() -> None:
    package = Path(livepeer.adapters.bentoml.__file__).parent
    named = re.compile(r"^\s*(?:from|import) _?bentoml|[\"'](?:_bentoml_(?:sdk|impl)|bentoml\.)", re.MULTILINE)
    assert [file.name for file in package.glob("*.py") if named.search(file.read_text())] == ["_sdk.py"]
