"""Installing the wheels: each alone, and beside the `livepeer` of PyPI, which is somebody else's."""

import subprocess
from pathlib import Path

import pytest

from .house import EVERY_DISTRIBUTION, Distribution, MakeVenv, Uv

EVERY_PACKAGE = [package for distribution in EVERY_DISTRIBUTION for package in distribution.packages]


def import_all(python: Path, names: list[str]) -> None:
    """Import each in a process of its own, so that none leans on another's imports."""
    for name in names:
        ran = subprocess.run([python, "-c", f"import {name}"], check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr


def test_a_wheel_installs_alone_and_its_packages_import(
    uv: Uv, make_venv: MakeVenv, wheels: dict[str, Path], distribution: Distribution
) -> None:
    python = make_venv()
    links = [argument for wheel in wheels.values() for argument in ("--find-links", wheel.parent)]
    uv("pip", "install", "--quiet", "--python", python, *links, wheels[distribution.name])
    import_all(python, distribution.packages)


def test_the_livepeer_of_pypi_installed_together_with_ours_breaks_nothing(
    uv: Uv, make_venv: MakeVenv, wheels: dict[str, Path]
) -> None:
    # No release of it with an __init__ bears our pydantic; a resolver goes back to one without.
    python = make_venv()
    uv("pip", "install", "--quiet", "--python", python, *wheels.values(), "livepeer")
    import_all(python, EVERY_PACKAGE)


@pytest.mark.parametrize("ours_first", [True, False])
def test_the_livepeer_of_pypi_forced_in_beside_ours_breaks_nothing(
    uv: Uv, make_venv: MakeVenv, wheels: dict[str, Path], ours_first: bool
) -> None:
    # 0.3.0 makes `livepeer` a regular package, in the folder where ours are too; it takes pydantic below our floor.
    python = make_venv()
    steps = [list(wheels.values()), ["livepeer==0.3.0"]]
    for step in steps if ours_first else reversed(steps):
        uv("pip", "install", "--quiet", "--python", python, *step)
    import_all(python, ["livepeer.sdk", *EVERY_PACKAGE])


def test_taking_the_livepeer_of_pypi_away_again_leaves_ours(
    uv: Uv, make_venv: MakeVenv, wheels: dict[str, Path]
) -> None:
    python = make_venv()
    uv("pip", "install", "--quiet", "--python", python, *wheels.values())
    uv("pip", "install", "--quiet", "--python", python, "livepeer==0.3.0")
    uv("pip", "uninstall", "--quiet", "--python", python, "livepeer")
    import_all(python, EVERY_PACKAGE)
