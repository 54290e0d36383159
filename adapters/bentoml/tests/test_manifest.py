"""Every key of bentofile.yaml, of an image and of a decorator: in the manifest, or named there as unsupported."""

import inspect
import json
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import typing_extensions
import yaml

from livepeer.adapters.bentoml import BentoMLAdapter, _sdk
from livepeer.adapters.bentoml._decorator import KEPT
from livepeer.core import Manifest, Target, TargetError

PLAIN = "import bentoml\n@bentoml.service\nclass Svc: ...\n"


def manifest(folder: Path, **files: str) -> Manifest:
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content)
    return BentoMLAdapter().manifest(Target.parse(str(folder)))


def of_bentofile(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    (folder / "bentofile.yaml").write_text(yaml.safe_dump(content))
    return manifest(folder).model_dump(exclude_defaults=True)


def nested(key: str, value: Any) -> dict[str, Any]:
    for name in reversed(key.split(".")):
        value = {name: value}
    return typing.cast("dict[str, Any]", value)


BENTOFILE = {
    "service": ("other.py:Svc", {"target": "other.py:Svc"}),
    "name": ("Sum_Up", {"name": "sum-up"}),
    "description": ("Sums up.", {"description": "Sums up."}),
    "labels": ({"a": "b"}, {}),
    "include": (["*.py"], {}),
    "exclude": (["tests/"], {}),
    "models": (["a:1", {"tag": "b:2", "filter": "x", "alias": "c"}], {}),
    "envs": (
        [{"name": "A", "value": "b"}, {"name": "REQUIRED"}, {"name": "BUILD", "value": "c", "stage": "build"}],
        {"environment": {"A": "b"}},
    ),
    "args": ({"half": 0.5}, {"environment": {"LIVEPEER_BENTOML_ARGS": '{"half": 0.5}'}}),
    "docker.distro": ("alpine", {}),
    "docker.python_version": ("3.10", {"python": "3.10"}),
    "docker.cuda_version": ("12.1", {"gpu": "nvidia"}),
    "docker.env": (["A=b"], {"environment": {"A": "b"}}),
    "docker.system_packages": (["ffmpeg"], {"system_packages": ["ffmpeg"]}),
    "docker.setup_script": ("setup.sh", {}),
    "docker.base_image": ("own:latest", {"base_image": "own:latest"}),
    "docker.dockerfile_template": ("Dockerfile.template", {}),
    "python.requirements_txt": ("requirements.txt", {"python_packages": ["torch==2.4.0", "numpy>=2", "nested"]}),
    "python.packages": (["torch"], {"python_packages": ["torch"]}),
    "python.lock_packages": (False, {}),
    "python.pack_git_packages": (True, {}),
    "python.index_url": ("https://a", {"python_packages": ["--index-url https://a"]}),
    "python.no_index": (True, {"python_packages": ["--no-index"]}),
    "python.trusted_host": (["a", "b"], {"python_packages": ["--trusted-host a", "--trusted-host b"]}),
    "python.find_links": (["a"], {"python_packages": ["--find-links a"]}),
    "python.extra_index_url": ("https://a", {"python_packages": ["--extra-index-url https://a"]}),
    "python.pip_args": ("--pre", {}),
    "python.wheels": (["wheels/a.whl", "./b.whl"], {"python_packages": ["./wheels/a.whl", "./b.whl"]}),
    "python.is_src_layout": (True, {}),
    "conda.environment_yml": ("environment.yml", {}),
    "conda.channels": (["conda-forge"], {}),
    "conda.dependencies": (["numpy", {"pip": ["torch"]}], {}),
    "conda.pip": (["torch"], {}),
}
"""Of each key a value, and what the manifest says for it; one that says nothing is named with the value."""

NAMED = {
    "models": [{"tag": "a:1"}, {"tag": "b:2", "filter": "x", "alias": "c"}],
    "envs": [{"name": "REQUIRED", "stage": "all"}, {"name": "BUILD", "stage": "build", "value": "c"}],
    "docker.cuda_version": "12.1",
}
"""What is named besides, or in other words."""


def keys_of_bentofile() -> Iterator[str]:
    sections = {"docker": "DockerOptions", "python": "PythonOptions", "conda": "CondaOptions"}
    for key in attrs.fields(_sdk._find("bentoml._internal.bento.build_config", "BentoBuildConfig")):
        if key.name not in sections:
            yield key.name
            continue
        section = _sdk._find("bentoml._internal.bento.build_config", sections[key.name])
        yield from (f"{key.name}.{each.name}" for each in attrs.fields(section))


def test_every_key_of_bentomls_bentofile_is_known_here() -> None:
    assert set(BENTOFILE) == set(keys_of_bentofile())


@pytest.mark.parametrize("key", BENTOFILE)
def test_every_key_of_a_bentofile_is_translated_or_named(tmp_path: Path, key: str) -> None:
    (tmp_path / "service.py").write_text(PLAIN)
    (tmp_path / "other.py").write_text(PLAIN)
    (tmp_path / "requirements.txt").write_text(
        "# own\ntorch==2.4.0  # pinned\n\nnumpy\\\n>=2\n-r more/requirements.txt\n"
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "requirements.txt").write_text("-r ../requirements.txt\nnested\n")
    value, said = BENTOFILE[key]
    before = of_bentofile(tmp_path, {})
    named = {key: NAMED.get(key, value)} if key in NAMED or not said else None
    expected = before | said | ({"unsupported": named} if named else {})
    assert of_bentofile(tmp_path, nested(key, value)) == expected


def test_of_another_distribution_the_packages_are_named_too(tmp_path: Path) -> None:
    docker = {"distro": "ubi8", "system_packages": ["ffmpeg"]}
    (tmp_path / "service.py").write_text(PLAIN)
    found = of_bentofile(tmp_path, {"docker": docker})
    assert found["unsupported"] == {"docker.distro": "ubi8", "docker.system_packages": ["ffmpeg"]}
    assert "system_packages" not in found
    docker["distro"] = "debian"
    assert of_bentofile(tmp_path, {"docker": docker})["system_packages"] == ["ffmpeg"]


def test_packages_beside_a_requirements_file_count_for_nothing_and_are_named(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(PLAIN)
    (tmp_path / "requirements.txt").write_text("numpy")
    found = of_bentofile(tmp_path, {"python": {"requirements_txt": "requirements.txt", "packages": ["torch"]}})
    assert found["python_packages"] == ["numpy"]
    assert found["unsupported"] == {"python.packages": ["torch"]}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"python": {"requirements_txt": "none.txt"}}, r"python\.requirements_txt: none\.txt cannot be read"),
        ({"docker": {"env": "none.env"}}, r"none\.env cannot be read"),
        ({"description": "file: none.md"}, r"bentofile\.yaml: description: none\.md cannot be read"),
    ],
)
def test_a_file_that_is_not_there_is_told(tmp_path: Path, content: dict[str, Any], error: str) -> None:
    (tmp_path / "service.py").write_text(PLAIN)
    with pytest.raises(TargetError, match=error):
        of_bentofile(tmp_path, content)


def test_a_description_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(PLAIN)
    (tmp_path / "about.md").write_text("# Sums up")
    assert of_bentofile(tmp_path, {"description": "file: about.md"})["description"] == "# Sums up"


def test_a_pyproject_is_translated_as_a_bentofile_is(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'sum-up'\ndependencies = ['numpy']\n"
        "[tool.bentoml.build]\nservice = 'unit_toml:Svc'\ndocker = {python_version = '3.12'}\n"
    )
    found = manifest(tmp_path, unit_toml=PLAIN)
    assert (found.target, found.name, found.python, found.python_packages) == (
        "unit_toml.py:Svc",
        "sum-up",
        "3.12",
        ["numpy"],
    )


IMAGE = {
    "base_image": (
        "Image(base_image='own:latest', python_version='3.12')",
        {"base_image": "own:latest", "python": "3.12"},
    ),
    "distro": (
        "Image(distro='alpine', python_version='3.12').system_packages('ffmpeg')",
        {
            "base_image": "python:3.12-alpine",
            "python": "3.12",
            "unsupported": {
                "image.commands": [
                    "apk add --update bash gcc libc-dev shadow musl-dev build-base linux-headers g++ git",
                    "apk add --update ffmpeg",
                ]
            },
        },
    ),
    "python_version": ("Image(python_version='3.12')", {"python": "3.12"}),
    "lock_python_packages": (
        "Image(python_version='3.12', lock_python_packages=False)",
        {"python": "3.12", "unsupported": {"image.lock_python_packages": False}},
    ),
    "pack_git_packages": (
        "Image(python_version='3.12', pack_git_packages=False)",
        {"python": "3.12", "unsupported": {"image.pack_git_packages": False}},
    ),
    "system_packages": (
        "Image(python_version='3.12').system_packages('ffmpeg', 'a b').system_packages('git')",
        {"python": "3.12", "system_packages": ["ffmpeg", "a b", "git"]},
    ),
    "python_packages": (
        "Image(python_version='3.12').python_packages('torch', '--pre').python_packages('numpy')",
        {"python": "3.12", "python_packages": ["torch", "--pre", "numpy"]},
    ),
    "requirements_file": (
        "Image(python_version='3.12').requirements_file('unit_requirements.txt')",
        {"python": "3.12", "python_packages": ["torch"]},
    ),
    "pyproject_toml": (
        "Image(python_version='3.12').pyproject_toml('unit.toml')",
        {"python": "3.12", "python_packages": ["numpy"]},
    ),
    "uv_lock": ("Image(python_version='3.12').uv_lock()", {"python": "3.12", "unsupported": {"image.uv_lock": True}}),
    "run": (
        "Image(python_version='3.12').run('one').system_packages('git').python_packages('torch').run('two')",
        {
            "python": "3.12",
            "system_packages": ["git"],
            "python_packages": ["torch"],
            "unsupported": {"image.commands": ["one"], "image.post_commands": ["two"]},
        },
    ),
    "run_script": ("Image(python_version='3.12').run_script('unit.sh')", {"python": "3.12", "unsupported": {}}),
    "build_include": (
        "Image(python_version='3.12').build_include('data/', 'more')",
        {"python": "3.12", "unsupported": {"image.build_include": ["data/", "more"]}},
    ),
}
"""Of each argument and each method of an image a use, and what the manifest says for it."""

FILLED_BY_METHODS = {"commands", "post_commands", "python_requirements", "build_include_paths", "scripts"}
IMAGES_OWN = {"freeze"}


def keys_of_image() -> set[str]:
    image: Any = _sdk._find("_bentoml_sdk.images", "Image")
    methods = {name for name, value in vars(image).items() if inspect.isfunction(value) and not name.startswith("_")}
    fields = {field.name for field in attrs.fields(image) if not field.name.startswith("_")}
    assert fields >= FILLED_BY_METHODS
    return fields - FILLED_BY_METHODS | methods - IMAGES_OWN


def test_everything_of_bentomls_image_is_known_here() -> None:
    assert set(IMAGE) == keys_of_image()


def of_service(folder: Path, arguments: str) -> dict[str, Any]:
    (folder / "unit.sh").write_text("#!/bin/sh\n")
    (folder / "unit.toml").write_text("[project]\nname = 'a'\ndependencies = ['numpy']")
    (folder / "unit_requirements.txt").write_text("torch")
    code = f"import bentoml\nfrom bentoml.images import Image\n@bentoml.service({arguments})\nclass Svc: ...\n"
    return manifest(folder, service=code).model_dump(exclude_defaults=True)


@pytest.mark.parametrize("key", IMAGE)
def test_everything_of_an_image_is_translated_or_named(tmp_path: Path, key: str) -> None:
    code, said = IMAGE[key]
    found = of_service(tmp_path, f"image={code}")
    if key == "run_script":
        ((script, place),) = found["unsupported"].pop("image.scripts").items()
        assert script == str(tmp_path / "unit.sh")
        assert found["unsupported"].pop("image.commands") == [f"chmod +x {place} && {place}"]
    assert found == {"target": "service.py", "name": "svc", "adapter": "bentoml"} | said


def test_an_image_of_python_alone_asks_for_nothing_else(tmp_path: Path) -> None:
    found = of_service(tmp_path, "image=Image()")
    assert found["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert not found.keys() & {"base_image", "system_packages", "python_packages", "unsupported"}


DECORATOR = {
    "name": ("name='Sum_Up'", {"name": "sum-up"}),
    "image": ("image=Image(python_version='3.12')", {"python": "3.12"}),
    "description": ("description='Sums up.'", {"description": "Sums up."}),
    "path_prefix": ("path_prefix='/v1'", {}),
    "envs": (
        "envs=[{'name': 'A', 'value': 'b'}, {'name': 'R'}, {'name': 'B', 'value': 'c', 'stage': 'build'}]",
        {
            "environment": {"A": "b"},
            "unsupported": {"envs": [{"name": "R", "stage": "all"}, {"name": "B", "stage": "build", "value": "c"}]},
        },
    ),
    "labels": ("labels={'a': 'b'}", {"unsupported": {"labels": {"a": "b"}}}),
    "cmd": ("cmd=['serve'], workers=1", {"unsupported": {"workers": 1}}),
    "service_class": ("service_class=bentoml.Service", {}),
    "traffic": ("traffic={'max_concurrency': 5}, workers=2", {"capacity": 3, "unsupported": {"workers": 2}}),
    "resources": ("resources={'gpu': 1, 'gpu_type': 'nvidia-l4'}", {"gpu": "nvidia-l4"}),
}
"""Of the decorator's arguments a use, and what the manifest says for it."""


def test_every_argument_of_bentomls_decorator_is_known_here() -> None:
    arguments = set(inspect.signature(_sdk._find("_bentoml_sdk", "service")).parameters) - {"inner", "kwargs"}
    assert arguments | {"traffic", "resources"} == set(DECORATOR)


@pytest.mark.parametrize("key", DECORATOR)
def test_every_argument_of_a_decorator_is_translated_or_named(tmp_path: Path, key: str) -> None:
    code, said = DECORATOR[key]
    assert of_service(tmp_path, code) == {"target": "service.py", "name": "svc", "adapter": "bentoml"} | said


SAMPLES: dict[str, Any] = {
    "resources.cpu": "500m",
    "resources.memory": "2Gi",
    "resources.gpu": 2,
    "resources.gpu_type": "nvidia-l4",
    "resources.tpu_type": "v4-2x2x1",
    "workers": "cpu_count",
    "backlog": 64,
    "tracing.exporter_type": "otlp",
    "tracing.jaeger.protocol": "grpc",
    "tracing.otlp.protocol": "http",
    "tracing.otlp.compression": "gzip",
    "metrics.duration.factor": 1.5,
    "endpoints.livez": "/alive",
    "endpoints.readyz": "/ready",
}
"""Values of those whose type does not say what they may be."""

TRANSLATED: dict[str, dict[str, Any]] = {
    "resources.gpu": {"gpu": "nvidia"},
    "resources.gpu_type": {"gpu": "nvidia-l4"},
    "traffic.max_concurrency": {"capacity": 3},
}


def keys_of_config(schema: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, hint in typing_extensions.get_type_hints(schema).items():
        if typing_extensions.is_typeddict(hint):
            yield from keys_of_config(hint, f"{before}{name}.")
        else:
            yield f"{before}{name}", hint


CONFIG = dict(keys_of_config(_sdk._find("_bentoml_sdk.service.config", "ServiceConfig")))


def sample(hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return sample(arguments[0])
    if origin is typing.Literal:
        return arguments[0]
    if isinstance(origin, type) and issubclass(origin, dict):
        return {"a": "b"}
    if isinstance(origin, type):
        return [sample(arguments[0])]
    return {str: "text", int: 3, float: 0.5, bool: True}.get(hint, "127.0.0.1")


@pytest.mark.parametrize("key", CONFIG)
def test_every_key_of_a_decorators_configuration_is_kept_translated_or_named(tmp_path: Path, key: str) -> None:
    value = SAMPLES.get(key, sample(CONFIG[key]))
    config = nested(key, value)
    found = of_service(tmp_path, f"**{config!r}")
    expected = {"target": "service.py", "name": "svc", "adapter": "bentoml"} | TRANSLATED.get(key, {})
    if not any(f"{key}.".startswith(f"{kept}.") for kept in KEPT):
        expected["unsupported"] = nested_names(key, value)
    assert found == expected


def nested_names(key: str, value: Any) -> dict[str, Any]:
    return {f"{key}.{name}": each for name, each in value.items()} if isinstance(value, dict) else {key: value}


def test_what_is_kept_is_of_bentomls_schema() -> None:
    assert all(any(f"{key}.".startswith(f"{kept}.") for key in CONFIG) for kept in KEPT)


def test_what_bentoml_adds_for_tasks_is_not_taken_for_the_users(tmp_path: Path) -> None:
    code = (
        "import bentoml\n@bentoml.service\nclass Svc:\n    @bentoml.task\n    def say(self) -> int:\n        return 1\n"
    )
    assert manifest(tmp_path, service=code).unsupported == {}


def test_models_of_a_service_are_named(tmp_path: Path) -> None:
    code = (
        "import bentoml\nfrom bentoml.models import BentoModel, HuggingFaceModel\n@bentoml.service\nclass Svc:\n"
        "    own = BentoModel('own:1')\n    far = HuggingFaceModel('org/far')\n"
    )
    assert sorted(manifest(tmp_path, service=code).unsupported["models"]) == ["org/far", "own:1"]


def test_what_a_dependency_says_is_named_with_it(tmp_path: Path) -> None:
    code = (
        "import bentoml\n"
        "@bentoml.service(workers=2, resources={'gpu': 1}, envs=[{'name': 'A', 'value': 'b'}, {'name': 'C'}])\n"
        "class Words: ...\n"
        "@bentoml.service(workers=3, envs=[{'name': 'A', 'value': 'own'}])\n"
        "class Svc:\n    words = bentoml.depends(Words)\n"
    )
    found = manifest(tmp_path, service=code)
    assert (found.gpu, found.environment) == ("nvidia", {"A": "own"})
    assert found.unsupported == {"Words.workers": 2, "Words.envs": [{"name": "C", "stage": "all"}], "workers": 3}


def test_an_image_and_a_bentofile_are_one(tmp_path: Path) -> None:
    (tmp_path / "bentofile.yaml").write_text(
        "service: service:Svc\ndocker: {python_version: 3.10, system_packages: [git], base_image: own}\n"
        "python: {packages: [numpy]}\nlabels: {a: '1', b: '1'}\nenvs: [{name: A, value: file}, {name: B}]\n"
    )
    code = (
        "import bentoml\nfrom bentoml.images import Image\n"
        "image = Image(python_version='3.12').system_packages('ffmpeg').python_packages('torch')\n"
        "@bentoml.service(image=image, labels={'b': '2'}, envs=[{'name': 'A', 'value': 'own'}, {'name': 'C'}])\n"
        "class Svc: ...\n"
    )
    found = manifest(tmp_path, service=code)
    assert (found.python, found.base_image) == ("3.10", "own")
    assert (found.python_packages, found.system_packages) == (["torch", "numpy"], ["ffmpeg", "git"])
    assert found.environment == {"A": "own"}
    assert found.unsupported == {
        "labels": {"a": "1", "b": "2"},
        "envs": [{"name": "B", "stage": "all"}, {"name": "C", "stage": "all"}],
    }


def test_a_bentofile_is_translated_alone_where_the_service_cannot_be_imported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "bentofile.yaml").write_text("service: service:Svc\npython: {packages: [unit-missing]}\n")
    found = manifest(tmp_path, service="import bentoml\nimport unit_missing\n")
    assert found == Manifest(target="service.py:Svc", name="svc", adapter="bentoml", python_packages=["unit-missing"])
    assert "left out of the manifest: importing service.py failed: ModuleNotFoundError" in caplog.text


def test_a_service_that_cannot_be_imported_has_no_manifest_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"importing service\.py failed: ModuleNotFoundError"):
        manifest(tmp_path, service="import bentoml\nimport unit_missing\n")


def test_a_variable_that_is_required_is_not_for_the_manifest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "bentofile.yaml").write_text("envs: [{name: UNIT_REQUIRED}]")
    assert manifest(tmp_path, service=PLAIN).unsupported == {"envs": [{"name": "UNIT_REQUIRED", "stage": "all"}]}
    assert not caplog.text


def test_a_chosen_api_is_part_of_the_target(tmp_path: Path) -> None:
    (tmp_path / "unit_api.py").write_text(PLAIN)
    target = Target.parse(f"{tmp_path}/unit_api.py:Svc.say")
    assert BentoMLAdapter().manifest(target).target == "unit_api.py:Svc.say"


BENTO = {
    "service": "unit_never:Svc",
    "name": "sum_up",
    "version": "abc",
    "bentoml_version": "1.4.40",
    "labels": {"a": "b"},
    "models": [{"tag": "m:1", "alias": "it", "registry": "bentoml"}],
    "entry_service": "Svc",
    "services": [
        {"name": "Svc", "config": {"resources": {"gpu": 1}, "workers": 2}},
        {"name": "Other", "config": {"workers": 3}},
    ],
    "envs": [{"name": "A", "value": "b", "stage": "all"}],
    "args": {"half": 0.5},
    "image": {
        "base_image": "python:3.12-slim",
        "python_version": "3.12",
        "python_requirements": "torch\nbentoml==1.4.40\n",
        "post_commands": ["echo"],
        "build_include": ["wheels"],
    },
}


def test_a_built_bento_is_translated_without_importing_anything(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "unit_never.py").write_text("raise RuntimeError")
    (tmp_path / "bento.yaml").write_text(yaml.safe_dump(BENTO))
    assert manifest(tmp_path) == Manifest(
        target="src/unit_never.py:Svc",
        name="sum-up",
        version="abc",
        adapter="bentoml",
        python="3.12",
        python_packages=["torch", "bentoml==1.4.40"],
        gpu="nvidia",
        environment={"A": "b", "LIVEPEER_BENTOML_ARGS": json.dumps({"half": 0.5})},
        unsupported={
            "image.post_commands": ["echo"],
            "image.build_include": ["wheels"],
            "workers": 2,
            "labels": {"a": "b"},
            "models": [{"tag": "m:1", "alias": "it"}],
        },
    )


def test_a_built_bento_of_the_first_kind_has_sections_instead_of_an_image(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "bento.yaml").write_text(
        "service: unit_never:Svc\nname: old\nversion: abc\n"
        "docker: {distro: debian, python_version: '3.10', env: {A: b}}\n"
        "conda: {channels: null}\npython: {packages: [torch], lock_packages: true}\n"
    )
    found = manifest(tmp_path)
    assert (found.python, found.python_packages, found.environment) == ("3.10", ["torch"], {"A": "b"})
    assert found.unsupported == {"python.lock_packages": True}
