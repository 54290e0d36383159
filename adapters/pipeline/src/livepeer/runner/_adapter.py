"""Finding native pipelines: in a module, in a file, or in a directory with a livepeer.yaml."""

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import yaml
from pydantic import ValidationError

from livepeer.core import MANIFEST_FILE, Manifest, Target, TargetError

from ._carry import CARRIED_SUFFIX, load_carried
from ._live.capability import LiveCapability
from ._live.pipeline import LivePipeline
from ._pipeline import Pipeline, PipelineCapability, is_pipeline


class PipelineAdapter:
    """Serves native pipelines, live ones too, and plain functions and classes with a predict."""

    def claims(self, target: Target) -> bool:
        """Whether the target is a native pipeline, or a directory with a livepeer.yaml."""
        if target.is_directory:
            return self._manifest_path(target).exists()
        if target.path is not None and target.path.suffix == CARRIED_SUFFIX:
            return True
        if target.path is not None and target.path.suffix != ".py":
            return False
        if target.attribute is None:
            return bool(_candidates(target.load_module()))
        return is_pipeline(target.load())

    def load(self, target: Target) -> PipelineCapability | LiveCapability:
        """Make the capability; the class is instantiated, nothing is set up.

        Raises:
            TargetError: If there is no pipeline, or no telling which.
        """
        manifest = self._read_manifest(target) if target.is_directory else None
        return make_capability(self.find(target), manifest)

    def find(self, target: Target) -> Any:
        """The pipeline that a target names.

        Raises:
            TargetError: If there is none, or several.
        """
        if target.is_directory:
            return self.find(self._inner_target(target))
        if target.path is not None and target.path.suffix == CARRIED_SUFFIX:
            return load_carried(target.path)
        if target.attribute is not None:
            return target.load()
        module = target.load_module()
        candidates = _candidates(module)
        if len(candidates) != 1:
            found = ", ".join(sorted(candidates)) or "none"
            raise TargetError(f"{target.text} holds {len(candidates)} pipelines ({found}); write {target.text}:NAME")
        return next(iter(candidates.values()))

    def manifest(self, target: Target) -> Manifest:
        """Read the directory's livepeer.yaml, or make one for a target without.

        Raises:
            TargetError: If the file is no manifest; names each key.
        """
        if target.is_directory:
            return self._read_manifest(target)
        info = self.load(target).info
        return Manifest(target=target.text, name=info.name, version=info.version, description=info.description)

    def _inner_target(self, target: Target) -> Target:
        assert target.path is not None
        inner = self._read_manifest(target).target
        location, colon, attribute = inner.partition(":")
        path = target.path / location
        return Target.parse(f"{path}{colon}{attribute}" if path.exists() else inner)

    def _read_manifest(self, target: Target) -> Manifest:
        path = self._manifest_path(target)
        try:
            return Manifest.model_validate(yaml.safe_load(path.read_text()) or {})
        except OSError as error:
            raise TargetError(f"{path.name} cannot be read: {error.strerror}") from error
        except yaml.YAMLError as error:
            raise TargetError(f"{path.name} is no YAML: {error}") from error
        except ValidationError as error:
            found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors())
            raise TargetError(f"{path.name}: {found}") from error

    def _manifest_path(self, target: Target) -> Path:
        assert target.path is not None
        return target.path / MANIFEST_FILE


def make_capability(pipeline: Any, manifest: Manifest | None = None) -> PipelineCapability | LiveCapability:
    """The capability of a pipeline, a live one's if it is that.

    Args:
        pipeline: A class, an instance or a function.
        manifest: What a livepeer.yaml says of it, which wins.

    Raises:
        TargetError: If it cannot be served; says what to change.
    """
    cls = cast("type[Any]", pipeline if isinstance(pipeline, type) else type(pipeline))
    return (LiveCapability if issubclass(cls, LivePipeline) else PipelineCapability)(pipeline, manifest)


def _candidates(module: ModuleType) -> dict[str, Any]:
    """The pipelines that a module defines: classes first; instances and functions only if there are no classes."""
    own = {
        name: value for name, value in vars(module).items() if not name.startswith("_") and _defined_in(value, module)
    }
    classes = {name: value for name, value in own.items() if isinstance(value, type) and issubclass(value, Pipeline)}
    instances = {name: value for name, value in own.items() if isinstance(value, Pipeline)}
    functions = {name: value for name, value in own.items() if inspect.isfunction(value) and name in ("predict", "run")}
    return instances or classes or functions


def _defined_in(value: Any, module: ModuleType) -> bool:
    home = value.__module__ if isinstance(value, type) or inspect.isfunction(value) else type(value).__module__
    return home == module.__name__
