"""The distributions of this workspace, as its own files describe them."""

import ast
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NAMESPACES = ("livepeer", "livepeer.adapters")

Uv = Callable[..., str]
MakeVenv = Callable[[], Path]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A member of the workspace."""

    folder: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        return self.project["name"]

    @property
    def packages(self) -> list[str]:
        """What it brings: every outermost package inside the namespaces."""
        inits = {path.parent.relative_to(self.folder / "src") for path in self.sources if path.name == "__init__.py"}
        return sorted(".".join(path.parts) for path in inits if not inits.intersection(path.parents))

    @property
    def sources(self) -> list[Path]:
        return sorted((self.folder / "src").rglob("*.py"))

    @property
    def public_modules(self) -> list[str]:
        """Every module of the packages without an underscore in its path."""
        dotted = (".".join(path.relative_to(self.folder / "src").with_suffix("").parts) for path in self.sources)
        modules = {name.removesuffix(".__init__") for name in dotted}
        return sorted(name for name in modules if not any(part.startswith("_") for part in name.split(".")))


def distributions() -> list[Distribution]:
    """Every member of the workspace, by its folder."""
    patterns = read_toml(ROOT / "pyproject.toml")["tool"]["uv"]["workspace"]["members"]
    files = sorted(file for pattern in patterns for file in ROOT.glob(f"{pattern}/pyproject.toml"))
    return [Distribution(folder=file.parent, project=read_toml(file)["project"]) for file in files]


def imported_names(source: Path) -> Iterator[str]:
    """The dotted name of all that a file imports absolutely: `a.b` and `a.b.c` for ``from a.b import c``."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def read_toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


EVERY_DISTRIBUTION = distributions()
