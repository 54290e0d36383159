"""What is the adapter's own: its build file, and what it says of a target that is no handler."""

from pathlib import Path

import pytest

from livepeer.adapters.template import TemplateAdapter
from livepeer.core import Target, TargetError, find_adapter

MODULE = """
from livepeer.adapters.template.framework import Handler

class Mine(Handler):
    def handle(self, text: str) -> str:
        return text

class Without(Handler):
    pass

class Other:
    pass
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "handlers_of_mine.py").write_text(MODULE)
    (tmp_path / "handler.toml").write_text(
        'handler = "handlers_of_mine.py:Mine"\npackages = ["numpy>=2"]\nworkers = 3\n'
    )
    return tmp_path


def test_a_directory_with_a_build_file_is_served(directory: Path) -> None:
    target = Target.parse(str(directory))
    adapter = find_adapter(target, "template")
    assert adapter.claims(target)
    assert adapter.load(target).info.name == "mine"


def test_the_build_file_is_translated_and_what_has_no_meaning_is_kept(directory: Path) -> None:
    manifest = TemplateAdapter().manifest(Target.parse(str(directory)))
    assert (manifest.target, manifest.python_packages) == ("handlers_of_mine.py:Mine", ["numpy>=2"])
    assert manifest.unsupported == {"workers": 3}


@pytest.mark.parametrize("text", ["handler = [", "packages = 1"])
def test_a_build_file_that_cannot_be_read_is_named(directory: Path, text: str) -> None:
    (directory / "handler.toml").write_text(text)
    with pytest.raises(TargetError, match=r"handler\.toml"):
        TemplateAdapter().load(Target.parse(str(directory)))


@pytest.mark.parametrize(("name", "words"), [("Without", "define handle"), ("Other", "derive a class from Handler")])
def test_what_cannot_be_served_says_what_to_change(directory: Path, name: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        TemplateAdapter().load(Target.parse(f"{directory / 'handlers_of_mine.py'}:{name}"))
