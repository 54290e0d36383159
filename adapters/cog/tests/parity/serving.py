"""A model's two servers: started ahead of their cases, a few at once, and ended after the last."""

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cog_server import Server, start_cog, start_ours

from .records import Model

MODELS = Path(__file__).parent.parent / "models"
RECORDED_SCHEMAS = Path(__file__).with_name("schemas.json")
_AHEAD = 3


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Both servers of one model."""

    cog: Server | None
    """None with a Cog whose server cannot be compared with."""

    ours: Server


class Pairs:
    """Starts the servers of models in the order in which they will be asked for.

    Args:
        models: All that will be asked for, in this order.
        folder: For the copies of their projects.
        with_cog: Whether to start Cog's server as well.
    """

    def __init__(self, models: Sequence[Model], folder: Path, *, with_cog: bool) -> None:
        self._order = list(models)
        self._folder = folder
        self._with_cog = with_cog
        self._executor = ThreadPoolExecutor(_AHEAD + 1)
        self._taken: Model | None = None
        self._starting: dict[str, dict[str, Future[Server]]] = {}

    def take(self, model: Model) -> Pair:
        """The servers of one model; those of another are ended, and those of the next ones started meanwhile."""
        if self._taken is not None and self._taken is not model:
            self._end(self._taken)
        self._taken = model
        place = self._order.index(model)
        for each in self._order[place : place + _AHEAD]:
            self._start(each)
        starting = self._starting[model.name]
        return Pair(cog=starting["cog"].result() if self._with_cog else None, ours=starting["ours"].result())

    def close(self) -> None:
        """End all that was started."""
        for model in self._order:
            self._end(model)
        self._executor.shutdown()

    def _start(self, model: Model) -> None:
        if model.name in self._starting:
            return
        folder = self._folder / model.name.replace(" ", "-")
        starting = self._starting[model.name] = {"ours": self._executor.submit(serve_with_ours, model, folder / "ours")}
        if self._with_cog:
            starting["cog"] = self._executor.submit(serve_with_cog, model, folder / "cog")

    def _end(self, model: Model) -> None:
        for starting in self._starting.pop(model.name, {}).values():
            if starting.exception() is None:
                starting.result().stop()


def serve_with_cog(model: Model, folder: Path) -> Server:
    project = write_project(model, folder)
    schema = recorded_schema(model)
    if model.schema and schema is not None:
        (project / ".cog").mkdir()
        (project / ".cog" / "openapi_schema.json").write_text(json.dumps(schema))
    return start_cog(project, model.environment, wait=model.wait)


def serve_with_ours(model: Model, folder: Path) -> Server:
    return start_ours(write_project(model, folder), model.environment, wait=model.wait)


def write_project(model: Model, folder: Path) -> Path:
    """A model's project, as somebody would hand it to Cog."""
    project = folder / "project"
    place = project / model.folder
    place.mkdir(parents=True)
    shutil.copy(MODELS / model.file, place)
    for path, text in model.files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    (project / "cog.yaml").write_text(yaml.safe_dump({model.key: reference(model), **model.yaml}))
    return project


def reference(model: Model) -> str:
    """What cog.yaml says: where the model is."""
    path = f"{model.folder}/{model.file}" if model.folder else model.file
    return f"{path}:{model.target}" if model.target else path


def recorded_schema(model: Model) -> dict[str, Any] | None:
    """The file that `cog build` wrote for a model, as far as Cog's server reads it; None if it refused."""
    recorded = json.loads(RECORDED_SCHEMAS.read_text()).get(f"{model.file}:{model.target}")
    if recorded is None:
        return None
    operation = {"x-cog-streaming": True} if model.streaming or recorded["streaming"] else {}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {"/predictions": {"post": operation}},
        "components": {"schemas": recorded["schemas"]},
    }
