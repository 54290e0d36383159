"""The caller's side of a Livepeer network.

`Gateway` finds capabilities with `Gateway.discover` and calls them: `Gateway.run` waits for an answer, `Gateway.stream`
takes it piece by piece, `Gateway.session` keeps one worker for several calls.
"""

from ._async import AsyncSession, AsyncStream
from ._capability import Capability, Card, Price
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
    PaymentRequiredError,
    PriceTooHighError,
    ProtocolError,
    RefusedError,
    SettingsError,
    SignerError,
    StreamCutError,
    StreamOverError,
    TimedOutError,
    UnreachableError,
)
from ._events import Event
from ._exchange import Exchange, Reply, Request, ask
from ._gateway import Gateway
from ._live.meter import LiveStats
from ._live.stream import LiveStream
from ._payments import Bill, Payer, Payment
from ._remote_signer import RemoteSigner
from ._signing import OffchainSigner, Signature, Signer
from ._sync import Session, Stream

__all__ = [
    "AllOrchestratorsFailedError",
    "AsyncSession",
    "AsyncStream",
    "Bill",
    "BusyError",
    "Capability",
    "Card",
    "DisconnectedError",
    "Event",
    "Exchange",
    "FieldError",
    "Gateway",
    "InputError",
    "InsufficientBalanceError",
    "LiveStats",
    "LiveStream",
    "LivepeerError",
    "ModelFailedError",
    "NoOrchestratorError",
    "OffchainSigner",
    "Payer",
    "Payment",
    "PaymentRequiredError",
    "Price",
    "PriceTooHighError",
    "ProtocolError",
    "RefusedError",
    "RemoteSigner",
    "Reply",
    "Request",
    "Session",
    "SettingsError",
    "Signature",
    "Signer",
    "SignerError",
    "Stream",
    "StreamCutError",
    "StreamOverError",
    "TimedOutError",
    "UnreachableError",
    "ask",
]
