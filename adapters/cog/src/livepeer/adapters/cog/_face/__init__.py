"""Cog's own HTTP over a model: what a caller of Replicate's API knows already."""

from typing import TYPE_CHECKING

from ._app import CogFace
from ._openapi import cog_openapi, face_openapi

if TYPE_CHECKING:
    from livepeer.adapters.cog._model import CogModel

__all__ = ["CogFace", "cog_face", "cog_openapi", "face_openapi"]


def cog_face(model: "CogModel") -> CogFace:
    """An ASGI application that answers `/predictions` and `/health-check` as Cog's own server does.

    It wants a thread and a loop apart from the model's: it answers while the model loads, and while it works.
    """
    return CogFace(model)
