"""Reading a project's bentofile.yaml, its pyproject.toml, and the bento.yaml of what is built of it."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError

from livepeer.core import TargetError

from ._bentofile import BuildFile, BuiltBento
from ._environment import values_of

BENTOFILE = "bentofile.yaml"
PYPROJECT = "pyproject.toml"
BENTO_FILE = "bento.yaml"
BENTO_SOURCE = "src"
"""Where a built bento keeps the project."""

Content = TypeVar("Content", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """YAML in which the timestamps of a bento.yaml stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_bentofile(path: Path) -> BuildFile:
    """Read a bentofile.yaml.

    Raises:
        TargetError: If it cannot be read, or is not as BentoML wants it; names each key.
    """
    return _validate(BuildFile, _read_yaml(path), path)


def read_bento(path: Path) -> BuiltBento:
    """Read the bento.yaml of a built bento.

    Raises:
        TargetError: If it cannot be read, or lacks what every bento has.
    """
    found = _validate(BuiltBento, _read_yaml(path), path)
    if not found.service:
        raise TargetError(f"{path.name}: service: it names none")
    return found


def read_pyproject(path: Path) -> BuildFile | None:
    """Read a pyproject.toml, as BentoML does: its own table, and the project's name and dependencies.

    Returns:
        None if it has no table for BentoML.

    Raises:
        TargetError: If it cannot be read, or the table is not as BentoML wants it; names each key.
    """
    try:
        content = tomllib.loads(_read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise TargetError(f"{path.name} is no TOML: {error}") from error
    table = _look_up(content, "tool", "bentoml", "build")
    if table is None:
        return None
    found = _validate(BuildFile, table, path)
    dependencies = _look_up(content, "project", "dependencies")
    packages = list(found.python.packages)
    if isinstance(dependencies, list):
        packages += map(str, cast("list[Any]", dependencies))
    is_src_layout = found.python.is_src_layout
    if is_src_layout is None:
        is_src_layout = (path.parent / "src").is_dir()
    python = found.python.model_copy(update={"packages": packages, "is_src_layout": is_src_layout})
    return found.model_copy(update={"python": python, "name": found.name or _look_up(content, "project", "name")})


def read_environment(config: BuildFile, root: Path) -> dict[str, str]:
    """The variables that a bentofile gives a value: those of `docker.env`, then those of `envs`, which count more.

    Args:
        config: The bentofile.
        root: Where a file of variables is.

    Raises:
        TargetError: If `docker.env` names a file that cannot be read, or is no list of assignments.
    """
    env = config.docker.env
    if isinstance(env, str):
        env = [line for line in _read_text(root / env).splitlines() if line.strip() and not line.startswith("#")]
    if isinstance(env, list):
        env = dict(_assignment(each) for each in env)
    return (env or {}) | values_of(config.envs)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.removeprefix("export ").partition("=")
    if not equals or not name.strip():
        raise TargetError(f"docker.env: {text!r} is not NAME=value")
    value = value.strip()
    return name.strip(), value[1:-1] if len(value) > 1 and value[0] == value[-1] in "'\"" else value


def _look_up(content: Any, *names: str) -> Any:
    for name in names:
        content = cast("dict[str, Any]", content).get(name) if isinstance(content, dict) else None
    return content


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise TargetError(f"{path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TargetError(f"{path.name} is no UTF-8: {error}") from error


def _read_yaml(path: Path) -> Any:
    text = _read_text(path)
    try:
        # A loader of its own: SafeLoader, with fewer kinds of values.
        content: Any = yaml.load(text, _Loader)
        _restore_python_version(content, _Loader(text).get_single_node())
    except yaml.YAMLError as error:
        raise TargetError(f"{path.name} is no YAML: {error}") from error
    return {} if content is None else content


def _restore_python_version(content: Any, node: yaml.Node | None) -> None:
    """Give `docker.python_version` as it is written: read as a number, 3.10 is another version of Python."""
    for key in ("docker", "python_version"):
        if not isinstance(node, yaml.MappingNode):
            return
        node = next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.ScalarNode) and node.tag != "tag:yaml.org,2002:null":
        content["docker"]["python_version"] = node.value


def _validate(kind: type[Content], content: Any, path: Path) -> Content:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise TargetError(f"{path.name}: {'; '.join(_told(each['loc'], each['msg']) for each in found)}") from None


def _told(location: tuple[int | str, ...], message: str) -> str:
    if message == "Extra inputs are not permitted":
        message = "BentoML knows no such key"
    return f"{'.'.join(map(str, location))}: {message}" if location else message
