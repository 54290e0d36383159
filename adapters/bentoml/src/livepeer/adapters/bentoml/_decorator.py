"""What the decorator of a service says, in a manifest's words."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ._environment import values_of
from ._translation import Translation, merge

GPU = "nvidia"
"""What a service asks of a GPU that asks for one and names no kind."""

KEPT = frozenset(
    {
        "endpoints.livez",
        "endpoints.readyz",
        "http.cors",
        "monitoring",
        "resources.gpu_type",
        "runner_probe.enabled",
        "threads",
        "traffic.concurrency",
        "traffic.max_concurrency",
        "traffic.timeout",
    }
)
"""Configuration that has its effect wherever this adapter serves the service; the rest is named as unsupported."""


def gpu_of(config: Mapping[str, Any]) -> str | None:
    """What a service's configuration asks of a GPU: its kind, or ``nvidia``; None if it needs none."""
    resources: Mapping[str, Any] = config.get("resources") or {}
    kind = resources.get("gpu_type")
    return str(kind) if kind else (GPU if resources.get("gpu") else None)


def worker_count(config: Mapping[str, Any]) -> int:
    """How many processes `bentoml serve` would start."""
    workers = config.get("workers") or 1
    return os.cpu_count() or 1 if workers == "cpu_count" else int(workers)


def capacity_of(config: Mapping[str, Any]) -> int | None:
    """How many requests `bentoml serve` would let into one of them; None if it does not count."""
    traffic: Mapping[str, Any] = config.get("traffic") or {}
    most = traffic.get("max_concurrency")
    return math.ceil(most / worker_count(config)) if most else None


def translate_services(services: Sequence[Any]) -> Translation:
    """What the decorators of a service, and of those that it depends on, say; their images apart.

    Of a dependency's, what is unsupported is named with the dependency: ``Summarizer.workers``.

    Args:
        services: The service, then those that it depends on.
    """
    own, *others = services
    return merge([*(_translate_dependency(each) for each in reversed(others)), _translate_own(own)])


def translate_config(config: Mapping[str, Any]) -> Translation:
    """What the configuration in a decorator says."""
    return Translation(gpu=gpu_of(config), capacity=capacity_of(config), unsupported=dict(_unsupported(config)))


def _translate_own(service: Any) -> Translation:
    required = [{"name": each.name, "stage": each.stage} for each in service.envs if not each.value]
    named: dict[str, Any] = {
        "labels": dict(service.labels),
        "envs": required + _of_build(service.envs),
        "models": [getattr(model, "model_id", None) or str(model.tag) for model in service.models],
    }
    stated = Translation(
        environment=values_of(service.envs),
        unsupported={key: value for key, value in named.items() if value},
    )
    return merge([translate_config(_without_bentomls_own(service)), stated])


def _translate_dependency(service: Any) -> Translation:
    found = _translate_own(service)
    return Translation(
        gpu=found.gpu,
        environment=found.environment,
        unsupported={f"{service.name}.{key}": value for key, value in found.unsupported.items()},
    )


def _of_build(variables: Any) -> list[dict[str, str]]:
    return [
        {"name": each.name, "stage": each.stage, "value": each.value}
        for each in variables
        if each.value and each.stage == "build"
    ]


def _without_bentomls_own(service: Any) -> dict[str, Any]:
    """The configuration, less what BentoML itself adds to that of a service with tasks."""
    config = dict(service.config)
    if any(method.is_task for method in service.apis.values()):
        config["traffic"] = {key: value for key, value in config["traffic"].items() if key != "external_queue"}
    return config


def _unsupported(config: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        key = f"{before}{name}"
        if key in KEPT:
            continue
        if isinstance(value, Mapping):
            yield from _unsupported(cast("Mapping[str, Any]", value), f"{key}.")
        elif not (key == "resources.gpu" and float(value) <= 1):
            yield key, _plain(value)


def _plain(value: Any) -> Any:
    """A value as YAML can write it: of BentoML's schema, addresses alone are none."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in cast("list[Any]", value)]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
