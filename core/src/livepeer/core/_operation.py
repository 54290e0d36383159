"""One thing that a capability does, as the host runs it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ._call import Call
from ._description import OperationDescription


class Encoded(NamedTuple):
    """An answer, or one item of a stream, as it crosses the wire.

    An item of the media type `text/event-stream` is a whole event already, its blank line included, and
    within the limits of the network (BYOC contract, section 4).
    """

    body: bytes
    media_type: str
    """Empty for an answer that says none."""

    status: int = 200
    """HTTP status of an answer. 401 becomes 403: it would cost the registration (BYOC contract, section 2)."""

    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Further headers of an answer, by lower-case name; what frames the body is the server's."""


class Streaming(NamedTuple):
    """A stream whose answer has a head of its own."""

    items: Iterator[Any] | AsyncIterator[Any]
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """As those of `Encoded`."""


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

        Args:
            body: All of it.
            media_type: One of the description's, without parameters; the whole content type as it came, or
                nothing, if the operation takes any.

        Raises:
            InvalidInputError: If a field does not fit; names each one.
            MalformedBodyError: If the body is no document at all.
        """
        ...

    def invoke(self, value: Any, call: Call) -> Any:
        """Run the model: a value, an awaitable of one, or an iterator (sync or async) if it streams.

        What streams may also return, or await, a `Streaming`, or an `Encoded` that is all the answer: an error
        document, say, that a framework gives in place of a stream.
        """
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
