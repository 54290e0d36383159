"""bentofile.yaml, the decorator and its image as a livepeer.yaml."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livepeer.core import Manifest, read_requirements

from ._bentofile import BuildFile, BuiltBento, CondaSection, DockerSection, PythonSection, VariableSection
from ._decorator import GPU, translate_config, translate_services
from ._images import describe_image, translate_image
from ._project import ARGUMENTS, Project
from ._reading import BENTO_SOURCE, read_environment
from ._translation import Translation, merge

DEBIAN = "debian"
"""The distribution that a manifest's system packages are of, and BentoML's own choice."""


def translate(project: Project, services: Sequence[Any]) -> Manifest:
    """The manifest that says what a project says; what it cannot say is in `unsupported`, by name.

    Where BentoML would use both, an image's packages come before the bentofile's, and its other values count less; of
    variables, the decorator's count more.

    Args:
        project: What is served.
        services: The service, imported, then those that it depends on; none to translate the bentofile alone.

    Raises:
        TargetError: If a file that the bentofile names cannot be read.
    """
    found = merge(_parts(project, services))
    return Manifest(
        target=f"{BENTO_SOURCE}/{project.reference}" if project.bento is not None else project.reference,
        name=project.name,
        version=project.version,
        description=project.description or None,
        adapter="bentoml",
        python=found.python,
        python_packages=found.python_packages,
        system_packages=found.system_packages,
        base_image=found.base_image,
        gpu=found.gpu,
        capacity=found.capacity,
        environment=found.environment,
        unsupported=found.unsupported,
    )


def _parts(project: Project, services: Sequence[Any]) -> list[Translation]:
    parts: list[Translation] = []
    config = project.config
    if isinstance(config, BuiltBento):
        parts += [translate_image(config.image)] if config.image is not None else []
        parts += [translate_config(each.config) for each in config.services if each.name == config.entry_service]
    elif services and services[0].image is not None:
        parts.append(translate_image(describe_image(services[0].image)))
    if config is not None:
        parts.append(translate_build(config, project.root))
    if services:
        parts.append(translate_services(services))
    return parts


def translate_build(config: BuildFile, root: Path) -> Translation:
    """What a bentofile says.

    Args:
        config: Its content.
        root: Its directory.

    Raises:
        TargetError: If a file that it names cannot be read.
    """
    named: dict[str, Any] = {
        "labels": config.labels,
        "include": config.include,
        "exclude": config.exclude,
        "models": [model.model_dump(exclude_none=True) for model in config.models],
        "envs": [_as_named(each) for each in config.envs if not each.value or each.stage == "build"],
    }
    rest = Translation(
        environment=_environment(config, root),
        unsupported={key: value for key, value in named.items() if value},
    )
    return merge(
        [_translate_docker(config.docker), _translate_python(config.python, root), _translate_conda(config.conda), rest]
    )


def _environment(config: BuildFile, root: Path) -> dict[str, str]:
    arguments = {ARGUMENTS: json.dumps(config.args, default=str)} if config.args else {}
    return read_environment(config, root) | arguments


def _as_named(variable: VariableSection) -> dict[str, str]:
    found = {"name": variable.name, "stage": variable.stage}
    return found | ({"value": variable.value} if variable.value else {})


def _translate_docker(docker: DockerSection) -> Translation:
    is_debian = docker.distro in (None, DEBIAN)
    named: dict[str, Any] = {
        "docker.distro": None if is_debian else docker.distro,
        "docker.system_packages": None if is_debian else docker.system_packages,
        "docker.cuda_version": docker.cuda_version,
        "docker.setup_script": docker.setup_script,
        "docker.dockerfile_template": docker.dockerfile_template,
    }
    return Translation(
        python=docker.python_version,
        system_packages=docker.system_packages if is_debian else [],
        base_image=docker.base_image,
        gpu=GPU if docker.cuda_version else None,
        unsupported={key: value for key, value in named.items() if value},
    )


def _translate_python(python: PythonSection, root: Path) -> Translation:
    options = [
        *([f"--index-url {python.index_url}"] if python.index_url else []),
        *(["--no-index"] if python.no_index else []),
        *(f"--trusted-host {host}" for host in python.trusted_host),
        *(f"--extra-index-url {url}" for url in python.extra_index_url),
        *(f"--find-links {link}" for link in python.find_links),
    ]
    # As BentoML has it: packages count for nothing beside a requirements file.
    packages = (
        read_requirements(root / python.requirements_txt, "python.requirements_txt")
        if python.requirements_txt
        else python.packages
    )
    named: dict[str, Any] = {
        "python.packages": (python.packages or None) if python.requirements_txt else None,
        "python.lock_packages": python.lock_packages,
        "python.pack_git_packages": python.pack_git_packages,
        "python.pip_args": python.pip_args,
        "python.is_src_layout": python.is_src_layout or None,
    }
    return Translation(
        python_packages=[*options, *packages, *(f"./{wheel.removeprefix('./')}" for wheel in python.wheels)],
        unsupported={key: value for key, value in named.items() if value is not None},
    )


def _translate_conda(conda: CondaSection) -> Translation:
    return Translation(
        unsupported={f"conda.{key}": value for key, value in conda.model_dump(exclude_none=True).items()}
    )
