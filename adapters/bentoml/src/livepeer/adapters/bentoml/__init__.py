"""Serves an unmodified BentoML service as a Livepeer capability."""

from ._adapter import BentoMLAdapter

__all__ = ["BentoMLAdapter"]
