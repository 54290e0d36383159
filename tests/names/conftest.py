import subprocess
from pathlib import Path

import pytest

from .house import EVERY_DISTRIBUTION, ROOT, Distribution, MakeVenv, Uv


@pytest.fixture(params=EVERY_DISTRIBUTION, ids=lambda distribution: distribution.name)
def distribution(request: pytest.FixtureRequest) -> Distribution:
    return request.param


@pytest.fixture(scope="session")
def uv() -> Uv:
    """Runs uv at the root of the workspace; what it printed."""

    def run(*arguments: str | Path) -> str:
        ran = subprocess.run(["uv", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


@pytest.fixture(scope="session")
def wheels(uv: Uv, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each distribution's wheel, built from its sdist, by the distribution's name."""
    return {each.name: built(uv, each, tmp_path_factory.mktemp(each.name)) for each in EVERY_DISTRIBUTION}


def built(uv: Uv, distribution: Distribution, directory: Path) -> Path:
    uv("build", "--quiet", "--package", distribution.name, "--out-dir", directory)
    (wheel,) = directory.glob("*.whl")
    return wheel


@pytest.fixture
def make_venv(uv: Uv, tmp_path: Path) -> MakeVenv:
    """Makes an empty virtual environment; its python."""

    def make() -> Path:
        uv("venv", "--quiet", tmp_path / "venv")
        return tmp_path / "venv" / "bin" / "python"

    return make
