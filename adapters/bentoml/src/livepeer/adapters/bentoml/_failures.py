"""What an api raises, as the contract's errors."""

from typing import Any, NoReturn, cast

from starlette.exceptions import HTTPException

from livepeer.core import BusyError, CallError, ModelFailedError, ModelRefusedError

from . import _sdk

_MASKED = "Authorization error"
_MASKED_FAILURE = "the service raised an error; the server's log has it under this request's id"

RAISED_ON_PURPOSE: tuple[type[Exception], ...] = (_sdk.BentoMLException, HTTPException)
"""What says with which status a call ends. Anything else is a failure of the model."""


def raise_call_error(error: Exception) -> NoReturn:
    """End a call as its api has ended it on purpose.

    As BentoML does it, the words of a refusal reach the caller; those of a failure do not, nor who may do what.

    Args:
        error: One of `RAISED_ON_PURPOSE`.

    Raises:
        CallError: Always.
    """
    if isinstance(error, HTTPException):
        status, detail = error.status_code, str(error.detail)
    else:
        status, detail = int(cast("Any", error).error_code), str(error)
    if status in (401, 403):
        raise ModelRefusedError(_MASKED, status=403) from None
    if 400 <= status < 500:
        raise ModelRefusedError(detail, status=status) from None
    raise _failure(status) from error


def _failure(status: int) -> CallError:
    if status == 503:
        return BusyError("the service takes no more for now")
    if 500 < status < 600:
        return ModelRefusedError(_MASKED_FAILURE, status=status)
    return ModelFailedError(_MASKED_FAILURE)
