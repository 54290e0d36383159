"""The `livepeer` command: serve, predict, schema, dev and call."""

from ._app import app

__all__ = ["app"]
