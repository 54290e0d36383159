"""The contract between a Python model and the Livepeer network.

An adapter makes a `Capability` of somebody's model; a host runs its `Operation`s; a server serves
them. This package says what passes between the three, and depends on pydantic alone.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ._adapter import ADAPTER_GROUP, Adapter, find_adapter
from ._call import Call, current_call
from ._capability import Capability, describe
from ._description import (
    ANY_MEDIA_TYPE,
    BINARY_MEDIA_TYPE,
    JSON_MEDIA_TYPE,
    SSE_MEDIA_TYPE,
    Description,
    Info,
    JsonSchema,
    LiveDescription,
    MountDescription,
    OperationDescription,
    network_name,
)
from ._errors import (
    BusyError,
    CallCancelledError,
    CallError,
    DeadlineExceededError,
    FieldError,
    HostCrashedError,
    InvalidInputError,
    LivepeerError,
    MalformedBodyError,
    MediaTypeError,
    ModelFailedError,
    ModelRefusedError,
    NotReadyError,
    PayloadTooLargeError,
    SessionEndedError,
    SessionExistsError,
    SignatureError,
    TargetError,
    UnauthorizedError,
    UnclaimedTargetError,
    UnknownSessionError,
)
from ._health import HealthState
from ._live import Live, Living, SessionReport, SessionStart
from ._mount import AsgiApp, Checking, Mount, Mounting
from ._operation import Encoded, Interruptible, Operation, Streaming
from ._problem import PROBLEM_MEDIA_TYPE, Problem
from ._registrar import Registrar, Registration, RegistrationState
from ._sse import MAX_LINE_BYTES, SSE_DONE, SSE_PING, sse_event
from ._target import Target

if TYPE_CHECKING:
    from ._function import FunctionOperation, encode_json, input_error
    from ._manifest import MANIFEST_FILE, Manifest
    from ._requirements import read_requirements, requirement_lines
    from ._signature import MediaType

__all__ = [
    "ADAPTER_GROUP",
    "ANY_MEDIA_TYPE",
    "BINARY_MEDIA_TYPE",
    "JSON_MEDIA_TYPE",
    "MANIFEST_FILE",
    "MAX_LINE_BYTES",
    "PROBLEM_MEDIA_TYPE",
    "SSE_DONE",
    "SSE_MEDIA_TYPE",
    "SSE_PING",
    "Adapter",
    "AsgiApp",
    "BusyError",
    "Call",
    "CallCancelledError",
    "CallError",
    "Capability",
    "Checking",
    "DeadlineExceededError",
    "Description",
    "Encoded",
    "FieldError",
    "FunctionOperation",
    "HealthState",
    "HostCrashedError",
    "Info",
    "Interruptible",
    "InvalidInputError",
    "JsonSchema",
    "Live",
    "LiveDescription",
    "LivepeerError",
    "Living",
    "MalformedBodyError",
    "Manifest",
    "MediaType",
    "MediaTypeError",
    "ModelFailedError",
    "ModelRefusedError",
    "Mount",
    "MountDescription",
    "Mounting",
    "NotReadyError",
    "Operation",
    "OperationDescription",
    "PayloadTooLargeError",
    "Problem",
    "Registrar",
    "Registration",
    "RegistrationState",
    "SessionEndedError",
    "SessionExistsError",
    "SessionReport",
    "SessionStart",
    "SignatureError",
    "Streaming",
    "Target",
    "TargetError",
    "UnauthorizedError",
    "UnclaimedTargetError",
    "UnknownSessionError",
    "current_call",
    "describe",
    "encode_json",
    "find_adapter",
    "input_error",
    "network_name",
    "read_requirements",
    "requirement_lines",
    "sse_event",
]


_LAZY = {
    "FunctionOperation": "_function",
    "encode_json": "_function",
    "input_error": "_function",
    "MANIFEST_FILE": "_manifest",
    "Manifest": "_manifest",
    "MediaType": "_signature",
    "read_requirements": "_requirements",
    "requirement_lines": "_requirements",
}


def __getattr__(name: str) -> Any:
    # Reading signatures takes most of pydantic, and an edge never does.
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
