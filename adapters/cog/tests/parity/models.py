"""All models, in the order in which they are served."""

from . import (
    cancelling,
    concurrency,
    failures,
    files,
    health,
    inputs,
    iterators,
    loading,
    logs,
    outputs,
    protocol,
    scopes,
    setups,
    webhooks,
)
from .records import Model

_TOPICS = (
    inputs,
    files,
    outputs,
    iterators,
    failures,
    scopes,
    logs,
    health,
    cancelling,
    setups,
    loading,
    concurrency,
    protocol,
    webhooks,
)
MODELS: tuple[Model, ...] = tuple(model for topic in _TOPICS for model in topic.MODELS)
