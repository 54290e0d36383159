"""A BentoML project: what is served, where it is, and what it needs around it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from livepeer.core import TargetError, network_name

from ._bentofile import BuildFile, BuiltBento
from ._environment import Exports, Variable, check_required, declared_values, prepare, values_of
from ._reading import read_environment

API = "LIVEPEER_BENTOML_API"
"""Variable that chooses the api that `/predict` is, by name."""

ARGUMENTS = "LIVEPEER_BENTOML_ARGS"
"""Variable with what `bentoml.use_arguments()` gives, as a JSON object: each goes before that of `args`."""


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """What a service says of itself, once it is imported."""

    name: str
    description: str
    gpu: str | None


@dataclass(kw_only=True)
class Project:
    """What is served, and its surroundings."""

    root: Path
    """The directory that it runs in."""

    module: str
    """The module that the service is in, as it is imported from there."""

    file: Path | None
    """The module's file; None if it has none that is known."""

    attribute: str | None
    """The service's name in it, perhaps with a dependency's or an api's: ``Svc.summarize``. None for the only one."""

    config: BuildFile | None = None
    """What its bentofile.yaml, pyproject.toml or bento.yaml says."""

    config_file: str = ""
    """Which of them, for messages."""

    is_named: bool = False
    """Whether that file names this very service."""

    bento: Path | None = None
    """The directory of a built bento, if it is one."""

    facts: ServiceFacts | None = None
    """None until the service is loaded."""

    chosen_api: str | None = None
    """The api that `/predict` is; None for the only one. Known when the service is loaded."""

    _exports: Exports = field(default_factory=Exports, repr=False)
    _before: Path | None = field(default=None, repr=False)
    _added: list[str] = field(default_factory=list[str], repr=False)

    @property
    def place(self) -> str:
        """The file from the directory that it runs in, or the module."""
        is_here = self.file is not None and self.file.is_relative_to(self.root)
        return str(self.file.relative_to(self.root)) if self.file is not None and is_here else self.module

    @property
    def reference(self) -> str:
        """As BentoML writes it: ``service.py:Svc``."""
        return f"{self.place}:{self.attribute}" if self.attribute else self.place

    @property
    def name(self) -> str:
        """On the network: the bento's name if it has one, else the service's."""
        named = self.config.name if self.config is not None and self.is_named else None
        own = self.facts.name if self.facts is not None else (self.attribute or "").partition(".")[0]
        return network_name(named or own or self.root.name, "bento")

    @property
    def version(self) -> str | None:
        """Of a built bento; a service has none."""
        return self.config.version if isinstance(self.config, BuiltBento) else None

    @property
    def description(self) -> str:
        """The bentofile's, else the service's own."""
        written = self.config.description if self.config is not None and self.is_named else None
        if written is not None and written.startswith("file:"):
            written = self._read(written.removeprefix("file:").strip())
        return written or (self.facts.description if self.facts is not None else "")

    @property
    def gpu(self) -> str | None:
        """What the service asks of a GPU; None if it needs none."""
        return self.facts.gpu if self.facts is not None else None

    @property
    def source(self) -> str | None:
        """The text of the module's file; None if there is none to read."""
        if self.file is None or self.file.suffix != ".py":
            return None
        try:
            return self.file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def enter(self) -> None:
        """Set up what the service finds around it when it is imported: directory, path, environment."""
        prepare()
        written = read_environment(self.config, self.root) if self.config is not None else {}
        values = written | declared_values(self.source or "")
        self._before = Path.cwd()
        os.chdir(self.root)
        # In front as BentoML has it; the directory one is in comes last, for who imports from there.
        for place in reversed(self._places()):
            if place not in sys.path:
                sys.path.insert(0, place)
                self._added.append(place)
        if str(self._before) not in sys.path:
            sys.path.append(str(self._before))
            self._added.append(str(self._before))
        self._exports.add(values)

    def check_variables(self) -> None:
        """Make sure that the environment has what the project's file asks for.

        Raises:
            TargetError: If something is not set; names it.
        """
        check_required(self.config.envs if self.config is not None else (), self.config_file)

    def export(self, variables: Sequence[Variable]) -> None:
        """Set what the service asks for, now that it is imported.

        Raises:
            TargetError: If a variable that has no value is not set.
        """
        check_required(variables, self.reference)
        self._exports.add(values_of(variables))

    def leave(self) -> None:
        """Undo what `enter()` did. What has been imported stays."""
        if self._before is None:
            return
        self._exports.remove()
        for place in self._added:
            if place in sys.path:
                sys.path.remove(place)
        self._added.clear()
        if self._before.is_dir():
            os.chdir(self._before)
        self._before = None

    def _places(self) -> list[str]:
        is_src_layout = self.config is not None and self.bento is None and self.config.python.is_src_layout
        return [str(self.root), *([str(self.root / "src")] if is_src_layout else [])]

    def _read(self, name: str) -> str:
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TargetError(f"{self.config_file}: description: {name} cannot be read: {error}") from error
