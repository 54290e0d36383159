"""Every error of the contract.

LivepeerError
├── TargetError                the target cannot be served; raised while loading
│   ├── UnclaimedTargetError
│   └── SignatureError
└── CallError                  how one call may end, other than well
    ├── MalformedBodyError     400
    ├── UnauthorizedError      401
    ├── UnknownSessionError    404
    ├── SessionExistsError     409
    ├── SessionEndedError      410
    ├── PayloadTooLargeError   413
    ├── MediaTypeError         415
    ├── InvalidInputError      422
    ├── CallCancelledError     499
    ├── ModelRefusedError      400, or as the model says
    ├── ModelFailedError       500
    ├── HostCrashedError       500
    ├── NotReadyError          503
    ├── BusyError              503
    └── DeadlineExceededError  504
"""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel


class FieldError(BaseModel):
    """One field of an input that is not as the schema asks."""

    field: str
    """Dotted path of the field, ``""`` for the document itself."""

    reason: str
    """What is wrong with it, in words."""


class LivepeerError(Exception):
    """Root of every error that these packages raise on purpose."""


class TargetError(LivepeerError):
    """Raised when a target cannot be loaded; the message names what to change."""


class UnclaimedTargetError(TargetError):
    """Raised when no installed adapter claims a target."""


class SignatureError(TargetError):
    """Raised when a signature has no JSON form; the message names the parameter."""


class CallError(LivepeerError):
    """How a call ends when it ends badly. A model may raise any of these itself.

    Args:
        detail: What happened, for the caller to read.
        errors: The fields at fault, if the input was.
        retry_after_seconds: When trying again makes sense.
    """

    status: int = 500
    """HTTP status that the caller gets."""

    code: ClassVar[str] = "internal"
    """Stable name, for programs."""

    title: ClassVar[str] = "Internal error"
    """The same for every occurrence, for people."""

    retryable: ClassVar[bool] = False
    """Whether the same call can succeed later or elsewhere."""

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds


class MalformedBodyError(CallError):
    """Raised when a request body is not the document that its media type says."""

    status, code, title = 400, "malformed_body", "The body cannot be read"


class UnauthorizedError(CallError):
    """Raised when the bearer token is missing or wrong, and for nothing else.

    An orchestrator forgets a worker that answers 401 (BYOC contract, section 2).
    """

    status, code, title = 401, "unauthorized", "Missing or wrong bearer token"


class UnknownSessionError(CallError):
    """Raised when no live session of that name runs here."""

    status, code, title = 404, "unknown_session", "No such session"


class SessionExistsError(CallError):
    """Raised when a live session of that name runs already."""

    status, code, title = 409, "session_exists", "The session runs already"


class SessionEndedError(CallError):
    """Raised when the network released the session that a call belongs to (Live Runner, contract section 7)."""

    status, code, title = 410, "session_ended", "The session has ended"


class PayloadTooLargeError(CallError):
    """Raised when a request body is over the server's limit."""

    status, code, title = 413, "payload_too_large", "The body is too large"


class MediaTypeError(CallError):
    """Raised when a request body has a media type that the operation does not take."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class InvalidInputError(CallError):
    """Raised when an input does not fit the operation's schema; names each field."""

    status, code, title = 422, "invalid_input", "The input does not fit the schema"


class CallCancelledError(CallError):
    """Raised when the caller left, or the server withdrew the call, before it ended."""

    status, code, title = 499, "cancelled", "The call was cancelled"


class ModelRefusedError(CallError):
    """Raised when the model itself turns a call down, with a status of its own choice.

    Args:
        detail: What happened, for the caller to read.
        status: From 400 to 599. 401 becomes 403: only a missing token is 401 (BYOC contract, section 2).
        errors: The fields at fault, if the input was.
    """

    status, code, title = 400, "refused", "The model refused the call"

    def __init__(
        self,
        detail: str,
        *,
        status: int = 400,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(detail, errors=errors, retry_after_seconds=retry_after_seconds)
        if not 400 <= status <= 599:
            raise ValueError(f"{status} is no status of an error")
        self.status = 403 if status == 401 else status


class ModelFailedError(CallError):
    """Raised when the model's own code failed. Its traceback is in the log, never in the answer."""

    status, code, title = 500, "model_failed", "The model failed"


class HostCrashedError(CallError):
    """Raised when the process that ran the call ended before the call did."""

    status, code, title, retryable = 500, "host_crashed", "The model's process ended", True


class NotReadyError(CallError):
    """Raised when the model is still loading, failed to load, or the server is shutting down."""

    status, code, title, retryable = 503, "not_ready", "The model is not ready", True


class BusyError(CallError):
    """Raised when every slot is taken and the queue, if there is one, is full."""

    status, code, title, retryable = 503, "busy", "Every slot is taken", True


class DeadlineExceededError(CallError):
    """Raised when a call took longer than the server allows."""

    status, code, title, retryable = 504, "deadline_exceeded", "The call took too long", True
