"""The snippets of the READMEs are the examples, which are run."""

import re
from pathlib import Path

import pytest

from .house import ROOT

FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONGEST_LINES = 150

FOLDERS = ("core", "server", "adapters/pipeline", "adapters/cog", "adapters/bentoml", "adapters/_template", "trickle")
READMES = [ROOT / "README.md", *(ROOT / folder / "README.md" for folder in FOLDERS)]


def snippets(readme: Path, *languages: str) -> list[str]:
    found = FENCED.findall(readme.read_text(encoding="utf-8"))
    return [code for language, code in found if language in languages]


@pytest.fixture(scope="module")
def examples() -> list[str]:
    files = [file for kind in ("py", "yaml") for file in sorted((ROOT / "examples").rglob(f"*.{kind}"))]
    return [file.read_text(encoding="utf-8") for file in files]


@pytest.mark.parametrize("readme", READMES, ids=lambda file: file.parent.name)
def test_a_readmes_code_is_a_file_of_the_examples(readme: Path, examples: list[str]) -> None:
    assert [code for code in snippets(readme, "python", "yaml") if code not in examples] == []


def test_the_readme_has_code_to_serve_and_to_call() -> None:
    assert len(snippets(ROOT / "README.md", "python")) >= 2


@pytest.mark.parametrize("readme", READMES, ids=lambda file: file.parent.name)
def test_a_readme_is_short(readme: Path) -> None:
    assert len(readme.read_text(encoding="utf-8").splitlines()) < LONGEST_LINES


@pytest.mark.parametrize("readme", READMES, ids=lambda file: file.parent.name)
def test_a_readmes_links_to_this_repository_lead_somewhere(readme: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", readme.read_text(encoding="utf-8"))
    assert [link for link in links if not (readme.parent / link).exists()] == []
