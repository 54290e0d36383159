"""Finding BentoML services: in a directory with a bentofile.yaml, in a file, in a module, in a built bento."""

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livepeer.core import MANIFEST_FILE, Manifest, Target, TargetError

from ._finding import SERVICE_FILE, find_project, says_bentoml
from ._project import Project
from ._version import installed_version

if TYPE_CHECKING:
    from ._capability import BentoMLCapability

logger = logging.getLogger("livepeer.adapters.bentoml")

_LOOKS_LIKE_A_SERVICE = re.compile(r"@(bentoml\.)?service\b|\bbentoml\.(legacy\.)?Service\(")


class BentoMLAdapter:
    """Serves unmodified BentoML services."""

    def claims(self, target: Target) -> bool:
        """Whether the target is a project or a bento of BentoML's, or a service in a file or a module.

        What says nothing of BentoML is not imported, and neither is BentoML for it.

        Raises:
            TargetError: If it cannot be imported, or its bentofile is none.
        """
        if target.is_directory:
            assert target.path is not None
            if (target.path / MANIFEST_FILE).exists():
                return False
            return says_bentoml(target.path) or _speaks_of_bentoml(target.path / SERVICE_FILE)
        project = find_project(target)
        if project.is_named:
            return True
        return "bentoml" in (project.source or "") and _is_service(project)

    def load(self, target: Target) -> "BentoMLCapability":
        """Make the capability; the service is imported, nothing of it runs.

        Raises:
            TargetError: If there is no service, or it cannot be served; names what to change.
        """
        project = find_project(target)
        installed_version()
        project.enter()
        try:
            # Lazily, as below: BentoML takes seconds to import, and may not be installed.
            from ._capability import BentoMLCapability
            from ._loading import load_service

            return BentoMLCapability(project, load_service(project))
        except BaseException:
            project.leave()
            raise

    def manifest(self, target: Target) -> Manifest:
        """Translate the project's bentofile, and what the service's decorator and its image say.

        The service is imported for that. Where it cannot be, because what it needs is not installed here, the bentofile
        is translated alone, with a warning; without a bentofile there is no manifest. A built bento needs no import.

        Raises:
            TargetError: If neither can be read; names what to change.
        """
        from ._manifest import translate

        project = find_project(target)
        return translate(project, [] if project.bento is not None else _import(project))


def _speaks_of_bentoml(file: Path) -> bool:
    try:
        return b"bentoml" in file.read_bytes()
    except OSError:
        return False


def _import(project: Project) -> list[Any]:
    project.enter()
    try:
        installed_version()
        from . import _sdk
        from ._loading import facts_of, find_service

        services = _sdk.services_of(find_service(project)[0])
        project.facts = facts_of(services, {each.name: each.config for each in services})
        return services
    except TargetError as error:
        if not project.config_file:
            raise
        logger.warning("what the decorator says is left out of the manifest: %s", error)
        return []
    finally:
        project.leave()


def _is_service(project: Project) -> bool:
    try:
        installed_version()
    except TargetError:
        # Code that calls a service, say, is none of our business, whatever BentoML it has.
        if _LOOKS_LIKE_A_SERVICE.search(project.source or ""):
            raise
        return False
    project.enter()
    try:
        from ._loading import is_service

        return is_service(project)
    finally:
        project.leave()
