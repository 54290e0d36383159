"""Targets: what is served, from where, and what it finds around it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livepeer.adapters.bentoml._finding import find_project
from livepeer.adapters.bentoml._project import Project
from livepeer.core import Target, TargetError

Load = Callable[[Any], tuple[Project, Any]]

SERVICE = """
import bentoml

@bentoml.service
class {name}:
    '''Says where it is.'''

    @bentoml.api
    def say(self) -> str:
        return {says}

    @bentoml.api(route="/tell")
    def say_again(self) -> str:
        return "again"
"""


def write(folder: Path, file: str, name: str = "Svc", says: str = "__name__") -> Path:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SERVICE.format(name=name, says=says))
    return path


def said(service: Any) -> Any:
    return service().say()


def find(target: object) -> Project:
    return find_project(Target.parse(str(target)))


@pytest.mark.parametrize("name", ["", ":Svc", ":Svc.say"])
def test_a_file_runs_in_its_own_directory(tmp_path: Path, load: Load, name: str) -> None:
    write(tmp_path, "unit_file.py", says="__file__")
    project, service = load(f"{tmp_path}/unit_file.py{name}")
    assert (project.root, Path.cwd(), sys.path[0]) == (tmp_path, tmp_path, str(tmp_path))
    assert (project.name, project.version, project.description) == ("svc", None, "Says where it is.")
    assert said(service) == str(tmp_path / "unit_file.py")


def test_a_file_of_a_package_runs_above_it(tmp_path: Path, load: Load) -> None:
    write(tmp_path, "unit_pkg/inner/service.py", says="__name__ + word")
    for folder in ("unit_pkg", "unit_pkg/inner"):
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "unit_pkg" / "words.py").write_text("WORD = '!'")
    path = tmp_path / "unit_pkg" / "inner" / "service.py"
    path.write_text("from ..words import WORD as word\n" + path.read_text())
    project, service = load(f"{path}:Svc")
    assert (project.root, project.reference) == (tmp_path, "unit_pkg/inner/service.py:Svc")
    assert said(service) == "unit_pkg.inner.service!"


def test_a_module_runs_where_one_is(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "unit_space/service.py")
    monkeypatch.chdir(tmp_path)
    project, service = load("unit_space.service:Svc")
    assert project.root == tmp_path
    assert said(service) == "unit_space.service"


def test_a_module_without_a_name_has_one_service(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "unit_only.py", "Only")
    monkeypatch.chdir(tmp_path)
    project, service = load("unit_only")
    assert (service.name, project.name) == ("Only", "only")


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("unit_a", "unit_a.unit_dir:Svc"),
        ("unit_b", "unit_b/unit_dir.py:Svc"),
        ("unit_c", "unit_c/unit_dir.py"),
        ("unit_d", "./unit_d/unit_dir.py"),
    ],
)
def test_a_directory_serves_what_its_bentofile_names(tmp_path: Path, load: Load, folder: str, service: str) -> None:
    file = write(tmp_path, f"{folder}/unit_dir.py", says="__file__")
    (tmp_path / "bentofile.yaml").write_text(f"service: {service}\nname: Text_Summarizer\ndescription: Sums up.")
    project, found = load(tmp_path)
    assert said(found) == str(file)
    assert (project.name, project.description) == ("text-summarizer", "Sums up.")
    # A target names the file: it is the same project.
    assert (find(file).root, find(file).name) == (tmp_path, "text-summarizer")
    assert find(f"{file}:Other").config_file == "bentofile.yaml"
    assert find(f"{file}:Other").is_named is (":" not in service)


def test_another_service_of_the_directory_has_its_root_and_nothing_else(tmp_path: Path, load: Load) -> None:
    write(tmp_path, "unit_first.py")
    write(tmp_path, "app/unit_second.py", "Second", says="os.environ.get('UNIT_FIRST')")
    path = tmp_path / "app" / "unit_second.py"
    path.write_text("import os\n" + path.read_text())
    (tmp_path / "bentofile.yaml").write_text(
        "service: unit_first:Svc\nname: first\nenvs: [{name: UNIT_FIRST, value: first}]"
    )
    project, service = load(path)
    assert (project.root, project.name) == (tmp_path, "second")
    assert service.inner.__module__ == "app.unit_second"
    assert said(service) is None


def test_a_pyproject_names_a_service_too(tmp_path: Path, load: Load) -> None:
    write(tmp_path, "src/unit_laid/service.py")
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'laid-out'\n[tool.bentoml.build]\nservice = 'unit_laid.service:Svc'"
    )
    project, service = load(tmp_path)
    assert said(service) == "unit_laid.service"
    assert (project.name, project.root) == ("laid-out", tmp_path)


def test_a_bentofile_that_names_no_service_leaves_it_to_the_pyproject(tmp_path: Path) -> None:
    (tmp_path / "bentofile.yaml").write_text("labels: {a: b}")
    (tmp_path / "pyproject.toml").write_text("[tool.bentoml.build]\nservice = 'unit_toml:Svc'")
    assert (find(tmp_path).module, find(tmp_path).config_file) == ("unit_toml", "pyproject.toml")
    (tmp_path / "pyproject.toml").unlink()
    assert (find(tmp_path).module, find(tmp_path).config_file) == ("service", "bentofile.yaml")


def test_a_directory_with_a_service_py_serves_that(tmp_path: Path, load: Load) -> None:
    write(tmp_path, "service.py", says="__file__")
    assert said(load(tmp_path)[1]) == str(tmp_path / "service.py")


def test_two_directories_may_both_have_a_service_py(tmp_path: Path, load: Load) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder, "service.py", says="__file__")
    assert [said(load(tmp_path / folder)[1]) for folder in "ab"] == [
        str(tmp_path / name / "service.py") for name in "ab"
    ]


def test_a_module_of_a_package_whose_name_something_else_has_asks_for_a_process(tmp_path: Path, load: Load) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder, "unit_twice/service.py")
        (tmp_path / folder / "bentofile.yaml").write_text("service: unit_twice.service:Svc")
    load(tmp_path / "a")
    with pytest.raises(TargetError, match=r"another module is imported as unit_twice\.service in this process"):
        load(tmp_path / "b")


def test_a_file_may_have_the_name_of_a_library(tmp_path: Path, load: Load) -> None:
    write(tmp_path, "pydantic.py", says="__file__")
    assert said(load(f"{tmp_path}/pydantic.py:Svc")[1]) == str(tmp_path / "pydantic.py")


def test_a_directory_with_nothing_says_what_it_could_have(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"no bentofile\.yaml, no \[tool\.bentoml\.build\] .* and no service\.py"):
        find(tmp_path)


def test_a_bento_without_its_source_is_told(tmp_path: Path) -> None:
    (tmp_path / "bento.yaml").write_text("service: service:Svc\nname: a\nversion: b")
    with pytest.raises(TargetError, match=r"there is a bento\.yaml, and no src"):
        find(tmp_path)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("unit_gone.py:Svc", r"there is no file 'unit_gone\.py'"),
        ("unit_gone:Svc", "importing unit_gone failed: ModuleNotFoundError"),
        ("unit_there.py:Nobody", r"unit_there\.py has no 'Nobody'; its services are: Svc"),
        ("unit_there.py:Svc.shout", "Svc has no api 'shout'; its apis are: say, say_again"),
        ("unit_there.py:Svc.dep.shout", "Svc depends on no 'dep', but on: none"),
        ("unit_there.py:bentoml", r"unit_there\.py:bentoml is no BentoML service, but a module"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, load: Load, name: str, error: str) -> None:
    write(tmp_path, "unit_there.py")
    (tmp_path / "bentofile.yaml").write_text(f"service: {name}")
    with pytest.raises(TargetError, match=error):
        load(tmp_path)


def test_a_file_that_is_no_python_is_told(tmp_path: Path, load: Load) -> None:
    (tmp_path / "notes.txt").write_text("bentoml")
    with pytest.raises(TargetError, match=r"notes\.txt is no Python file"):
        load(tmp_path / "notes.txt")


SEVERAL = """
import bentoml

@bentoml.service
class Words:
    @bentoml.api
    def count(self, text: str) -> int:
        return len(text.split())

@bentoml.service
class Entry:
    words = bentoml.depends(Words)

    @bentoml.api
    def ask(self, text: str) -> int:
        return 1

class Box:
    inner = Entry
"""


@pytest.mark.parametrize(
    ("name", "service", "api"),
    [
        ("", "Entry", None),
        (":Words", "Words", None),
        (":Entry.words", "Words", None),
        (":Entry.ask", "Entry", "ask"),
        (":Entry.words.count", "Words", "count"),
        (":Box.inner.ask", "Entry", "ask"),
    ],
)
def test_a_module_of_several_has_one_that_no_other_depends_on(
    tmp_path: Path, load: Load, name: str, service: str, api: str | None
) -> None:
    (tmp_path / "unit_several.py").write_text(SEVERAL)
    project, found = load(f"{tmp_path}/unit_several.py{name}")
    assert (found.name, project.chosen_api) == (service, api)


def test_a_module_of_several_that_stand_alone_asks_for_a_name(tmp_path: Path, load: Load) -> None:
    (tmp_path / "unit_apart.py").write_text(SEVERAL.replace("words = bentoml.depends(Words)", ""))
    with pytest.raises(TargetError, match=r"Multiple `bentoml\.Service` instances found in module"):
        load(tmp_path / "unit_apart.py")


def test_a_module_of_none_says_so(tmp_path: Path, load: Load) -> None:
    (tmp_path / "unit_none.py").write_text("import bentoml")
    with pytest.raises(TargetError, match="No service found in the module 'unit_none'"):
        load(tmp_path / "unit_none.py")


@pytest.mark.parametrize(("chosen", "api"), [("say", "say"), ("tell", "say_again"), ("say_again", "say_again")])
def test_an_api_is_chosen_by_its_name_or_its_route(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch, chosen: str, api: str
) -> None:
    write(tmp_path, "unit_chosen.py")
    assert load(f"{tmp_path}/unit_chosen.py:Svc.{chosen}")[0].chosen_api == api
    monkeypatch.setenv("LIVEPEER_BENTOML_API", chosen)
    assert load(f"{tmp_path}/unit_chosen.py:Svc")[0].chosen_api == api


def test_a_target_goes_before_the_variable_and_neither_may_name_nobody(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "unit_chosen.py")
    monkeypatch.setenv("LIVEPEER_BENTOML_API", "nobody")
    assert load(f"{tmp_path}/unit_chosen.py:Svc.say")[0].chosen_api == "say"
    with pytest.raises(TargetError, match="Svc has no api 'nobody'; its apis are: say, say_again"):
        load(f"{tmp_path}/unit_chosen.py:Svc")


FAILING = {
    "raise KeyError('TOKEN')": "importing unit_failing.py failed: KeyError: 'TOKEN'",
    "raise SystemExit(3)": "importing unit_failing.py failed: SystemExit: 3",
    "import unit_missing_library": "ModuleNotFoundError: No module named 'unit_missing_library'",
    "with bentoml.importing():\n    import unit_missing_library": "No module named 'unit_missing_library'",
    "def": "importing unit_failing.py failed: SyntaxError",
    "@bentoml.service(traffic={'timeout': 0})\nclass A: ...\n": "(?s)A: .*Key 'timeout' error",
}


@pytest.mark.parametrize("code", FAILING)
def test_a_service_that_fails_at_its_import_cannot_be_served(tmp_path: Path, load: Load, code: str) -> None:
    (tmp_path / "unit_failing.py").write_text(f"import bentoml\n{code}\n")
    with pytest.raises(TargetError, match=FAILING[code]):
        load(tmp_path / "unit_failing.py")
    sys.modules.pop("unit_failing", None)


LATE = """
import bentoml
from pathlib import Path

@bentoml.service
class Svc:
    def __init__(self) -> None:
        self.text = Path("words.txt").read_text()

    @bentoml.api
    def say(self) -> str:
        from unit_late_neighbour import WORD
        return self.text + WORD
"""


def test_a_service_reads_files_and_imports_late_beside_it_wherever_it_is_served_from(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "unit_late.py").write_text(LATE)
    (project / "words.txt").write_text("read, ")
    (project / "unit_late_neighbour.py").write_text("WORD = 'imported'")
    (elsewhere / "words.txt").write_text("wrong")
    monkeypatch.chdir(elsewhere)
    assert said(load("../project/unit_late.py")[1]) == "read, imported"


def test_leaving_undoes_what_entering_did(tmp_path: Path) -> None:
    write(tmp_path, "src/unit_entered.py")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.bentoml.build]\nservice = 'unit_entered'\nenvs = [{name='U', value='x'}]"
    )
    before = (Path.cwd(), list(sys.path), dict(os.environ))
    project = find(tmp_path)
    project.enter()
    assert (Path.cwd(), sys.path[:2], os.environ["U"]) == (tmp_path, [str(tmp_path), str(tmp_path / "src")], "x")
    project.leave()
    assert before == (Path.cwd(), list(sys.path), dict(os.environ))
    project.leave()
    assert before == (Path.cwd(), list(sys.path), dict(os.environ))


VARIABLES = """
import os
import bentoml

SEEN = {name: os.environ.get(name) for name in ("UNIT_FILE", "UNIT_DECORATED", "UNIT_BOTH", "UNIT_BUILD", "UNIT_IMAGE")}

@bentoml.service(envs=[{"name": "UNIT_DEPENDED", "value": "yes"}, {"name": "UNIT_BOTH", "value": "dependency"}])
class Words: ...

@bentoml.service(envs=[
    {"name": "UNIT_DECORATED", "value": "decorator"},
    {"name": "UNIT_BOTH", "value": "decorator"},
    {"name": "UNIT_BUILD", "value": "decorator", "stage": "build"},
    {"name": "UNIT_ADDED", "value": "add" + "ed"},
])
class Svc:
    words = bentoml.depends(Words)

    @bentoml.api
    def say(self) -> dict:
        return SEEN | {name: os.environ.get(name) for name in ("UNIT_ADDED", "UNIT_DEPENDED")}
"""


def test_variables_are_there_when_the_service_is_imported(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unit_variables.py").write_text(VARIABLES)
    (tmp_path / "bentofile.yaml").write_text(
        "service: unit_variables\ndocker: {env: {UNIT_IMAGE: ''}}\n"
        "envs: [{name: UNIT_FILE, value: file}, {name: UNIT_BUILD, value: file, stage: build}]"
    )
    monkeypatch.setenv("UNIT_DECORATED", "the user's")
    project, service = load(tmp_path)
    assert service.inner().say() == {
        "UNIT_FILE": "file",
        "UNIT_DECORATED": "the user's",
        "UNIT_BOTH": "dependency",
        "UNIT_BUILD": None,
        "UNIT_IMAGE": "",
        "UNIT_ADDED": "added",
        "UNIT_DEPENDED": "yes",
    }
    assert os.environ["UNIT_BOTH"] == "decorator"
    project.leave()
    assert not [name for name in os.environ if name.startswith("UNIT_") and name != "UNIT_DECORATED"]


@pytest.mark.parametrize("depended", [False, True])
def test_a_variable_that_a_service_requires_is_named(tmp_path: Path, load: Load, depended: bool) -> None:
    code = "import bentoml\n@bentoml.service(envs=[{'name': 'UNIT_TOKEN'}])\nclass Svc: ...\n"
    if depended:
        code += "@bentoml.service\nclass Entry:\n    svc = bentoml.depends(Svc)\n"
    (tmp_path / "unit_requiring.py").write_text(code)
    with pytest.raises(TargetError, match=r"unit_requiring\.py: set UNIT_TOKEN in the environment"):
        load(tmp_path / "unit_requiring.py")
    sys.modules.pop("unit_requiring")


def test_a_variable_that_a_bentofile_requires_is_named_before_anything_is_imported(tmp_path: Path, load: Load) -> None:
    (tmp_path / "bentofile.yaml").write_text("service: unit_never:Svc\nenvs: [{name: UNIT_A}, {name: UNIT_B}]")
    (tmp_path / "unit_never.py").write_text("raise RuntimeError")
    with pytest.raises(TargetError, match=r"bentofile\.yaml: set UNIT_A, UNIT_B in the environment"):
        load(tmp_path)


ARGUED = """
import bentoml
from pydantic import BaseModel

class Arguments(BaseModel):
    name: str
    half: float = 1.0

arguments = bentoml.use_arguments(Arguments)

@bentoml.service(labels={"name": arguments.name})
class Svc:
    @bentoml.api
    def say(self) -> list:
        return [arguments.name, arguments.half]
"""


@pytest.mark.parametrize(
    ("written", "given", "arguments"),
    [
        ("args: {name: dog, half: 0.5}", None, ["dog", 0.5]),
        ("args: {name: dog, half: 0.5}", '{"name": "cat"}', ["cat", 0.5]),
        ("", '{"name": "cat", "half": 2}', ["cat", 2.0]),
    ],
)
def test_arguments_come_from_the_bentofile_and_from_a_variable(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch, written: str, given: str | None, arguments: list[Any]
) -> None:
    (tmp_path / "bentofile.yaml").write_text(f"service: service:Svc\n{written}")
    (tmp_path / "service.py").write_text(ARGUED)
    if given is not None:
        monkeypatch.setenv("LIVEPEER_BENTOML_ARGS", given)
    _, service = load(tmp_path)
    assert said(service) == arguments
    assert service.labels == {"name": arguments[0]}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("", r"InvalidArgument: Argument error\. .*name"),
        ("{", "LIVEPEER_BENTOML_ARGS is no JSON"),
        ("[1]", r"LIVEPEER_BENTOML_ARGS is no JSON object, but \[1\]"),
    ],
)
def test_arguments_that_do_not_fit_are_told(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch, given: str, error: str
) -> None:
    (tmp_path / "unit_argued.py").write_text(ARGUED)
    monkeypatch.setenv("LIVEPEER_BENTOML_ARGS", given)
    with pytest.raises(TargetError, match=f"(?s){error}"):
        load(tmp_path / "unit_argued.py")


CONFIGURED = """
import bentoml

@bentoml.service(resources={"gpu": 1, "gpu_type": "nvidia-l4"}, traffic={"timeout": 10})
class Svc: ...
"""


def test_bentomls_own_configuration_has_its_say(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    from livepeer.adapters.bentoml import _sdk

    (tmp_path / "unit_configured.py").write_text(CONFIGURED)
    (tmp_path / "settings.yaml").write_text(
        "version: 2\nservices:\n  Svc:\n    resources: {gpu_type: nvidia-a10g}\n    traffic: {timeout: 20}\n"
    )
    project, service = load(tmp_path / "unit_configured.py")
    assert (project.gpu, _sdk.configure(service)["Svc"]["traffic"]["timeout"]) == ("nvidia-l4", 10)
    monkeypatch.setenv("BENTOML_CONFIG", str(tmp_path / "settings.yaml"))
    project, service = load(tmp_path / "unit_configured.py")
    assert (project.gpu, _sdk.configure(service)["Svc"]["traffic"]["timeout"]) == ("nvidia-a10g", 20)
    monkeypatch.setenv("BENTOML_CONFIG_OPTIONS", "services.Svc.traffic.timeout=30")
    with pytest.warns(DeprecationWarning, match="BENTOML_CONFIG_OPTIONS is deprecated"):
        project, service = load(tmp_path / "unit_configured.py")
    with pytest.warns(DeprecationWarning, match="BENTOML_CONFIG_OPTIONS is deprecated"):
        assert _sdk.configure(service)["Svc"]["traffic"]["timeout"] == 30
    monkeypatch.delenv("BENTOML_CONFIG_OPTIONS")
    monkeypatch.setenv("BENTOML_CONFIG", str(tmp_path / "nowhere.yaml"))
    with pytest.raises(TargetError, match=r"nowhere\.yaml"):
        load(tmp_path / "unit_configured.py")


def test_a_gpu_is_named_by_its_kind_and_touches_no_variable(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    (tmp_path / "unit_gpu.py").write_text(
        "import bentoml\n@bentoml.service(resources={'gpu': 2})\nclass Words: ...\n"
        "@bentoml.service\nclass Entry:\n    words = bentoml.depends(Words)\n"
    )
    assert load(f"{tmp_path}/unit_gpu.py:Entry")[0].gpu == "nvidia"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5"


def test_a_service_of_more_processes_is_told_how_to_have_them(
    tmp_path: Path, load: Load, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unit_workers.py").write_text("import bentoml\n@bentoml.service(workers=3)\nclass Svc: ...\n")
    monkeypatch.setenv("LIVEPEER_REPLICA", "0")
    load(tmp_path / "unit_workers.py")
    assert not caplog.text
    monkeypatch.delenv("LIVEPEER_REPLICA")
    load(tmp_path / "unit_workers.py")
    told = "Svc: workers=3: one process serves it; for more, --replicas 3 or LIVEPEER_REPLICAS=3"
    assert told in caplog.text


BUILT = """
import bentoml

arguments = bentoml.use_arguments()

@bentoml.service(resources={"gpu": 1})
class Svc:
    @bentoml.api
    def say(self) -> list:
        return [__file__, arguments.name, bentoml.models.get("it").tag.name]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home of BentoML's, in which it has really built a bento and kept a model."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "unit_built.py").write_text(BUILT)
    (folder / "bentofile.yaml").write_text(
        "service: unit_built:Svc\nname: unit_bento\nargs: {name: dog}\nmodels: [{tag: 'unit_model:1', alias: it}]\n"
        "envs: [{name: UNIT_BUILT, value: x}]\npython: {lock_packages: false}\n"
    )
    # BentoML looks for uv, and has nothing for it to do.
    (folder / "bin").mkdir()
    (folder / "bin" / "uv").write_text("#!/bin/sh\nexit 1\n")
    (folder / "bin" / "uv").chmod(0o755)
    run(folder, "-c", "import bentoml\nwith bentoml.models.create('unit_model:1'): ...")
    run(folder, "-m", "bentoml", "build", "--version", "first")
    return folder


def run(folder: Path, *arguments: str, home: str = "home") -> str:
    environment = {
        **os.environ,
        "BENTOML_HOME": str(folder / home),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    found = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder if home == "home" else folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


LOAD = """
import json, os, sys
from livepeer.adapters.bentoml._finding import find_project
from livepeer.core import Target, TargetError
for target in sys.argv[1:]:
    project = find_project(Target.parse(target))
    project.enter()
    try:
        from livepeer.adapters.bentoml._loading import load_service
        service = load_service(project)
        print(json.dumps([service().say(), project.name, project.version, project.gpu, os.environ["UNIT_BUILT"]]))
    except TargetError as error:
        print(json.dumps(str(error)))
    project.leave()
"""


def test_a_built_bento_is_served_by_its_tag_and_by_its_directory(built: Path) -> None:
    bento = built / "home" / "bentos" / "unit_bento" / "first"
    targets = ["unit_bento:first", "unit_bento:latest", "unit_bento", str(bento), f"{bento}/src/unit_built.py:Svc"]
    found = [json.loads(line) for line in run(built, "-c", LOAD, *targets).splitlines()]
    file = str(bento / "src" / "unit_built.py")
    assert found == [[[file, "dog", "unit_model"], "unit-bento", "first", "nvidia", "x"]] * len(targets)


def test_a_bento_that_was_taken_elsewhere_has_its_models_with_it(built: Path, tmp_path: Path) -> None:
    bento = tmp_path / "taken"
    shutil.copytree(built / "home" / "bentos" / "unit_bento" / "first", bento)
    shutil.copytree(built / "home" / "models", bento / "models")
    found = json.loads(run(built, "-c", LOAD, str(bento), home="empty"))
    assert found[0] == [str(bento / "src" / "unit_built.py"), "dog", "unit_model"]


def test_a_tag_of_no_bento_is_no_module_either(built: Path) -> None:
    found = json.loads(run(built, "-c", LOAD, "unit_bento:second"))
    assert found == "importing unit_bento failed: ModuleNotFoundError: No module named 'unit_bento'"
