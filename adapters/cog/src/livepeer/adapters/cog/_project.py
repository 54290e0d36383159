"""A Cog project: where it is, and what a model of it needs around it."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from livepeer.core import Target, TargetError, network_name

from ._config import CONFIG_FILE, CogConfig, read_config
from ._output_capture import OutputCapture

CAPTURE = OutputCapture()
"""One for the process, since its streams are the process's; it counts who needs it."""

_GENERIC_NAMES = ("Predictor", "Runner", "predict", "run")


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is served, and its surroundings."""

    root: Path
    """The directory that Cog would run it in."""

    file: Path | None
    """The model's file; None if it is in a module."""

    module: str | None
    attribute: str | None
    """The model's name in it; None for Cog's own choice."""

    config: CogConfig | None
    is_named: bool = False
    """Whether the cog.yaml names this very model."""

    @property
    def reference(self) -> str:
        """As Cog writes it: ``predict.py:Predictor``."""
        place = self.module or os.path.relpath(self.file or "", self.root)
        return f"{place}:{self.attribute}" if self.attribute else place

    @property
    def name(self) -> str:
        """The capability's: the image's if it has one, else the project's, else the model's own."""
        config = self.config
        image = (config.image or config.model) if config is not None else None
        if image:
            return network_name(re.split(r"[:@]", image.rpartition("/")[2])[0], "cog-model")
        if config is None and self.attribute is not None and self.attribute not in _GENERIC_NAMES:
            return network_name(self.attribute, "cog-model")
        return network_name(self.root.name, "cog-model")

    def check_weights(self) -> None:
        """Make sure that managed weights are there: Cog brings them into its image, and nothing does here.

        Raises:
            TargetError: If some are not; names them, and where they belong.
        """
        for weight in self.config.weights if self.config is not None else ():
            if not (self.root / weight.target).exists():
                raise TargetError(
                    f"{CONFIG_FILE}: there is nothing at {weight.target}, where the weights {weight.name!r} belong; "
                    "they are not fetched here, so put them there first"
                )


def find_project(target: Target) -> Project:
    """The project that a target names, or is in.

    Raises:
        TargetError: If it is a directory without a cog.yaml, or the cog.yaml names no file.
    """
    if target.path is None:
        return Project(root=Path.cwd(), file=None, module=target.module, attribute=target.attribute, config=None)
    if target.is_directory:
        path = target.path / CONFIG_FILE
        if not path.is_file():
            raise TargetError(f"{target.text}: there is no {CONFIG_FILE}")
        return _of_config(path, read_config(path), target.attribute)
    for directory in target.path.parents:
        path = directory / CONFIG_FILE
        if path.is_file():
            found = _of_config(path, read_config(path), target.attribute)
            if found.file is not None and found.file.resolve() == target.path:
                return found
            break
    return Project(root=target.path.parent, file=target.path, module=None, attribute=target.attribute, config=None)


def _of_config(path: Path, config: CogConfig, attribute: str | None) -> Project:
    place, _, named = config.reference.partition(":")
    return Project(
        root=path.parent,
        file=Path(os.path.normpath(path.parent / place.strip())),
        module=None,
        attribute=attribute or named.strip() or None,
        config=config,
        is_named=attribute in (None, named.strip()),
    )


class Surroundings:
    """What Cog sets up around a model: its directory, its path, its environment; and the ears for what it writes.

    Args:
        project: Whose.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._before: Path | None = None
        self._on_path = False
        self._variables: list[str] = []

    def enter(self) -> None:
        """Set it all up. Before the model is imported: a logging handler keeps the stream that it finds."""
        self._before = Path.cwd()
        CAPTURE.install()
        root = str(self._project.root)
        os.chdir(root)
        if root not in sys.path:
            sys.path.insert(0, root)
            self._on_path = True
        for name, value in (self._project.config.variables if self._project.config is not None else {}).items():
            if name not in os.environ:
                os.environ[name] = value
                self._variables.append(name)

    def leave(self) -> None:
        """Undo it. What has been imported stays, and so does what the model itself has changed."""
        if self._before is None:
            return
        for name in self._variables:
            os.environ.pop(name, None)
        self._variables.clear()
        root = str(self._project.root)
        if self._on_path and root in sys.path:
            sys.path.remove(root)
        if self._before.is_dir():
            os.chdir(self._before)
        CAPTURE.remove()
        self._before, self._on_path = None, False
