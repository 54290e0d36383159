import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livepeer.adapters.cog import CogAdapter
from livepeer.adapters.cog._capability import CogCapability
from livepeer.adapters.cog._config import read_config
from livepeer.core import Manifest, Target, TargetError

Load = Callable[[str], CogCapability]

EVERYTHING = """
image: registry.example.com/someone/text_reverser:latest
run: run.py:Runner
train: train.py:train
concurrency:
  max: 4
  default_target: 2
environment:
  - GREETING=hello
  - EMPTY=
  - WITH_EQUALS=a=b
build:
  gpu: true
  cuda: 12.1
  cudnn: "8"
  python_version: 3.10
  python_requirements: requirements.txt
  sdk_version: 0.20.0
  system_packages: [ffmpeg, libgl1]
  pre_install: [echo first]
  run:
    - echo second
    - command: fetch
      mounts: [{type: secret, id: token, target: /token}]
  fast: false
weights:
  - name: base
    target: /weights/base
    source: {uri: hf://org/name, include: ["*.bin"]}
"""
REQUIREMENTS = """\
# the model's own
--extra-index-url https://example.com/simple
torch==2.4.0  # with a comment
./wheels/own-1.0-py3-none-any.whl

numpy>=2,\\
  <3
"""


def project(folder: Path, config: str, **files: str) -> Target:
    (folder / "cog.yaml").write_text(config)
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content)
    return Target.parse(str(folder))


def test_every_key_is_translated_or_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS)
    assert CogAdapter().manifest(project(tmp_path, EVERYTHING)) == Manifest(
        target="run.py:Runner",
        name="text-reverser",
        adapter="cog",
        python="3.10",
        python_packages=[
            "--extra-index-url https://example.com/simple",
            "torch==2.4.0",
            "./wheels/own-1.0-py3-none-any.whl",
            "numpy>=2,  <3",
            "cog==0.20.0",
        ],
        system_packages=["ffmpeg", "libgl1"],
        gpu="nvidia",
        capacity=4,
        environment={"GREETING": "hello", "EMPTY": "", "WITH_EQUALS": "a=b"},
        unsupported={
            "build.cuda": "12.1",
            "build.cudnn": "8",
            "build.pre_install": ["echo first"],
            "build.run": [
                {"command": "echo second"},
                {"command": "fetch", "mounts": [{"type": "secret", "id": "token", "target": "/token"}]},
            ],
            "build.fast": False,
            "concurrency.default_target": 2,
            "train": "train.py:train",
            "weights": [
                {
                    "name": "base",
                    "target": "/weights/base",
                    "source": [{"uri": "hf://org/name", "include": ["*.bin"]}],
                }
            ],
        },
    )
    assert "'build.fast'" in caplog.text


def test_a_project_whose_weights_are_not_there_is_not_served(tmp_path: Path) -> None:
    config = "run: unit_weighed.py:run\nweights:\n  - {name: base, target: weights/base, source: {uri: hf://a/b}}\n"
    target = project(tmp_path, config, unit_weighed="def run(text: str) -> str:\n    return text\n")
    with pytest.raises(TargetError, match="nothing at weights/base, where the weights 'base' belong"):
        CogAdapter().load(target)
    (tmp_path / "weights" / "base").mkdir(parents=True)
    CogAdapter().load(target).teardown()


def test_a_manifest_of_little_says_little(tmp_path: Path) -> None:
    folder = tmp_path / "Some_Model"
    folder.mkdir()
    found = CogAdapter().manifest(project(folder, "predict: predict.py\nbuild:\nenvironment:\nweights:\n"))
    assert found == Manifest(target="predict.py", name="some-model", adapter="cog")


@pytest.mark.parametrize(
    ("written", "version"), [("3.10", "3.10"), ('"3.9"', "3.9"), ("3", "3"), ("3.12.1", "3.12.1"), ("3.1e1", "3.1e1")]
)
def test_a_python_version_is_no_number(tmp_path: Path, written: str, version: str) -> None:
    found = CogAdapter().manifest(project(tmp_path, f"run: run.py\nbuild:\n  python_version: {written}\n"))
    assert found.python == version


def test_the_latest_prerelease_of_the_sdk_is_named_as_unsupported(tmp_path: Path) -> None:
    found = CogAdapter().manifest(project(tmp_path, "run: run.py\nbuild:\n  sdk_version: prerelease\n"))
    assert (found.python_packages, found.unsupported) == ([], {"build.sdk_version": "prerelease"})


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ("run: a.py\npredict: b.py", "both run and predict"),
        ("image: x", "names no model"),
        ("", "names no model"),
        ("- run", "valid dictionary"),
        ("run: [", "is no YAML"),
        ("run: run.py\nconcurrency:\n  max: 0", r"concurrency\.max: "),
        ("run: run.py\nenvironment: [NOT AN ASSIGNMENT]", "'NOT AN ASSIGNMENT' is not NAME=value"),
        ("run: run.py\nbuild:\n  gpu: perhaps", r"build\.gpu: "),
        ("run: run.py\nbuild:\n  python_requirements: a\n  python_packages: [b]", "keep one"),
        ("run: run.py\nweights:\n  - name: base", r"weights\.0\.target: "),
        ("run: run.py\nbuild: [a]", "build: "),
    ],
)
def test_a_config_that_cog_refuses_is_refused_by_key(tmp_path: Path, config: str, error: str) -> None:
    with pytest.raises(TargetError, match=error):
        CogAdapter().manifest(project(tmp_path, config))


def test_a_config_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cog.yaml").mkdir()
    with pytest.raises(TargetError, match="cannot be read"):
        read_config(tmp_path / "cog.yaml")
    (tmp_path / "odd.yaml").write_bytes(b"run: \xff\xfe")
    with pytest.raises(TargetError, match="is no YAML"):
        read_config(tmp_path / "odd.yaml")


def test_requirements_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"python_requirements: requirements\.txt"):
        CogAdapter().manifest(project(tmp_path, "run: run.py\nbuild:\n  python_requirements: requirements.txt\n"))


MODEL = """
import os
from cog import BasePredictor

SEEN = os.environ.get("UNIT_GREETING")

class Runner(BasePredictor):
    '''Says where it is.'''

    def predict(self) -> dict:
        return {"seen": SEEN, "here": os.getcwd(), "name": __name__}
"""


def test_the_environment_is_there_before_the_import_and_gone_afterwards(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNIT_GREETING", raising=False)
    project(tmp_path, "run: unit_env_a.py:Runner\nenvironment: [UNIT_GREETING=hello]", unit_env_a=MODEL)
    capability = load(str(tmp_path))
    assert capability._model._predict() == {"seen": "hello", "here": str(tmp_path), "name": "unit_env_a"}
    capability.teardown()
    assert "UNIT_GREETING" not in os.environ


def test_a_variable_that_is_set_wins(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIT_GREETING", "mine")
    project(tmp_path, "run: unit_env_b.py:Runner\nenvironment: [UNIT_GREETING=hello]", unit_env_b=MODEL)
    capability = load(str(tmp_path))
    assert capability._model._predict()["seen"] == "mine"


def test_the_info_says_what_the_config_says(tmp_path: Path, load: Load) -> None:
    project(tmp_path, "image: r8.im/me/My_Model\nrun: unit_info.py:Runner\nbuild: {gpu: true}", unit_info=MODEL)
    info: Any = load(str(tmp_path)).info
    assert (info.name, info.gpu, info.adapter, info.description) == ("my-model", "nvidia", "cog", "Says where it is.")
    assert info.framework_version
