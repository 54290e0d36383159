"""cog.yaml, as far as it is read."""

import logging
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from livepeer.core import TargetError

logger = logging.getLogger("livepeer.adapters.cog")

CONFIG_FILE = "cog.yaml"

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


class _Section(BaseModel):
    """A mapping of cog.yaml. Keys that it does not know are kept: examples of Cog's own still have some."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    def unknown(self) -> dict[str, Any]:
        """The keys that Cog does not know, of this section and those in it, by dotted name."""
        found = dict(self.model_extra or {})
        for name, value in self:
            if isinstance(value, _Section):
                found |= {f"{name}.{key}": each for key, each in value.unknown().items()}
        return found


def _none_as_empty(value: Any) -> Any:
    return [] if value is None else value


def _as_step(value: Any) -> Any:
    return {"command": value} if isinstance(value, str) else value


def _as_list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _none_as_section(value: Any) -> Any:
    return {} if value is None else value


Texts = Annotated[list[str], BeforeValidator(_none_as_empty)]


class RunMount(_Section):
    """What a command of the build sees beside its image."""

    type: str
    id: str
    target: str


class RunStep(_Section):
    """A command of the build."""

    command: str
    mounts: list[RunMount] = Field(default_factory=list[RunMount])


class Build(_Section):
    """How the image is built."""

    gpu: bool = False
    python_version: str | None = None
    python_requirements: str | None = None
    python_packages: Texts = Field(default_factory=list)
    system_packages: Texts = Field(default_factory=list)
    pre_install: Texts = Field(default_factory=list)
    run: Annotated[
        list[Annotated[RunStep, BeforeValidator(_as_step)]],
        BeforeValidator(_none_as_empty),
    ] = Field(default_factory=list[RunStep])
    cuda: str | None = None
    cudnn: str | None = None
    sdk_version: str | None = None


class Concurrency(_Section):
    """How many predictions at once."""

    max: int | None = Field(default=None, ge=1)
    default_target: int | None = None


class WeightSource(_Section):
    """Where weights come from."""

    uri: str
    include: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)


class Weight(_Section):
    """A directory of weights."""

    name: str
    target: str
    source: Annotated[list[WeightSource], BeforeValidator(_as_list)]


class CogConfig(_Section):
    """The content of a cog.yaml."""

    build: Annotated[Build, BeforeValidator(_none_as_section)] = Build()
    image: str | None = None
    model: str | None = None
    run: str | None = None
    predict: str | None = None
    train: str | None = None
    concurrency: Annotated[Concurrency, BeforeValidator(_none_as_section)] = Concurrency()
    environment: Texts = Field(default_factory=list)
    weights: Annotated[list[Weight], BeforeValidator(_none_as_empty)] = Field(default_factory=list[Weight])

    @property
    def reference(self) -> str:
        """Which object is served: ``predict.py:Predictor``, or a file alone."""
        reference = self.run or self.predict
        assert reference is not None
        return reference

    @property
    def variables(self) -> dict[str, str]:
        """The environment, by name."""
        found = (_ASSIGNMENT.fullmatch(assignment) for assignment in self.environment)
        return {match[1]: match[2] for match in found if match is not None}

    @model_validator(mode="after")
    def _check(self) -> "CogConfig":
        if self.run and self.predict:
            raise ValueError("it has both run and predict: keep one")
        if not self.run and not self.predict:
            raise ValueError("it names no model: add run: 'run.py:Runner'")
        for assignment in self.environment:
            if not _ASSIGNMENT.fullmatch(assignment):
                raise ValueError(f"environment: {assignment!r} is not NAME=value")
        if self.build.python_requirements and self.build.python_packages:
            raise ValueError("build has both python_requirements and python_packages: keep one")
        return self


class _Loader(yaml.SafeLoader):
    """YAML in which 3.10 is text: as a number it would be another version of Python."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:float"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_config(path: Path) -> CogConfig:
    """Read a cog.yaml. Keys that Cog does not know are warned of.

    Raises:
        TargetError: If it cannot be read, or is not as Cog wants it; names each key.
    """
    try:
        # A loader of its own: SafeLoader, with fewer kinds of values.
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        config = CogConfig.model_validate(_none_as_section(content))
    except OSError as error:
        raise TargetError(f"{path.name} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TargetError(f"{path.name} is no YAML: {error}") from error
    except ValidationError as error:
        raise TargetError(f"{path.name}: {_told(error)}") from None
    for key in config.unknown():
        logger.warning("%s: Cog has no key %r; it is ignored", path.name, key)
    return config


def _told(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)
    return "; ".join(_told_one(each["loc"], each["msg"]) for each in found)


def _told_one(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{'.'.join(str(part) for part in location)}: {message}" if location else message
