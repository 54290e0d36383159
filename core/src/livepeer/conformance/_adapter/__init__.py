"""The half that proves an adapter: what it owes the host, and its samples behind a real server."""

from ._kit import AdapterConformance
from ._sample import Sample

__all__ = ["AdapterConformance", "Sample"]
