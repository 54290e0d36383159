"""What a hook raises, and what a channel does."""

from http import HTTPStatus

from livepeer.trickle._errors import TrickleError


class RefusedError(TrickleError):
    """Raised when a hook does not want what a client asks for; the client gets the message.

    Args:
        message: One line of text; the status' own phrase if it is empty.
        status: The answer's HTTP status; one that is not 4xx becomes 400, as in the reference (trickle, table 1,
            row 39).
    """

    code = "refused_by_hook"

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status if 400 <= status < 500 else 400
        super().__init__(message or _phrase(self.status))


class TooLargeError(TrickleError, ValueError):
    """Raised when a segment comes to more bytes than a segment, or its channel, may have."""

    code = "too_large"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"status code {status}"
