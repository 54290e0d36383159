"""Who may import whom: the contracts in the root's pyproject.toml."""

import subprocess

from .house import EVERY_DISTRIBUTION, ROOT, read_toml


def test_every_package_has_a_contract_of_its_own() -> None:
    settings = read_toml(ROOT / "pyproject.toml")["tool"]["importlinter"]
    packages = {package for distribution in EVERY_DISTRIBUTION for package in distribution.packages}
    assert set(settings["root_packages"]) == packages
    assert {source for contract in settings["contracts"] for source in contract["source_modules"]} == packages


def test_nobody_imports_whom_the_design_does_not_let_him() -> None:
    ran = subprocess.run(["lint-imports", "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
