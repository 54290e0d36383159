"""What adapters share when they read a framework's own build file."""

from pathlib import Path

import pytest

from livepeer.core import TargetError, network_name, read_requirements


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HTTPServer", "http-server"),
        ("LlmChat", "llm-chat"),
        ("SD15", "sd15"),
        ("a_b", "a-b"),
        ("v1.5 / turbo!", "v1.5-turbo"),
        ("_private_", "private"),
        ("日本", "model"),
        ("", "model"),
    ],
)
def test_a_name_on_the_network_has_nothing_that_a_network_refuses(text: str, name: str) -> None:
    assert network_name(text) == name


def test_what_is_left_of_nothing_is_what_the_adapter_says() -> None:
    assert network_name("---", "bento") == "bento"


def test_requirements_are_read_as_pip_reads_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "\ufeff# first\nnumpy>=2  # why\n\n-r more/others.txt\n--index-url https://x/#fragment\ntorch \\\n  ==2.0\n"
    )
    (tmp_path / "more" / "others.txt").write_text("pillow\n--requirement=../requirements.txt\n")
    found = read_requirements(tmp_path / "requirements.txt", "python.requirements")
    assert found == ["numpy>=2", "pillow", "--index-url https://x/#fragment", "torch   ==2.0"]


def test_a_file_that_is_not_there_is_named_with_the_key_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r gone.txt\n")
    with pytest.raises(TargetError, match=r"build\.requirements: gone\.txt cannot be read"):
        read_requirements(tmp_path / "requirements.txt", "build.requirements")
