"""Every error of the client.

LivepeerError
├── SettingsError                  a gateway was set up or asked in a way that cannot work
├── InputError                     the input has no JSON form; also a TypeError
├── UnreachableError               no connection could be opened; nothing was sent
├── DisconnectedError              the connection broke after the call was sent
├── NoOrchestratorError            no orchestrator serves the capability now
├── RefusedError                   the call itself is at fault: 4xx
├── InsufficientBalanceError       the funds for the call ran out
│   └── PaymentRequiredError           a payment is asked for, and nobody here makes one
├── SignerError                    the signer did not sign or pay
│   └── PriceTooHighError              the worker costs more than the signer pays
├── BusyError                      the worker is full or still loading: 503
├── ModelFailedError               the model, or what runs it, failed: 5xx
├── TimedOutError                  the time for the call is up
├── StreamOverError                a live stream is over, and more was to be sent to it
└── ProtocolError                  the answer is not what the contract says
    ├── AllOrchestratorsFailedError    the gateway tried them all in vain
    └── StreamCutError                 a stream ended before its end
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldError:
    """One field of an input that the worker does not accept."""

    field: str
    """Dotted path of the field, ``""`` for the input itself."""

    reason: str
    """What is wrong with it, in words."""


class LivepeerError(Exception):
    """Root of every error that this package raises on purpose."""

    code: str = "livepeer_error"
    """Stable name for programs: the worker's own, where it sent one."""

    retryable: bool = False
    """Whether the same call can succeed later. It may have run once already."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retryable: bool | None = None,
        problem: Mapping[str, Any] | None = None,
        orchestrator_url: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status of the answer; None where there was none."""

        self.problem = problem
        """The worker's ``application/problem+json`` document, where it sent one."""

        self.orchestrator_url = orchestrator_url
        """Base URL of the orchestrator that answered, where it is known."""

        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class SettingsError(LivepeerError):
    """Raised when a `Gateway` or a call has settings that cannot work, or the gateway is already closed."""

    code = "settings"


class InputError(LivepeerError, TypeError):
    """Raised when an input has no JSON form; the message names the path of the value at fault."""

    code = "input_not_json"


class UnreachableError(LivepeerError):
    """Raised when no connection could be opened. Nothing was sent, so nothing has run."""

    code = "unreachable"
    retryable = True


class DisconnectedError(LivepeerError):
    """Raised when the connection broke after the call was sent. The call may have run."""

    code = "disconnected"
    retryable = True


class NoOrchestratorError(LivepeerError):
    """Raised when nobody serves the capability now.

    To a gateway an unknown capability and a full one look the same (BYOC contract, section 3). A Live Runner may be
    gone, or its model be loaded again.
    """

    code = "no_orchestrator"
    retryable = True


class RefusedError(LivepeerError):
    """Raised when the call itself is at fault: the answer is 4xx, most often 422.

    Args:
        message: What is wrong, in words.
        fields: The fields at fault, where the worker names them.
        **details: As `LivepeerError` takes them.
    """

    code = "refused"

    def __init__(self, message: str, *, fields: Sequence[FieldError] = (), **details: Any) -> None:
        super().__init__(message, **details)
        self.fields = tuple(fields)


class InsufficientBalanceError(LivepeerError):
    """Raised when the funds run out, before a call (402) or in the middle of its stream (BYOC contract, section 4)."""

    code = "insufficient_balance"


class PaymentRequiredError(InsufficientBalanceError):
    """Raised when a worker asks for a payment (402) and the gateway has no `RemoteSigner` or other `Payer`."""

    code = "payment_required"


class SignerError(LivepeerError):
    """Raised when the signer cannot be reached, refuses, or answers nonsense; `status` is its HTTP status.

    A `Payer` raises it with status 480 for a challenge that is too old, which is then fetched anew, and with 482 where
    nothing needs to be paid yet, as go-livepeer's remote signer answers (Live Runner, contract section 7).
    """

    code = "signer"


class PriceTooHighError(SignerError):
    """Raised when the signer does not pay what the worker costs: 481. The message names the price."""

    code = "price_too_high"


class BusyError(LivepeerError):
    """Raised when every slot of the worker is taken, or its model is still loading: 503.

    Args:
        message: What is wrong, in words.
        retry_after_seconds: When trying again makes sense, where the answer says so.
        **details: As `LivepeerError` takes them.
    """

    code = "busy"
    retryable = True

    def __init__(self, message: str, *, retry_after_seconds: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after_seconds = retry_after_seconds


class ModelFailedError(LivepeerError):
    """Raised when the model or what runs it failed: 5xx, or an ``error`` event in its stream."""

    code = "model_failed"


class TimedOutError(LivepeerError):
    """Raised when the time for the call is up, here or on the network. The call may have run."""

    code = "timed_out"
    retryable = True


class StreamOverError(LivepeerError):
    """Raised when more is to be sent to a live stream that is over."""

    code = "stream_over"


class ProtocolError(LivepeerError):
    """Raised when an answer is not what the contract says: unreadable, or over the size limit."""

    code = "protocol"


class AllOrchestratorsFailedError(ProtocolError):
    """Raised when the gateway tried every orchestrator and each failed.

    It then answers 200 with an empty body and no ``X-Orchestrator-Url``, so why they failed is not known
    (BYOC contract, section 3).
    """

    code = "all_orchestrators_failed"
    retryable = True


class StreamCutError(ProtocolError):
    """Raised when a stream ends without ``data: [DONE]`` (BYOC contract, section 4); its last events are missing."""

    code = "stream_cut"
    retryable = True
