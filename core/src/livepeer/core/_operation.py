"""One thing that a capability does, as the host runs it."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from ._call import Call
from ._description import OperationDescription


class Encoded(NamedTuple):
    """An answer, or one item of a stream, as it crosses the wire."""

    body: bytes
    media_type: str


class Operation(Protocol):
    """What the host needs to run calls. The host calls the three methods in this order, on one thread.

    An async operation runs on the host's event loop; a sync one on a thread of the host: its main
    thread when the capacity is 1, so that what `setup()` made there stays where it was made.
    """

    @property
    def description(self) -> OperationDescription:
        """The operation as the edge, and every document that it serves, knows it."""
        ...

    @property
    def is_async(self) -> bool:
        """Whether `invoke` wants the event loop: it returns an awaitable or an async iterator."""
        ...

    def decode(self, body: bytes, media_type: str) -> Any:
        """Parse and validate a request body.

        Raises:
            InvalidInputError: If a field does not fit; names each one.
            MalformedBodyError: If the body is no document at all.
        """
        ...

    def invoke(self, value: Any, call: Call) -> Any:
        """Run the model: a value, an awaitable of one, or an iterator (sync or async) if it streams."""
        ...

    def encode(self, value: Any) -> Encoded:
        """Serialize an answer, or one item of a stream.

        Raises:
            ModelFailedError: If the value has no such form.
        """
        ...


@runtime_checkable
class Interruptible(Protocol):
    """An operation whose framework can stop sync work."""

    def interrupt(self, call: Call) -> None:
        """Stop `call`, whose `invoke` is running on another thread."""
        ...
