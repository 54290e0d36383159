"""Serves an unmodified Cog model as a Livepeer capability."""

from ._adapter import CogAdapter

__all__ = ["CogAdapter"]
