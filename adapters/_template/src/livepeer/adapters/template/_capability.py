"""A handler as the contract knows it: what it takes, how it is set up, what runs a call."""

from collections.abc import Sequence

from livepeer.core import FunctionOperation, Info, Mount, Operation, TargetError

from .framework import Handler

ADAPTER = "template"
"""The adapter's entry-point name."""


class HandlerCapability:
    """A handler, ready to be set up and called.

    Args:
        handler: The user's class. An instance is made here, and nothing is loaded.

    Raises:
        TargetError: If it cannot be served; says what to change.
    """

    def __init__(self, handler: type[Handler]) -> None:
        handle = getattr(handler, "handle", None)
        if handle is None:
            raise TargetError(f"{handler.__name__} has no handle; define handle(self, ...)")
        self._handler = handler()
        self.info = Info(name=handler.__name__.lower(), description=handler.__doc__ or "", adapter=ADAPTER)
        self.operations: Sequence[Operation] = (FunctionOperation(handle.__get__(self._handler)),)

    @property
    def mounts(self) -> Sequence[Mount]:
        """The framework's own routes, if the handler has any."""
        pages = tuple(self._handler.pages)
        return (Mount(app=self._handler.web_app, paths=pages),) if pages else ()

    def setup(self) -> None:
        """Load the model, in the framework's own way."""
        self._handler.load()

    def teardown(self) -> None:
        """Let go of it."""
        self._handler.unload()
