"""The arguments of a publisher."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from livepeer.trickle._outcomes import Outcome

from .outbox import Overflow


@dataclass(frozen=True, kw_only=True)
class PublisherSettings:
    """The arguments of a publisher, which says what each means."""

    url: str
    content_type: str
    headers: Mapping[str, str] | None
    create: bool
    delete: bool
    verify: bool
    ssl_context: ssl.SSLContext | None
    max_buffered_bytes: int
    overflow: Overflow
    stall_seconds: float
    connect_seconds: float
    restart_seconds: float
    on_outcome: Callable[[Outcome], None] | None

    def __post_init__(self) -> None:
        if self.overflow not in get_args(Overflow):
            raise ValueError(f"overflow is {self.overflow!r}: give one of {', '.join(get_args(Overflow))}")
        for name in ("max_buffered_bytes", "stall_seconds", "connect_seconds"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} has to be more than 0")
        if not self.restart_seconds >= 0:
            raise ValueError("restart_seconds has to be 0 or more")
