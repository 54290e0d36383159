"""What is in a bentofile.yaml, and in the bento.yaml of what `bentoml build` has built."""

from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class _Section(BaseModel):
    """A mapping whose keys are all known, as BentoML wants it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _none_as_section(value: Any) -> Any:
    return {} if value is None else value


def _none_as_list(value: Any) -> Any:
    return [] if value is None else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else _none_as_list(value)


def _as_model(value: Any) -> Any:
    return {"tag": value} if isinstance(value, str) else value


def _as_known_model(value: Any) -> Any:
    """Without what a built bento says of a model besides, such as its size."""
    if not isinstance(value, dict):
        return value
    return {key: each for key, each in cast("dict[str, Any]", value).items() if key in ("tag", "alias")}


def _none_as_text(value: Any) -> Any:
    return "" if value is None else value


Texts = Annotated[list[str], BeforeValidator(_none_as_list)]
TextOrTexts = Annotated[list[str], BeforeValidator(_as_list)]


class DockerSection(_Section):
    """What the image is made of."""

    distro: str | None = None
    python_version: str | None = None
    cuda_version: str | None = None
    env: str | list[str] | dict[str, str] | None = None
    system_packages: Texts = Field(default_factory=list)
    setup_script: str | None = None
    base_image: str | None = None
    dockerfile_template: str | None = None


class PythonSection(_Section):
    """What pip installs, and how."""

    requirements_txt: str | None = None
    packages: Texts = Field(default_factory=list)
    lock_packages: bool | None = None
    pack_git_packages: bool | None = None
    index_url: str | None = None
    no_index: bool | None = None
    trusted_host: TextOrTexts = Field(default_factory=list)
    find_links: TextOrTexts = Field(default_factory=list)
    extra_index_url: TextOrTexts = Field(default_factory=list)
    pip_args: str | None = None
    wheels: Texts = Field(default_factory=list)
    is_src_layout: bool | None = None


class CondaSection(_Section):
    """What conda installs."""

    environment_yml: str | None = None
    channels: list[str] | None = None
    dependencies: list[Any] | None = None
    pip: list[str] | None = None


class ModelSection(_Section):
    """A model of BentoML's store."""

    tag: str
    filter: str | None = None
    alias: str | None = None


class VariableSection(_Section):
    """An environment variable. BentoML lets it have other keys."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow")

    name: str
    value: Annotated[str, BeforeValidator(_none_as_text)] = ""
    """Empty if it has to be set where the service runs."""

    stage: Literal["all", "build", "runtime"] = "all"


class BuildFile(_Section):
    """The content of a bentofile.yaml."""

    service: Annotated[str, BeforeValidator(_none_as_text)] = ""
    """What is served: ``service:Svc``, a module or a file; empty for ``service.py``."""

    name: str | None = None
    description: str | None = None
    labels: Annotated[dict[str, str], BeforeValidator(_none_as_section)] = Field(default_factory=dict)
    include: list[str] | None = None
    exclude: list[str] | None = None
    docker: Annotated[DockerSection, BeforeValidator(_none_as_section)] = DockerSection()
    python: Annotated[PythonSection, BeforeValidator(_none_as_section)] = PythonSection()
    conda: Annotated[CondaSection, BeforeValidator(_none_as_section)] = CondaSection()
    models: Annotated[
        list[Annotated[ModelSection, BeforeValidator(_as_model)]],
        BeforeValidator(_none_as_list),
    ] = Field(default_factory=list[ModelSection])
    envs: Annotated[list[VariableSection], BeforeValidator(_none_as_list)] = Field(
        default_factory=list[VariableSection]
    )
    args: Annotated[dict[str, Any], BeforeValidator(_none_as_section)] = Field(default_factory=dict)

    @property
    def aliases(self) -> dict[str, str]:
        """Tags of models, by the names that the service gives them."""
        return {model.alias: model.tag for model in self.models if model.alias}


class ImageSection(BaseModel):
    """The image of a built bento; the last four are known of a `bentoml.images.Image` alone."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    base_image: str = ""
    python_version: str = ""
    commands: list[str] = Field(default_factory=list)
    python_requirements: str = ""
    post_commands: list[str] = Field(default_factory=list)
    build_include: list[str] = Field(default_factory=list)
    scripts: dict[str, str] = Field(default_factory=dict)
    lock_python_packages: bool = True
    pack_git_packages: bool = True
    uv_lock: bool = False


class BuiltService(BaseModel):
    """A service of a bento: the one that is served, or one that it depends on."""

    name: str
    config: dict[str, Any] = Field(default_factory=dict)
    """What its decorator says."""


class BuiltBento(BuildFile):
    """The content of a bento.yaml, as far as it is read; a later BentoML may know more keys."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    version: str
    entry_service: str = ""
    services: list[BuiltService] = Field(default_factory=list[BuiltService])
    models: list[Annotated[ModelSection, BeforeValidator(_as_known_model)]] = Field(default_factory=list[ModelSection])
    image: ImageSection | None = None
    """None for a bento of the first kind, which has `docker`, `python` and `conda` sections instead."""
