"""An embedded Livepeer network for developing and testing: orchestrators, a gateway and a signer in one process.

It speaks BYOC, batch, SSE and live streams, and Live Runner, as go-livepeer really behaves: the same timeouts, the
same relay rules, the same leaks. It keeps everything in memory. BYOC charges nobody; Live Runner does if asked to, in
money of its own.
"""

from ._blocking import BlockingDevNet
from ._devnet import DevNet
from ._gateway import Gateway
from ._orchestrator import Network, Orchestrator
from ._registry import RegisteredCapability
from ._runner_records import RegisteredRunner, RunnerGpu, RunnerPrice
from ._signer import Payer, PaymentRefusal, PaymentRequest, Signer
from ._stream_records import StreamRecord
from ._timings import Timings

__all__ = [
    "BlockingDevNet",
    "DevNet",
    "Gateway",
    "Network",
    "Orchestrator",
    "Payer",
    "PaymentRefusal",
    "PaymentRequest",
    "RegisteredCapability",
    "RegisteredRunner",
    "RunnerGpu",
    "RunnerPrice",
    "Signer",
    "StreamRecord",
    "Timings",
]
