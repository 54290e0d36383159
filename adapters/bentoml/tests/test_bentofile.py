from pathlib import Path

import attrs
import pytest
from pydantic import BaseModel

from livepeer.adapters.bentoml import _sdk
from livepeer.adapters.bentoml._bentofile import (
    BuildFile,
    CondaSection,
    DockerSection,
    ModelSection,
    PythonSection,
    VariableSection,
)
from livepeer.adapters.bentoml._reading import read_bento, read_bentofile, read_environment, read_pyproject
from livepeer.core import TargetError

BENTO = "service: service:Svc\nname: summarizer\nversion: abc\n"


def read(folder: Path, text: str) -> BuildFile:
    (folder / "bentofile.yaml").write_text(text)
    return read_bentofile(folder / "bentofile.yaml")


def pyproject(folder: Path, text: str) -> BuildFile | None:
    (folder / "pyproject.toml").write_text(text)
    return read_pyproject(folder / "pyproject.toml")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BuildFile, "BentoBuildConfig"),
        (DockerSection, "DockerOptions"),
        (PythonSection, "PythonOptions"),
        (CondaSection, "CondaOptions"),
        (ModelSection, "ModelSpec"),
        (VariableSection, "BentoEnvSchema"),
    ],
)
def test_the_keys_are_bentomls(ours: type[BaseModel], theirs: str) -> None:
    record = _sdk._find("bentoml._internal.bento.build_config", theirs)
    assert set(ours.model_fields) == {field.name for field in attrs.fields(record)}


@pytest.mark.parametrize("text", ["", "docker:\npython:\nconda:\nmodels:\nenvs:\nlabels:\nargs:\nservice:\n", "{}"])
def test_what_is_empty_is_as_if_it_were_not_there(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == BuildFile()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("services: x", r"bentofile\.yaml: services: BentoML knows no such key"),
        ("docker: {os: debian}", r"docker\.os: BentoML knows no such key"),
        ("python: {requirements: a}", r"python\.requirements: BentoML knows no such key"),
        ("conda: {file: a}", r"conda\.file: BentoML knows no such key"),
        ("models: [{tag: a, name: b}]", r"models\.0\.name: BentoML knows no such key"),
        ("models: [{alias: b}]", r"models\.0\.tag: Field required"),
        ("envs: [{value: b}]", r"envs\.0\.name: Field required"),
        ("envs: [{name: A, stage: later}]", r"envs\.0\.stage: Input should be 'all', 'build' or 'runtime'"),
        ("a: 1\nb: 2", r"a: BentoML knows no such key; b: BentoML knows no such key"),
        ("python: {packages: numpy}", r"python\.packages: "),
        ("docker: [a]", "docker: "),
        ("- service", r"bentofile\.yaml: Input should be a valid dictionary"),
        ("service: [", r"bentofile\.yaml is no YAML"),
        ("service: !!python/object:os.system x", r"bentofile\.yaml is no YAML"),
    ],
)
def test_what_bentoml_refuses_is_refused_by_key(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(TargetError, match=error):
        read(tmp_path, text)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"bentofile\.yaml cannot be read: No such file"):
        read_bentofile(tmp_path / "bentofile.yaml")
    (tmp_path / "bentofile.yaml").write_bytes(b"service: \xff")
    with pytest.raises(TargetError, match=r"bentofile\.yaml is no UTF-8"):
        read_bentofile(tmp_path / "bentofile.yaml")


def test_keys_of_variables_that_bentoml_ignores_are_no_error(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "envs: [{name: A, note: b, value: 3}]").envs
    assert (found.name, found.value) == ("A", "3")


@pytest.mark.parametrize(
    ("written", "version"), [("3.10", "3.10"), ("'3.9'", "3.9"), ("3", "3"), ("3.12.1", "3.12.1"), ("", None)]
)
def test_a_python_version_is_no_number(tmp_path: Path, written: str, version: str | None) -> None:
    assert read(tmp_path, f"docker:\n  python_version: {written}\n").docker.python_version == version


def test_arguments_keep_their_types(tmp_path: Path) -> None:
    arguments = {"half": 0.5, "flag": True, "none": None, "list": [1, "2"]}
    assert read(tmp_path, "args: {half: 0.5, flag: true, none: null, list: [1, '2']}").args == arguments


def test_one_text_will_do_where_bentoml_takes_it_for_a_list(tmp_path: Path) -> None:
    found = read(tmp_path, "python: {trusted_host: a, find_links: b, extra_index_url: c}").python
    assert (found.trusted_host, found.find_links, found.extra_index_url) == (["a"], ["b"], ["c"])


@pytest.mark.parametrize("env", ["[A=b, C=d=e, F=]", "{A: b, C: d=e, F: ''}", "some.env"])
def test_the_images_variables_are_a_list_a_mapping_or_a_file(tmp_path: Path, env: str) -> None:
    (tmp_path / "some.env").write_text("# comment\nA=b\n\nexport C='d=e'\nF=\n")
    found = read_environment(read(tmp_path, f"docker: {{env: {env}}}\nenvs: [{{name: A, value: later}}]"), tmp_path)
    assert found == {"A": "later", "C": "d=e", "F": ""}


@pytest.mark.parametrize(("env", "error"), [("[A]", "'A' is not NAME=value"), ("none.env", "none.env cannot be read")])
def test_variables_that_are_none_are_told(tmp_path: Path, env: str, error: str) -> None:
    with pytest.raises(TargetError, match=error):
        read_environment(read(tmp_path, f"docker: {{env: {env}}}"), tmp_path)


def test_models_have_names_of_the_services_own(tmp_path: Path) -> None:
    found = read(tmp_path, "models: [plain:1, {tag: 'named:2', alias: it, filter: x}]")
    assert [model.tag for model in found.models] == ["plain:1", "named:2"]
    assert found.aliases == {"it": "named:2"}


def test_a_pyproject_gives_the_projects_name_and_dependencies_too(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    found = pyproject(
        tmp_path,
        "[project]\nname = 'summing-up'\ndependencies = ['numpy>=2']\n"
        "[tool.bentoml.build]\nservice = 'service:Svc'\npython = {packages = ['torch']}\n",
    )
    assert found is not None
    assert (found.service, found.name) == ("service:Svc", "summing-up")
    assert (found.python.packages, found.python.is_src_layout) == (["torch", "numpy>=2"], True)


def test_the_table_goes_before_the_project(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    found = pyproject(
        tmp_path,
        "[project]\nname = 'one'\n[tool.bentoml.build]\nname = 'two'\npython = {is_src_layout = false}\n",
    )
    assert found is not None
    assert (found.name, found.python.is_src_layout) == ("two", False)


@pytest.mark.parametrize(
    "text", ["[project]\nname = 'one'\n", "tool = 'bentoml'", "[tool]\nbentoml = 'build'", "[tool.bentoml]\nother = 1"]
)
def test_a_pyproject_of_somebody_elses_is_none(tmp_path: Path, text: str) -> None:
    assert pyproject(tmp_path, text) is None


def test_of_an_odd_project_nothing_is_taken(tmp_path: Path) -> None:
    found = pyproject(tmp_path, "[project]\ndependencies = 'numpy'\n[tool.bentoml.build]\n")
    assert found is not None
    assert (found.name, found.python.packages) == (None, [])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[tool.bentoml.build]\nincludes = []\n", r"pyproject\.toml: includes: BentoML knows no such key"),
        ("[tool.bentoml.build", r"pyproject\.toml is no TOML"),
    ],
)
def test_a_broken_pyproject_is_refused_by_key(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(TargetError, match=error):
        pyproject(tmp_path, text)


def test_keys_of_a_built_bento_that_are_not_read_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "bento.yaml"
    path.write_text(
        f"{BENTO}creation_time: 2026-01-01T00:00:00+00:00\nspec: 2\nschema: {{}}\n"
        "models: [{tag: 'a:1', alias: b, registry: bentoml, metadata: {}}]\nimage: {python_version: 3.12, later: 1}\n"
    )
    found = read_bento(path)
    assert (found.service, found.name, found.version, found.aliases) == (
        "service:Svc",
        "summarizer",
        "abc",
        {"b": "a:1"},
    )
    assert found.image is not None
    assert found.image.python_version == "3.12"


@pytest.mark.parametrize(
    ("text", "error"),
    [("service: a", "version: Field required"), ("version: a", "it names none"), ("service: a\nversion: [", "no YAML")],
)
def test_a_bento_without_what_every_bento_has_is_refused(tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "bento.yaml").write_text(text)
    with pytest.raises(TargetError, match=rf"bento\.yaml.*{error}"):
        read_bento(tmp_path / "bento.yaml")
