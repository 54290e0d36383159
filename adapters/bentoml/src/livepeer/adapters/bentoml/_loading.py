"""Importing a service, as BentoML's own worker would."""

import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

from livepeer.core import TargetError

from . import _sdk
from ._bentofile import BuildFile
from ._decorator import gpu_of, worker_count
from ._project import API, ARGUMENTS, Project, ServiceFacts
from ._refusals import LEGACY, check_parts, check_service, is_legacy_failure, warn_of_workers


def load_service(project: Project) -> Any:
    """Import a project's service and everything that it depends on; the project has to be entered.

    Raises:
        TargetError: If there is none, or it cannot be served; names what to change.
    """
    project.check_variables()
    service, api = find_service(project)
    check_parts(service)
    # What the service itself says comes last: it counts where what it depends on says otherwise.
    services = _sdk.services_of(service)
    for each in reversed(services):
        project.export(each.envs)
    configs = _sdk.configure(service)
    if not service.has_custom_command():  # BentoML makes up its number
        warn_of_workers(service, worker_count(configs[service.name]))
    project.chosen_api = _choose(service, api or os.environ.get(API) or None)
    project.facts = facts_of(services, configs)
    return service


def facts_of(services: Sequence[Any], configs: Mapping[str, Any]) -> ServiceFacts:
    """What a service says of itself: a GPU may be what one that it depends on needs.

    Args:
        services: The service, then those that it depends on.
        configs: Their configuration, by name.
    """
    service = services[0]
    gpus = (gpu_of(configs[each.name]) for each in services)
    return ServiceFacts(
        name=service.name,
        description=service.description or inspect.cleandoc(service.inner.__doc__ or ""),
        gpu=next(filter(None, gpus), None),
    )


def find_service(project: Project) -> tuple[Any, str | None]:
    """Import a project's service.

    Returns:
        The service, and the api that the target names with it.

    Raises:
        TargetError: If importing it fails, or there is none.
    """
    bento = _sdk.open_bento(project.bento) if project.bento is not None else None
    service, api = _find(_import_module(project), project)
    if bento is not None:
        service.on_load_bento(bento)
    return service, api


def is_service(project: Project) -> bool:
    """Import a project's module, and see whether it is a service of BentoML's that the target names.

    Raises:
        TargetError: If importing it fails.
    """
    module = _import_module(project)
    kinds = (_sdk.Service, _sdk.LegacyService)
    if project.attribute is None:
        return any(isinstance(value, kinds) for value in vars(module).values())
    first = project.attribute.partition(".")[0]
    if not hasattr(module, first):
        return bool(_services_of(module))  # loading it will say which there are
    return isinstance(getattr(module, first), kinds)


def _import_module(project: Project) -> ModuleType:
    if project.file is not None and project.file.suffix != ".py":
        raise TargetError(f"{project.place} is no Python file")
    if project.file is not None and not project.file.is_file():
        raise TargetError(f"there is no file {project.place!r} in {project.root}")
    config = project.config or BuildFile()
    _sdk.set_up(config.args | _arguments(), config.aliases)
    with _import_errors(project):
        loaded = sys.modules.get(project.module) or importlib.import_module(project.module)
        if project.file is None or _is_from(loaded, project):
            return loaded
    if "." in project.module:
        raise TargetError(f"{project.reference}: another module is imported as {project.module} in this process")
    return _import_beside(project)


def _import_beside(project: Project) -> ModuleType:
    """Import a file whose name something else has: a library, or another service of this process."""
    assert project.file is not None
    name = f"{project.module}_{hashlib.sha256(bytes(project.file)).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, project.file)
    if spec is None or spec.loader is None:
        raise TargetError(f"{project.file.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    # Before it runs: pickle and dataclasses look their module up by name.
    sys.modules[name] = module
    try:
        with _import_errors(project):
            spec.loader.exec_module(module)
    except TargetError:
        del sys.modules[name]
        raise
    return module


def _is_from(module: ModuleType, project: Project) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and project.file is not None and os.path.realpath(file) == os.path.realpath(project.file)


@contextmanager
def _import_errors(project: Project) -> Generator[None]:
    try:
        yield
    except (KeyboardInterrupt, TargetError):
        raise
    except BaseException as error:
        # Somebody's module runs here: anything, SystemExit too, means that it cannot be served.
        if is_legacy_failure(error):
            raise TargetError(f"{project.reference} is {LEGACY} ({error})") from error
        raise TargetError(f"importing {project.place} failed: {type(error).__name__}: {error}") from error


def _find(module: ModuleType, project: Project) -> tuple[Any, str | None]:
    if project.attribute is None:
        return _checked(_sdk.find_service(module.__name__), project.place), None
    first, _, rest = project.attribute.partition(".")
    if not hasattr(module, first):
        raise TargetError(f"{project.place} has no {first!r}; its services are: {_listed(_services_of(module))}")
    # Past a service, names are those of what it depends on; the last one may be an api of it.
    found: Any = getattr(module, first)
    names = rest.split(".") if rest else []
    while names and not isinstance(found, _sdk.Service) and hasattr(found, names[0]):
        found = getattr(found, names.pop(0))
    service = _checked(found, f"{project.place}:{project.attribute}")
    while names and names[0] in service.dependencies:
        name = names.pop(0)
        service = _checked(service.dependencies[name].on, f"{service.name}.{name}")
    if len(names) > 1:
        raise TargetError(f"{service.name} depends on no {names[0]!r}, but on: {_listed(service.dependencies)}")
    return service, names[0] if names else None


def _checked(found: Any, reference: str) -> Any:
    check_service(found, reference)
    return found


def _services_of(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, _sdk.Service)]


def _choose(service: Any, api: str | None) -> str | None:
    """The chosen api's name: what the service calls it, or its route, which may have a name of its own."""
    if api is None:
        return None
    for name, method in service.apis.items():
        if api in (name, method.route.strip("/")):
            return cast("str", name)
    raise TargetError(f"{service.name} has no api {api!r}; its apis are: {_listed(service.apis)}")


def _arguments() -> dict[str, Any]:
    text = os.environ.get(ARGUMENTS)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise TargetError(f"{ARGUMENTS} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise TargetError(f"{ARGUMENTS} is no JSON object, but {text}")
    return cast("dict[str, Any]", found)


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"
