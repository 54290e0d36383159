"""What may be a pipeline, what it is called, and what is said when it cannot be one."""

from pathlib import Path
from typing import Any

import pytest

from livepeer.core import Target, TargetError, find_adapter
from livepeer.runner import Pipeline, PipelineAdapter, PipelineCapability, prepare_models


class TextReverser(Pipeline):
    """Reverses a text."""

    version = "1.2"
    capacity = 3
    gpu = "16GB"

    def predict(self, text: str) -> str:
        return text[::-1]


class Runs(Pipeline):
    pipeline_id = "the-runner"
    description = "runs"

    def run(self, text: str) -> str:
        return text


class Plain:
    def predict(self, text: str) -> str:
        return text


class NeedsArguments(Pipeline):
    def __init__(self, size: int) -> None:
        self.size = size

    def predict(self) -> int:
        return self.size


def reverse_text(text: str) -> str:
    """Turn it round."""
    return text[::-1]


def test_class_attributes_say_who_it_is() -> None:
    capability = PipelineCapability(TextReverser)
    info = capability.info
    assert (info.name, info.version, info.description, info.gpu) == ("text-reverser", "1.2", "Reverses a text.", "16GB")
    assert capability.operations[0].description.capacity == 3


def test_run_and_pipeline_id_are_taken_as_upstream_names_them() -> None:
    capability = PipelineCapability(Runs)
    assert (capability.info.name, capability.info.description) == ("the-runner", "runs")


def test_a_function_an_instance_and_a_plain_class_are_pipelines_too() -> None:
    assert PipelineCapability(reverse_text).info.name == "reverse-text"
    assert PipelineCapability(reverse_text).info.description == "Turn it round."
    assert PipelineCapability(NeedsArguments(3)).info.name == "needs-arguments"
    assert PipelineCapability(Plain).info.name == "plain"


@pytest.mark.parametrize(
    ("name", "kebab"), [("HTTPServer", "http-server"), ("LlmChat", "llm-chat"), ("SD15", "sd15"), ("a_b", "a-b")]
)
def test_names_are_kebab_case(name: str, kebab: str) -> None:
    made = type(name, (Pipeline,), {"predict": lambda self: 1})
    assert PipelineCapability(made).info.name == kebab


def refused(pipeline: Any) -> str:
    with pytest.raises(TargetError) as found:
        PipelineCapability(pipeline)
    return str(found.value)


def test_what_cannot_be_a_pipeline_says_what_to_change() -> None:
    both = type("Both", (Pipeline,), {"predict": lambda self: 1, "run": lambda self: 1})
    neither = type("Neither", (Pipeline,), {})
    greedy = type("Greedy", (Pipeline,), {"predict": lambda self: 1, "capacity": 0})
    misnamed = type("Misnamed", (Pipeline,), {"predict": lambda self: 1, "name": "no spaces please"})
    assert "keep one" in refused(both)
    assert "define predict" in refused(neither)
    assert "at least 1" in refused(greedy)
    assert "name" in refused(misnamed)
    assert "serve an instance" in refused(NeedsArguments)
    assert "'rest'" in refused(lambda *rest: rest)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


MODEL = """
from livepeer.runner import Pipeline

class One(Pipeline):
    def predict(self, text: str) -> str:
        return text
"""


def test_a_file_with_one_pipeline_needs_no_name(tmp_path: Path) -> None:
    path = write(tmp_path, "one_pipeline.py", MODEL)
    target = Target.parse(str(path))
    adapter = find_adapter(target)
    assert isinstance(adapter, PipelineAdapter)
    assert adapter.load(target).info.name == "one"
    assert adapter.manifest(target).name == "one"


def test_a_file_with_several_pipelines_asks_which(tmp_path: Path) -> None:
    path = write(tmp_path, "two_pipelines.py", MODEL + MODEL.replace("One", "Two"))
    with pytest.raises(TargetError, match=r"2 pipelines \(One, Two\).*:NAME"):
        PipelineAdapter().load(Target.parse(str(path)))


def test_an_imported_pipeline_is_not_the_files_own(tmp_path: Path) -> None:
    write(tmp_path, "library_of_pipelines.py", MODEL)
    path = write(tmp_path, "user_of_pipelines.py", "from library_of_pipelines import One\nclass Mine(One): ...\n")
    assert PipelineAdapter().load(Target.parse(str(path))).info.name == "mine"


def test_a_directory_with_a_livepeer_yaml_is_a_target(tmp_path: Path) -> None:
    write(tmp_path, "from_yaml.py", MODEL)
    write(tmp_path, "livepeer.yaml", "target: from_yaml.py:One\npython_packages: [numpy>=2]\n")
    target = Target.parse(str(tmp_path))
    adapter = find_adapter(target)
    assert adapter.load(target).info.name == "one"
    assert adapter.manifest(target).python_packages == ["numpy>=2"]


def test_what_livepeer_yaml_says_of_the_capability_wins(tmp_path: Path) -> None:
    write(tmp_path, "named_by_yaml.py", MODEL)
    write(
        tmp_path, "livepeer.yaml", "target: named_by_yaml.py\nname: other\nversion: '3'\ndescription: d\ncapacity: 4\n"
    )
    capability = find_adapter(target := Target.parse(str(tmp_path))).load(target)
    assert (capability.info.name, capability.info.version, capability.info.description) == ("other", "3", "d")
    assert capability.operations[0].description.capacity == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [("target: [", "no YAML"), ("name: x", "target"), ("target: a\nzzz: 1", "zzz"), ("", "target")],
)
def test_a_broken_livepeer_yaml_names_the_key(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, "livepeer.yaml", text)
    with pytest.raises(TargetError, match=words):
        PipelineAdapter().load(Target.parse(str(tmp_path)))


def test_models_are_prepared_by_the_class_or_by_the_file_beside_it(tmp_path: Path) -> None:
    by_class = write(
        tmp_path,
        "prepared_by_class.py",
        MODEL + "    @classmethod\n    def prepare_models(cls):\n        open(__file__ + '.done', 'w').close()\n",
    )
    assert prepare_models(str(by_class)) == "One.prepare_models()"
    assert (tmp_path / "prepared_by_class.py.done").exists()
    by_file = write(tmp_path, "prepared_by_file.py", MODEL)
    assert prepare_models(str(by_file)) is None
    write(tmp_path, "prepare_models.py", "open(__file__ + '.done', 'w').close()")
    assert prepare_models(str(by_file)) == "prepare_models.py"
    assert (tmp_path / "prepare_models.py.done").exists()
