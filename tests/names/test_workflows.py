"""The workflow that GitHub runs."""

import subprocess

from .house import EVERY_DISTRIBUTION, ROOT

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    command = ["go", "run", ACTIONLINT, "-no-color", "-shellcheck=", "-pyflakes=", *workflows]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert workflows
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_distribution_has_a_path_filter() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    folders = [str(distribution.folder.relative_to(ROOT)) for distribution in EVERY_DISTRIBUTION]
    assert [folder for folder in folders if f"- {folder}/**\n" not in workflow] == []
