"""The half that asks a running worker over HTTP."""

from ._worker import Worker, WorkerError

__all__ = ["Worker", "WorkerError"]
