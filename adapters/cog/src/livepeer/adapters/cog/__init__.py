"""Serves an unmodified Cog model as a Livepeer capability."""

__all__: list[str] = []
