"""cog.yaml as a livepeer.yaml."""

from pathlib import Path
from typing import Any

from livepeer.core import Manifest, read_requirements

from ._config import CogConfig

GPU = "nvidia"
"""What `build.gpu` asks for: Cog knows no other."""


def translate(config: CogConfig, root: Path, name: str) -> Manifest:
    """The manifest that says what a cog.yaml says; what it cannot say is in `unsupported`, by name.

    Args:
        config: The cog.yaml.
        root: Its directory.
        name: The capability's.

    Raises:
        TargetError: If the file of `build.python_requirements` cannot be read.
    """
    build = config.build
    return Manifest(
        target=config.reference,
        name=name,
        adapter="cog",
        python=build.python_version,
        python_packages=_requirements(config, root),
        system_packages=build.system_packages,
        gpu=GPU if build.gpu else None,
        capacity=config.concurrency.max,
        environment=config.variables,
        unsupported=_unsupported(config),
    )


def _requirements(config: CogConfig, root: Path) -> list[str]:
    build = config.build
    found = list(build.python_packages)
    if build.python_requirements:
        found = read_requirements(root / build.python_requirements, "build.python_requirements")
    if build.sdk_version and build.sdk_version != "prerelease":
        found.append(f"cog=={build.sdk_version}")
    return found


def _unsupported(config: CogConfig) -> dict[str, Any]:
    build = config.build
    found: dict[str, Any] = {
        "build.pre_install": build.pre_install,
        "build.run": [step.model_dump(exclude_defaults=True) for step in build.run],
        "build.cuda": build.cuda,
        "build.cudnn": build.cudnn,
        "build.sdk_version": build.sdk_version if build.sdk_version == "prerelease" else None,
        "concurrency.default_target": config.concurrency.default_target,
        "train": config.train,
        "weights": [weight.model_dump(exclude_defaults=True) for weight in config.weights],
    }
    return {key: value for key, value in found.items() if value} | config.unknown()
