"""The process that holds a model and runs it, and the frames that it speaks with its edge."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._host import Host
    from ._messages import Broken, Hello, LoadOrder

__all__ = ["Broken", "Hello", "Host", "LoadOrder"]


def __getattr__(name: str) -> Any:
    # Lazily: the guardian imports this package before it forks, and must stay small.
    if name == "Host":
        from ._host import Host

        return Host
    if name in __all__:
        from . import _messages

        return getattr(_messages, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
