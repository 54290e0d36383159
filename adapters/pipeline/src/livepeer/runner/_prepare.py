"""Fetching a model's weights, once, when its image is built."""

import inspect
import runpy
from pathlib import Path
from typing import Any, cast

from livepeer.core import Target, TargetError

from ._adapter import PipelineAdapter
from ._pipeline import Pipeline

PREPARE_FILE = "prepare_models.py"


def prepare_models(target: str) -> str | None:
    """Run the pipeline's own `prepare_models()`, or else the file `prepare_models.py` beside it.

    Args:
        target: What will be served.

    Returns:
        What was run, in words; None if there is nothing to prepare.

    Raises:
        TargetError: If the target cannot be loaded. What the preparation itself raises passes through.
    """
    parsed = Target.parse(target)
    pipeline = PipelineAdapter().find(parsed)
    hook = getattr(pipeline, "prepare_models", None)
    if callable(hook) and not _is_inherited(hook):
        hook()
        return f"{getattr(pipeline, '__name__', type(pipeline).__name__)}.prepare_models()"
    script = _directory(parsed, pipeline) / PREPARE_FILE
    if not script.exists():
        return None
    runpy.run_path(str(script), run_name="__main__")
    return PREPARE_FILE


def _is_inherited(hook: Any) -> bool:
    return getattr(hook, "__func__", None) is Pipeline.prepare_models.__func__


def _directory(target: Target, pipeline: Any) -> Path:
    if target.path is not None:
        return target.path if target.is_directory else target.path.parent
    is_named = inspect.isclass(pipeline) or inspect.isroutine(pipeline)
    named = cast("Any", pipeline if is_named else type(pipeline))
    try:
        file = inspect.getsourcefile(named)
    except TypeError:
        file = None
    if file is None:
        raise TargetError(f"{target.text} has no file beside which to look for {PREPARE_FILE}")
    return Path(file).resolve().parent
