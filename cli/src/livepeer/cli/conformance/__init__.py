"""The network conformance suite: every fact of the contract, checked against whatever URLs it is given.

The same suite judges a development network in CI and a real go-livepeer elsewhere. It starts its own workers on free
ports; `livepeer conformance network` runs it.
"""

from ._facts import FACTS, Fact
from ._network import Network, NetworkError
from ._suite import Result, check_network

__all__ = ["FACTS", "Fact", "Network", "NetworkError", "Result", "check_network"]
