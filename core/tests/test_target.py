"""What a target names, and what is said when it names nothing."""

import sys
from pathlib import Path

import pytest

from livepeer.core import Target, TargetError, UnclaimedTargetError, find_adapter


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_is_loaded_and_finds_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "neighbour_of_target.py", "value = 3")
    path = write(tmp_path, "target_one.py", "from neighbour_of_target import value\nclass A:\n    class B: ...\n")
    assert Target.parse(f"{path}:value").load() == 3
    assert Target.parse(f"{path}:A.B").load().__name__ == "B"


def test_a_file_is_loaded_once(tmp_path: Path) -> None:
    path = write(tmp_path, "target_once.py", "class A: ...")
    assert Target.parse(f"{path}:A").load() is Target.parse(f"{path}:A").load()


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    found = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = write(tmp_path / folder, "target_twin.py", f"name = {folder!r}")
        found.append(Target.parse(f"{path}:name").load())
    assert found == ["a", "b"]


def test_a_file_may_have_the_name_of_an_installed_module(tmp_path: Path) -> None:
    path = write(tmp_path, "json.py", "value = 'mine'")
    assert Target.parse(f"{path}:value").load() == "mine"
    assert sys.modules["json"].__file__ != str(path)


def test_a_module_is_imported_by_name() -> None:
    assert Target.parse("json:dumps").load()([]) == "[]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no_such_file.py", "no file"),
        ("no/such/folder", "no file"),
        ("no_such_module_at_all:x", "No module named"),
        ("json:no_such", "no attribute 'no_such'"),
        ("not a module", "neither"),
        ("json:not-a-name", "no attribute's name"),
        ("json", "names no attribute"),
    ],
)
def test_what_names_nothing_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        Target.parse(text).load()


@pytest.mark.parametrize("code", ["raise ValueError('bang')", "raise SystemExit('bang')", "1 +", "import no_such_bang"])
def test_a_file_that_cannot_be_imported_says_why(tmp_path: Path, code: str) -> None:
    path = write(tmp_path, "target_broken.py", code)
    with pytest.raises(TargetError, match=r"target_broken\.py failed"):
        Target.parse(f"{path}:x").load()
    assert "target_broken" not in sys.modules


def test_a_target_that_nobody_claims_names_who_was_asked(tmp_path: Path) -> None:
    path = write(tmp_path, "target_nobody.py", "value = 3")
    with pytest.raises(UnclaimedTargetError, match="no installed adapter claims"):
        find_adapter(Target.parse(f"{path}:value"))


def test_an_adapter_that_is_not_installed_is_named() -> None:
    with pytest.raises(TargetError, match="no adapter 'nonesuch'"):
        find_adapter(Target.parse("json:dumps"), "nonesuch")


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, code: str) -> None:
    write(folder, f"{module}.py", code)
    info = folder / f"{module}-1.dist-info"
    info.mkdir()
    write(info, "METADATA", f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
    write(info, "entry_points.txt", f"[livepeer.adapters]\n{module} = {module}:Made\n")
    monkeypatch.syspath_prepend(str(folder))


_ADAPTER = """
class Made:
    def claims(self, target): return target.text.startswith("json")
    def load(self, target): ...
    def manifest(self, target): ...
"""


def test_a_strangers_adapter_is_found_and_one_without_its_framework_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, monkeypatch, "aaa_without_framework", "import a_framework_that_is_not_there\n" + _ADAPTER)
    _install(tmp_path, monkeypatch, "bbb_stranger", _ADAPTER)
    assert type(find_adapter(Target.parse("json:dumps"))).__module__ == "bbb_stranger"
    with pytest.raises(TargetError, match="a_framework_that_is_not_there"):
        find_adapter(Target.parse("json:dumps"), "aaa_without_framework")


def test_an_adapter_that_is_broken_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, monkeypatch, "aab_broken", "1 / 0")
    with pytest.raises(ZeroDivisionError):
        find_adapter(Target.parse("json:dumps"))
