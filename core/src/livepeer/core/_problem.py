"""The one shape in which an error crosses the wire."""

from pydantic import BaseModel, Field

from ._errors import CallError, FieldError, ModelRefusedError

PROBLEM_MEDIA_TYPE = "application/problem+json"
"""Media type of a `Problem` (RFC 9457)."""


class Problem(BaseModel):
    """An error as `application/problem+json`, with a stable code and the request's id."""

    type: str = "about:blank"
    title: str
    status: int
    """The HTTP status, again, for whoever reads the document alone."""

    code: str
    """Stable name of the error."""

    detail: str
    retryable: bool = False
    """Whether the same call can succeed later or elsewhere."""

    request_id: str | None = None
    """What to look for in the server's log."""

    errors: list[FieldError] = Field(default_factory=list[FieldError])
    """The fields at fault, if the input was."""

    retry_after_seconds: float | None = None

    @classmethod
    def of(cls, error: CallError, *, request_id: str | None = None) -> "Problem":
        """Describe `error`."""
        return cls(
            title=error.title,
            status=error.status,
            code=error.code,
            detail=error.detail,
            retryable=error.retryable,
            request_id=request_id,
            errors=list(error.errors),
            retry_after_seconds=error.retry_after_seconds,
        )

    def to_error(self) -> CallError:
        """Turn the document back into the error that it describes."""
        found = _error_class(self.code)
        if found is ModelRefusedError:
            return ModelRefusedError(
                self.detail,
                status=self.status,
                errors=self.errors,
                retry_after_seconds=self.retry_after_seconds,
            )
        return found(self.detail, errors=self.errors, retry_after_seconds=self.retry_after_seconds)

    def to_json(self) -> bytes:
        """Serialize without the members that say nothing."""
        return self.model_dump_json(exclude_defaults=True, exclude_none=True).encode()


def _error_class(code: str) -> type[CallError]:
    pending = [CallError]
    while pending:
        candidate = pending.pop()
        if candidate.code == code:
            return candidate
        pending.extend(candidate.__subclasses__())
    return CallError
