"""Finding Cog models: in a directory with a cog.yaml, in a file, in a module."""

import sys
from typing import TYPE_CHECKING

from livepeer.core import MANIFEST_FILE, Manifest, Target

from ._config import CONFIG_FILE
from ._manifest import translate
from ._project import Project, Surroundings, find_project

if TYPE_CHECKING:
    from ._capability import CogCapability


class CogAdapter:
    """Serves unmodified Cog models."""

    def claims(self, target: Target) -> bool:
        """Whether the target is a directory with a cog.yaml, a file that one names, or code written for Cog.

        Raises:
            TargetError: If it cannot be imported, or its cog.yaml is none.
        """
        if target.is_directory:
            assert target.path is not None
            return (target.path / CONFIG_FILE).is_file() and not (target.path / MANIFEST_FILE).exists()
        project = find_project(target)
        return project.is_named or _is_written_for_cog(project)

    def load(self, target: Target) -> "CogCapability":
        """Make the capability; the class is instantiated, nothing is set up.

        Raises:
            TargetError: If there is no model, or it cannot be served; names what to change.
        """
        # Lazily, as below: without Cog itself, and for what is not Cog's, these modules cannot be imported.
        from ._capability import CogCapability
        from ._importing import import_module
        from ._model import CogModel
        from ._reference import find_handler

        project = find_project(target)
        project.check_weights()
        surroundings = Surroundings(project)
        surroundings.enter()
        try:
            handler = find_handler(import_module(project), project.attribute)
            most = project.config.concurrency.max if project.config is not None else None
            model = CogModel(handler, reference=project.reference, most=most)
            return CogCapability(model, project, surroundings)
        except BaseException:
            surroundings.leave()
            raise

    def manifest(self, target: Target) -> Manifest:
        """Translate the cog.yaml; without one, name the model alone.

        Raises:
            TargetError: If it is none.
        """
        project = find_project(target)
        if project.config is None:
            return Manifest(target=target.text, name=project.name, adapter="cog")
        return translate(project.config, project.root, project.name)


def _is_written_for_cog(project: Project) -> bool:
    if project.file is not None and project.file.suffix != ".py":
        return False
    from ._importing import import_module

    surroundings = Surroundings(project)
    surroundings.enter()
    try:
        module = import_module(project)
    finally:
        surroundings.leave()
    if "cog" not in sys.modules:
        return False  # nothing of it can be Cog's, and Cog may not even be installed
    from ._reference import is_cog_model

    return is_cog_model(module, project.attribute)
