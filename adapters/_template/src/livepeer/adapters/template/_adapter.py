"""Finding handlers: in a module, in a file, or in a directory with the framework's own build file."""

import tomllib
from pathlib import Path

from livepeer.core import Manifest, Target, TargetError

from ._capability import ADAPTER, HandlerCapability
from .framework import Handler

BUILD_FILE = "handler.toml"


class TemplateAdapter:
    """Serves handlers."""

    def claims(self, target: Target) -> bool:
        """Whether the target is a handler, or a directory with a build file."""
        if target.path is not None and target.path.suffix != ".py":
            return (target.path / BUILD_FILE).is_file()
        return isinstance(found := target.load() if target.attribute else None, type) and issubclass(found, Handler)

    def load(self, target: Target) -> HandlerCapability:
        """Make the capability; nothing is loaded yet.

        Raises:
            TargetError: If the target names no handler.
        """
        found: object = self._inner(target).load()
        if not isinstance(found, type) or not issubclass(found, Handler):
            raise TargetError(f"{target.text} is no handler; derive a class from Handler and name it FILE:CLASS")
        return HandlerCapability(found)

    def manifest(self, target: Target) -> Manifest:
        """Translate the build file, or make a manifest for a target without one.

        Raises:
            TargetError: If the file cannot be read.
        """
        if not target.is_directory:
            return Manifest(target=target.text, adapter=ADAPTER)
        try:
            build = tomllib.loads(Path(target.path or "", BUILD_FILE).read_text())
            known = {"target": build.pop("handler"), "python_packages": build.pop("packages", [])}
            return Manifest.model_validate({**known, "adapter": ADAPTER, "unsupported": build})
        except KeyError as error:
            raise TargetError(f"{BUILD_FILE} lacks the key {error}") from error
        except (OSError, ValueError) as error:
            raise TargetError(f"{BUILD_FILE} cannot be read: {error}") from error

    def _inner(self, target: Target) -> Target:
        """The handler that a directory's build file names."""
        return Target.parse(f"{target.path}/{self.manifest(target).target}") if target.is_directory else target
