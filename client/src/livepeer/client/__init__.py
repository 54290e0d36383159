"""The caller's side of a Livepeer network.

`Gateway` calls capabilities: `Gateway.run` waits for an answer, `Gateway.stream` takes it piece by piece.
"""

from ._async import AsyncStream
from ._errors import (
    AllOrchestratorsFailedError,
    BusyError,
    DisconnectedError,
    FieldError,
    InputError,
    InsufficientBalanceError,
    LivepeerError,
    ModelFailedError,
    NoOrchestratorError,
    ProtocolError,
    RefusedError,
    SettingsError,
    StreamCutError,
    TimedOutError,
    UnreachableError,
)
from ._events import Event
from ._gateway import Gateway
from ._signing import OffchainSigner, Signature, Signer
from ._sync import Stream

__all__ = [
    "AllOrchestratorsFailedError",
    "AsyncStream",
    "BusyError",
    "DisconnectedError",
    "Event",
    "FieldError",
    "Gateway",
    "InputError",
    "InsufficientBalanceError",
    "LivepeerError",
    "ModelFailedError",
    "NoOrchestratorError",
    "OffchainSigner",
    "ProtocolError",
    "RefusedError",
    "SettingsError",
    "Signature",
    "Signer",
    "Stream",
    "StreamCutError",
    "TimedOutError",
    "UnreachableError",
]
