"""What a distribution's wheel holds and says of itself."""

from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from .house import NAMESPACES, Distribution


@pytest.fixture
def wheel(wheels: dict[str, Path], distribution: Distribution) -> ZipFile:
    return ZipFile(wheels[distribution.name])


@pytest.fixture
def metadata(wheel: ZipFile) -> Message:
    (file,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(wheel.read(file).decode())


def test_a_wheel_leaves_the_namespaces_without_an_init(wheel: ZipFile) -> None:
    inits = {f"{namespace.replace('.', '/')}/__init__.py" for namespace in NAMESPACES}
    assert not inits.intersection(wheel.namelist())


def test_a_wheel_holds_its_packages_their_type_marks_and_nothing_else(
    wheel: ZipFile, distribution: Distribution
) -> None:
    folders = tuple(f"{package.replace('.', '/')}/" for package in distribution.packages)
    strays = [name for name in wheel.namelist() if not name.startswith(folders) and ".dist-info/" not in name]
    assert folders
    assert strays == []
    assert {f"{folder}py.typed" for folder in folders} <= set(wheel.namelist())


def test_a_wheel_asks_for_python_3_11(metadata: Message) -> None:
    assert metadata["Requires-Python"] == ">=3.11"


def test_every_dependency_of_a_wheel_has_a_floor(metadata: Message) -> None:
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    ours = [each for each in requirements if each.name.startswith("livepeer-")]
    others = [each for each in requirements if each not in ours]
    assert [str(each) for each in ours if [part.operator for part in each.specifier] != ["=="]] == []
    assert [str(each) for each in others if not any(part.operator == ">=" for part in each.specifier)] == []


def test_the_readme_is_a_wheels_long_description(metadata: Message, distribution: Distribution) -> None:
    readme = (distribution.folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {distribution.name}\n")
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == readme
