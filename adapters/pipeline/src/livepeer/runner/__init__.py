"""Write a Livepeer capability as a plain Python class, and serve it: one that answers calls, or one that is live.

The frames of live video and audio are in `livepeer.runner.frames`.
"""

from typing import TYPE_CHECKING, Any

from livepeer.core import Call, MediaType, current_call

from ._adapter import PipelineAdapter
from ._live.capability import LiveCapability
from ._live.pipeline import LivePipeline
from ._pipeline import Pipeline, PipelineCapability
from ._prepare import prepare_models

if TYPE_CHECKING:
    from ._serve import make_app, serve

__all__ = [
    "Call",
    "LiveCapability",
    "LivePipeline",
    "MediaType",
    "Pipeline",
    "PipelineAdapter",
    "PipelineCapability",
    "current_call",
    "make_app",
    "prepare_models",
    "serve",
]


def __getattr__(name: str) -> Any:
    # Lazily: the host's process imports this package too, and needs no server.
    if name in ("make_app", "serve"):
        from . import _serve

        return getattr(_serve, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
