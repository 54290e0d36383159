import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import livepeer
from livepeer.adapters.bentoml import BentoMLAdapter
from livepeer.core import Target, TargetError

SERVICE = """
import bentoml

@bentoml.service
class Svc:
    @bentoml.api
    def say(self, text: str) -> str:
        return text

number = 1
"""
CALLER = """
import bentoml

def predict(text: str) -> str:
    with bentoml.SyncHTTPClient("http://localhost:3000") as client:
        return client.say(text=text)
"""
BROKEN = "raise RuntimeError('imported')\n"


def claims(target: object) -> bool:
    return BentoMLAdapter().claims(Target.parse(str(target)))


@pytest.mark.parametrize(
    ("files", "claimed"),
    [
        ({"bentofile.yaml": "service: nowhere:Svc"}, True),
        ({"bentofile.yaml": ""}, True),
        ({"bento.yaml": "service: nowhere:Svc"}, True),
        ({"pyproject.toml": "[tool.bentoml.build]\nservice = 'nowhere:Svc'"}, True),
        ({"pyproject.toml": "[tool.bentoml]\nbuild.service = 'nowhere:Svc'"}, True),
        ({"pyproject.toml": "[project]\ndependencies = ['bentoml']"}, False),
        ({"pyproject.toml": "broken"}, False),
        ({"service.py": f"import bentoml\n{BROKEN}"}, True),
        ({"service.py": BROKEN}, False),
        ({"other.py": "import bentoml"}, False),
        ({}, False),
        ({"bentofile.yaml": "", "livepeer.yaml": ""}, False),
        ({"service.py": "import bentoml", "livepeer.yaml": ""}, False),
    ],
)
def test_a_directory_is_claimed_by_its_files_and_nothing_is_imported(
    tmp_path: Path, files: dict[str, str], claimed: bool
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert claims(tmp_path) is claimed


def test_a_broken_pyproject_that_speaks_of_bentoml_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.bentoml.build")
    with pytest.raises(TargetError, match=r"pyproject\.toml is no TOML"):
        claims(tmp_path)


@pytest.mark.parametrize(
    ("name", "claimed"), [("", True), (":Svc", True), (":Svc.say", True), (":Nobody", True), (":number", False)]
)
def test_a_file_is_claimed_by_what_it_names(tmp_path: Path, name: str, claimed: bool) -> None:
    (tmp_path / "unit_claimed.py").write_text(SERVICE)
    assert claims(f"{tmp_path}/unit_claimed.py{name}") is claimed


def test_code_that_calls_a_service_is_none(tmp_path: Path) -> None:
    (tmp_path / "unit_caller.py").write_text(CALLER)
    assert not claims(f"{tmp_path}/unit_caller.py:predict")
    assert not claims(f"{tmp_path}/unit_caller.py:Nobody")
    assert not claims(f"{tmp_path}/unit_caller.py")


def test_a_file_that_says_nothing_of_bentoml_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "unit_plain.py").write_text(BROKEN)
    (tmp_path / "bentoml.txt").write_text("bentoml")
    assert not claims(f"{tmp_path}/unit_plain.py:Svc")
    assert not claims(tmp_path / "bentoml.txt")


def test_a_file_that_does_and_cannot_be_imported_is_told(tmp_path: Path) -> None:
    (tmp_path / "unit_broken.py").write_text(f"import bentoml\n{BROKEN}")
    with pytest.raises(TargetError, match=r"importing unit_broken\.py failed: RuntimeError: imported"):
        claims(f"{tmp_path}/unit_broken.py:Svc")
    assert "unit_broken" not in sys.modules


@pytest.mark.parametrize("service", ["unit_named:Svc", "unit_named.py:Svc", "unit_named", "./unit_named.py"])
def test_a_file_that_a_bentofile_names_is_claimed_and_not_imported(tmp_path: Path, service: str) -> None:
    (tmp_path / "unit_named.py").write_text(BROKEN)
    (tmp_path / "unit_beside.py").write_text(BROKEN)
    (tmp_path / "bentofile.yaml").write_text(f"service: {service}")
    assert claims(f"{tmp_path}/unit_named.py:Svc")
    assert claims(f"{tmp_path}/unit_named.py")
    assert not claims(f"{tmp_path}/unit_beside.py")


def test_a_module_is_claimed_as_a_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unit_package").mkdir()
    (tmp_path / "unit_package" / "__init__.py").write_text("")
    (tmp_path / "unit_package" / "service.py").write_text(SERVICE)
    (tmp_path / "unit_module.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    assert claims("unit_package.service:Svc")
    assert claims("unit_package.service")
    assert not claims("unit_package.service:number")
    assert not claims("unit_module:Svc")
    assert not claims("unit_package.nowhere:Svc")
    assert not claims("unit_nowhere:Svc")
    assert not claims("json:dumps")
    assert not claims("sys")


def test_the_package_of_a_module_is_not_imported_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unit_closed").mkdir()
    (tmp_path / "unit_closed" / "__init__.py").write_text(BROKEN)
    (tmp_path / "unit_closed" / "plain.py").write_text("number = 1")
    monkeypatch.chdir(tmp_path)
    assert not claims("unit_closed.plain:number")


def test_claiming_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "unit_left.py").write_text(SERVICE)
    before = (Path.cwd(), list(sys.path), dict(os.environ))
    assert claims(f"{tmp_path}/unit_left.py:Svc")
    assert before == (Path.cwd(), list(sys.path), dict(os.environ))


def test_the_adapter_is_found_by_its_entry_point() -> None:
    (entry,) = importlib.metadata.entry_points(group="livepeer.adapters", name="bentoml")
    assert entry.load() is BentoMLAdapter


def run(code: str, folder: Path, *flags: str, path: list[str]) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "BENTOML_HOME": str(folder / "home")}
    command = [sys.executable, *flags, "-c", dedent(code)]
    found = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


BROUGHT = ("starlette", "uvicorn", "simple_di", "attr", "attrs")
"""What BentoML brings, too."""


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    (tmp_path / "plain.py").write_text("def predict(text: str) -> str: ...")
    (tmp_path / "caller.py").write_text(CALLER)
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "bentofile.yaml").write_text("service: service:Svc\npython: {packages: [numpy]}")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "service.py").write_text(SERVICE)
    return tmp_path


def test_what_is_not_bentomls_is_passed_over_without_importing_it(projects: Path) -> None:
    code = """
        import sys
        from livepeer.core import Target
        from livepeer.adapters.bentoml import BentoMLAdapter
        print([BentoMLAdapter().claims(Target.parse(target)) for target in ("plain.py:predict", ".")])
        print([name for name in ("bentoml", "_bentoml_sdk", "plain", "service") if name in sys.modules])
    """
    assert run(code, projects, path=[]) == ["[False, True]", "[]"]


def test_without_bentoml_its_projects_are_told_and_all_else_is_passed_over(projects: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (installed,) = {str(importlib.metadata.distribution(name).locate_file("")) for name in ("pydantic", "bentoml")}
    for entry in Path(installed).iterdir():
        if "bentoml" not in entry.name.removeprefix("livepeer_gateway_bentoml") and entry.name not in BROUGHT:
            (site / entry.name).symlink_to(entry)
    code = """
        from livepeer.core import Target, TargetError, find_adapter
        from livepeer.adapters.bentoml import BentoMLAdapter
        targets = map(Target.parse, ("plain.py:predict", "caller.py:predict", "."))
        print([BentoMLAdapter().claims(target) for target in targets])
        print(BentoMLAdapter().manifest(Target.parse(".")).python_packages)
        directory, file = Target.parse("."), Target.parse("alone/service.py:Svc")
        for target, name in ((directory, None), (directory, "bentoml"), (file, None)):
            try:
                find_adapter(target, name).load(target)
            except TargetError as error:
                print(error)
    """
    # Without the site's own paths: what is installed as links to source trees is found by theirs.
    sources = {str(Path(place).parent) for place in livepeer.__path__}
    claimed, packages, *errors = run(code, projects, "-S", path=[str(site), *sorted(sources)])
    assert (claimed, packages) == ("[False, False, True]", "['numpy']")
    told = "this is a BentoML service, and BentoML is not installed: pip install 'bentoml>=1.4.39,<1.5'"
    assert errors == [told, told, told]


@pytest.mark.parametrize("version", ["1.1.11", "1.3.22", "1.4.38", "1.5.0", "2.0.0"])
def test_another_bentoml_is_refused_by_its_version_and_only_for_its_services(
    projects: Path, tmp_path: Path, version: str
) -> None:
    metadata = tmp_path / "old" / f"bentoml-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: bentoml\nVersion: {version}\n")
    code = """
        from livepeer.core import Target, TargetError
        from livepeer.adapters.bentoml import BentoMLAdapter
        print([BentoMLAdapter().claims(Target.parse(f"{name}.py:predict")) for name in ("plain", "caller")])
        print(BentoMLAdapter().manifest(Target.parse(".")).python_packages)
        for ask, target in ((BentoMLAdapter().load, "."), (BentoMLAdapter().claims, "alone/service.py:Svc")):
            try:
                ask(Target.parse(target))
            except TargetError as error:
                print(error)
    """
    told = f"bentoml {version} is not supported: pip install 'bentoml>=1.4.39,<1.5'"
    # The adapter is on the path of this environment; the other BentoML comes before it.
    assert run(code, projects, path=[str(tmp_path / "old")]) == ["[False, False]", "['numpy']", told, told]
