"""Finding the project that a target names, without importing anything."""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from livepeer.core import Target, TargetError

from ._bentofile import BuildFile
from ._environment import home_folder
from ._project import Project
from ._reading import BENTO_FILE, BENTO_SOURCE, BENTOFILE, PYPROJECT, read_bento, read_bentofile, read_pyproject

SERVICE_FILE = "service.py"
"""What BentoML serves of a directory that names nothing."""


def find_project(target: Target) -> Project:
    """The project that a target names, or is in. Nothing is imported.

    Raises:
        TargetError: If it is a directory without a service, or its bentofile is none.
    """
    if target.is_directory:
        assert target.path is not None
        return _of_directory(target.path, target.attribute)
    if target.path is not None:
        return _of_file(target.path, target.attribute)
    assert target.module is not None
    return _of_module(target.module, target.attribute)


def says_bentoml(folder: Path) -> bool:
    """Whether a directory has a file that is BentoML's own. Nothing is read but a pyproject.toml that speaks of it."""
    if (folder / BENTO_FILE).is_file() or (folder / BENTOFILE).is_file():
        return True
    return _find_table(folder) is not None


def _of_directory(folder: Path, attribute: str | None) -> Project:
    if (folder / BENTO_FILE).is_file():
        bento = read_bento(folder / BENTO_FILE)
        if not (folder / BENTO_SOURCE).is_dir():
            raise TargetError(f"{folder}: there is a {BENTO_FILE}, and no {BENTO_SOURCE} with the service in it")
        return _named(folder / BENTO_SOURCE, bento, BENTO_FILE, attribute, bento=folder)
    found = _find_config(folder)
    if found is None and not (folder / SERVICE_FILE).is_file():
        raise TargetError(
            f"{folder}: there is no {BENTOFILE}, no [tool.bentoml.build] in a {PYPROJECT} and no {SERVICE_FILE}"
        )
    config, name = found or (BuildFile(), "")
    return _named(folder, config, name, attribute)


def _named(
    root: Path, config: BuildFile, config_file: str, attribute: str | None, *, bento: Path | None = None
) -> Project:
    root = root.resolve()
    place, _, named = (config.service or SERVICE_FILE).strip().partition(":")
    file = Path(os.path.normpath(root / place))
    is_file = place.endswith(".py") or file.is_file()
    return Project(
        root=root,
        module=_module_of(file, root) if is_file else place,
        file=file if is_file else _find_source(place, [str(root), str(root / "src")]),
        attribute=attribute or named or None,
        config=config,
        config_file=config_file,
        is_named=attribute is None or not named or attribute == named or attribute.startswith(f"{named}."),
        bento=bento,
    )


def _of_file(path: Path, attribute: str | None) -> Project:
    for folder in path.parents:
        if folder.name == BENTO_SOURCE and (folder.parent / BENTO_FILE).is_file():
            continue  # its bentofile.yaml is but a copy
        if (folder / BENTO_FILE).is_file() or _find_config(folder) is not None:
            found = _of_directory(folder, None)
            if found.file is not None and found.file.resolve() == path:
                return _of_directory(folder, attribute)
            return Project(root=found.root, module=_module_of(path, found.root), file=path, attribute=attribute)
    root = path.parent
    while (root / "__init__.py").is_file():
        root = root.parent
    return Project(root=root, module=_module_of(path, root), file=path, attribute=attribute)


def _of_module(module: str, attribute: str | None) -> Project:
    root = Path.cwd()
    file = _find_source(module, [str(root), *sys.path])
    if file is None and (bento := _find_in_store(module, attribute)) is not None:
        return _of_directory(bento, None)
    if _find_config(root) is not None:
        named = _of_directory(root, attribute)
        if named.module == module:
            return named
    return Project(root=root, module=module, file=file, attribute=attribute)


def _find_config(folder: Path) -> tuple[BuildFile, str] | None:
    """The file of a directory that names a service; else the first that there is, as BentoML looks for them."""
    found: list[tuple[BuildFile, str]] = []
    if (folder / BENTOFILE).is_file():
        found.append((read_bentofile(folder / BENTOFILE), BENTOFILE))
    if (table := _find_table(folder)) is not None:
        found.append((table, PYPROJECT))
    return next((each for each in found if each[0].service), found[0] if found else None)


def _find_table(folder: Path) -> BuildFile | None:
    path = folder / PYPROJECT
    try:
        # Somebody else's pyproject.toml may be broken, and is none of our business.
        if b"bentoml" not in path.read_bytes():
            return None
    except OSError:
        return None
    return read_pyproject(path)


def _find_in_store(name: str, version: str | None) -> Path | None:
    """The bento of a tag, ``name:version`` or ``name`` for the latest one, in BentoML's store."""
    folder = home_folder() / "bentos" / name.lower()
    if version in (None, "latest"):
        try:
            version = (folder / "latest").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
    found = folder / version.lower()
    return found if (found / BENTO_FILE).is_file() else None


def _module_of(file: Path, root: Path) -> str:
    """A file's module, as BentoML names it: ``pkg.service``, from the directory that it runs in."""
    if not file.is_relative_to(root):
        raise TargetError(f"{file.name} is not in {root}, which it would be imported from")
    return ".".join(file.relative_to(root).with_suffix("").parts)


def _find_source(module: str, path: Sequence[str]) -> Path | None:
    """The file of a module, found without importing even its package."""
    found: ModuleSpec | None = None
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        places = path if found is None else found.submodule_search_locations
        if places is None:
            return None
        found = _find_spec(".".join(parts[:count]), places)
        if found is None:
            return None
    return Path(found.origin) if found is not None and found.has_location and found.origin else None


def _find_spec(name: str, path: Sequence[str]) -> ModuleSpec | None:
    finders = (finder for finder in sys.meta_path if hasattr(finder, "find_spec"))
    specs = (finder.find_spec(name, path) for finder in finders)
    return next((spec for spec in specs if spec is not None), None)
