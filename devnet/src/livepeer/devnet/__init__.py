"""An embedded Livepeer network for developing and testing: an orchestrator and a gateway in one process.

It speaks BYOC, batch and SSE, as go-livepeer really behaves: the same timeouts, the same relay rules, the same leaks.
It keeps everything in memory and does payments offchain only: whatever price a worker registers, nobody is charged.
"""

from ._blocking import BlockingDevNet
from ._devnet import DevNet
from ._gateway import Gateway
from ._orchestrator import Orchestrator
from ._registry import RegisteredCapability
from ._timings import Timings

__all__ = [
    "BlockingDevNet",
    "DevNet",
    "Gateway",
    "Orchestrator",
    "RegisteredCapability",
    "Timings",
]
