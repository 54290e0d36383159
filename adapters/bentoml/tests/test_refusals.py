"""What BentoML has and is not served, by name."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livepeer.adapters.bentoml import BentoMLAdapter
from livepeer.adapters.bentoml._project import Project
from livepeer.core import Target, TargetError

Load = Callable[[Any], tuple[Project, Any]]

LEGACY = {
    "svc = bentoml.Service('old', runners=[])": "bentoml.Service with runners",
    "svc = bentoml.Service('old')\n@svc.api(input=None)\ndef say(text): ...": "bentoml.Service with runners",
    "svc = bentoml.Service('old')": "old serves nothing: it may be a service of BentoML 1.1",
    "svc = bentoml.legacy.Service('old', runners=[])": "bentoml.Service with runners",
}

LEGACY_RUNNER = """
import bentoml.legacy

class Svc(bentoml.legacy.Runnable):
    SUPPORTED_RESOURCES = ("cpu",)

    @bentoml.legacy.Runnable.method
    def say(self, text): ...

svc = bentoml.legacy.Runner(Svc, name="old")
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("code", LEGACY)
def test_a_service_of_bentoml_1_1_is_refused_by_name(tmp_path: Path, load: Load, code: str) -> None:
    (tmp_path / "unit_old.py").write_text(f"import bentoml\nimport bentoml.legacy\n{code}\n")
    (tmp_path / "bentofile.yaml").write_text("service: unit_old:svc")
    with pytest.raises(TargetError, match=LEGACY[code]) as found:
        load(tmp_path)
    assert "@bentoml.service" in str(found.value)
    sys.modules.pop("unit_old", None)


def test_a_runner_of_bentoml_1_1_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "unit_runner.py").write_text(LEGACY_RUNNER)
    load = (
        "from livepeer.adapters.bentoml import BentoMLAdapter\n"
        "from livepeer.core import Target\n"
        "BentoMLAdapter().load(Target.parse('unit_runner.py:svc'))"
    )
    # In a process of its own: where a service of today has been configured, BentoML makes no runners any more.
    done = subprocess.run([sys.executable, "-c", load], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "TargetError: unit_runner.py:svc is a runner of BentoML 1.1, which is not served" in done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["", ":svc"])
def test_a_service_of_bentoml_1_1_is_claimed_to_be_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "unit_claimed_old.py").write_text("import bentoml.legacy\nsvc = bentoml.legacy.Service('old')\n")
    target = Target.parse(f"{tmp_path}/unit_claimed_old.py{name}")
    assert BentoMLAdapter().claims(target)
    with pytest.raises(TargetError, match=r"is a service of BentoML 1\.1"):
        BentoMLAdapter().load(target)


def test_an_error_of_a_services_own_is_not_taken_for_an_old_service(tmp_path: Path, load: Load) -> None:
    (tmp_path / "unit_attribute.py").write_text("import bentoml\nbentoml.nothing\n")
    with pytest.raises(TargetError, match=r"importing unit_attribute\.py failed: AttributeError"):
        load(tmp_path / "unit_attribute.py")


@pytest.mark.parametrize("depended", [False, True])
def test_grpc_is_refused_by_name(tmp_path: Path, load: Load, depended: bool) -> None:
    code = "import bentoml\n@bentoml.service(grpc={'port': 3001})\nclass Svc: ...\n"
    if depended:
        code += "@bentoml.service\nclass Entry:\n    svc = bentoml.depends(Svc)\n"
    (tmp_path / "unit_grpc.py").write_text(code)
    with pytest.raises(TargetError, match=r"Svc: gRPC is not served: take grpc=\{'port': 3001\} out of @bentoml"):
        load(tmp_path / "unit_grpc.py")


def test_a_deployment_of_bentocloud_is_refused_by_name(tmp_path: Path, load: Load) -> None:
    (tmp_path / "unit_cloud.py").write_text(
        "import bentoml\n@bentoml.service\nclass Svc:\n    far = bentoml.depends(deployment='far-away')\n"
    )
    with pytest.raises(TargetError, match=r"Svc\.far: depends\(deployment='far-away'\) needs BentoCloud"):
        load(tmp_path / "unit_cloud.py")


def test_two_that_are_depended_on_may_not_have_one_name(tmp_path: Path, load: Load) -> None:
    (tmp_path / "unit_conflict.py").write_text(
        "import bentoml\n@bentoml.service(name='same')\nclass One: ...\n@bentoml.service(name='same')\nclass Two: ...\n"
        "@bentoml.service\nclass Svc:\n    one = bentoml.depends(One)\n    two = bentoml.depends(Two)\n"
    )
    with pytest.raises(TargetError, match="Dependency conflict: same is already defined"):
        load(tmp_path / "unit_conflict.py")


def test_a_service_that_only_has_a_command_or_an_application_is_none_of_these(tmp_path: Path, load: Load) -> None:
    (tmp_path / "unit_command.py").write_text(
        "import bentoml\nsvc = bentoml.Service('static', cmd=['python', '-m', 'http.server', '8000'])\n"
    )
    assert load(tmp_path / "unit_command.py")[1].name == "static"


@pytest.mark.parametrize("failing", ["raise RuntimeError", "@bentoml.service(grpc={'port': 3001})\nclass Svc: ..."])
def test_a_failed_load_leaves_everything_as_it_was(tmp_path: Path, failing: str) -> None:
    (tmp_path / "bentofile.yaml").write_text("service: service.py\nenvs: [{name: UNIT_FAILED, value: x}]")
    (tmp_path / "service.py").write_text(f"import bentoml\n{failing}\n")
    before = (Path.cwd(), list(sys.path), dict(os.environ))
    with pytest.raises(TargetError):
        BentoMLAdapter().load(Target.parse(str(tmp_path)))
    assert before == (Path.cwd(), list(sys.path), dict(os.environ))
