"""The network conformance suite: every fact of the contract, checked against whatever URLs it is given.

The same suite judges a development network in CI and a real go-livepeer elsewhere. It starts its own workers on free
ports; `livepeer conformance network` runs it.
"""

from livepeer.conformance import Fact, Result

from ._facts import FACTS
from ._network import Network, NetworkError
from ._suite import check_network

__all__ = ["FACTS", "Fact", "Network", "NetworkError", "Result", "check_network"]
