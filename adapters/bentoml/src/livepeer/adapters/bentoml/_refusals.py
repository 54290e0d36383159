"""What BentoML has and this adapter does not serve, by name."""

import logging
import os
from typing import Any

from livepeer.core import TargetError

from . import _sdk
from ._environment import REPLICA

logger = logging.getLogger("livepeer.adapters.bentoml")

LEGACY = (
    "a service of BentoML 1.1 (bentoml.Service with runners), which is not served: "
    "write it as a class with @bentoml.service"
)

_LEGACY_SIGNS = (
    "unexpected keyword argument 'runners'",
    "'Service' object has no attribute 'api'",
    "has no attribute 'to_runner'",
    "has no attribute 'Runner'",
    "has no attribute 'Runnable'",
)
"""How code that is written for BentoML 1.1 fails under a BentoML that has moved it to `bentoml.legacy`."""


def is_legacy_failure(error: BaseException) -> bool:
    """Whether a module failed at its import since it is written for BentoML 1.1."""
    return isinstance(error, (TypeError, AttributeError)) and any(sign in str(error) for sign in _LEGACY_SIGNS)


def check_service(found: Any, reference: str) -> None:
    """Make sure that an object is a service of the kind that is served.

    Raises:
        TargetError: If it is none, or one of BentoML 1.1.
    """
    if isinstance(found, _sdk.LegacyService):
        raise TargetError(f"{reference} is {LEGACY}")
    if isinstance(found, _sdk.LegacyRunner):
        raise TargetError(
            f"{reference} is a runner of BentoML 1.1, which is not served: write it as a class with @bentoml.service"
        )
    if not isinstance(found, _sdk.Service):
        raise TargetError(f"{reference} is no BentoML service, but a {type(found).__name__}")


def check_parts(service: Any) -> None:
    """Make sure that a service, and all that it depends on, needs nothing that is not here.

    Raises:
        TargetError: If it is to be served by gRPC, or depends on a deployment of BentoCloud's.
    """
    if service.inner is _sdk.DummyService and not (service.apis or service.cmd or service.mount_apps):
        raise TargetError(f"{service.name} serves nothing: it may be {LEGACY}")
    for each in _sdk.services_of(service):
        if each.config.get("grpc"):
            raise TargetError(
                f"{each.name}: gRPC is not served: take grpc={each.config['grpc']} out of @bentoml.service"
            )
        for name, dependency in each.dependencies.items():
            if dependency.deployment:
                raise TargetError(
                    f"{each.name}.{name}: depends(deployment={dependency.deployment!r}) needs BentoCloud, "
                    "which is not asked here: give the service itself, or its url"
                )


def warn_of_workers(service: Any, workers: int) -> None:
    """Say it if a service is written for more processes than the one that serves it."""
    if workers > 1 and REPLICA not in os.environ:
        logger.warning(
            "%s: workers=%s: one process serves it; for more, --replicas %s or LIVEPEER_REPLICAS=%s",
            service.name,
            workers,
            workers,
            workers,
        )
