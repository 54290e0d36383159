"""The ways to a capability: over which network, and through whom."""

from dataclasses import dataclass
from typing import Any, Literal

from livepeer.client import Gateway
from livepeer.devnet import DevNet, Timings

# A busy machine may answer a gateway's search later than the half second after which it gives an orchestrator up.
PATIENT = Timings(search_seconds=10, search_answer_seconds=10)

GRACE_SECONDS = 1.0
"""How long a caller waits beyond a call's own time."""

REGISTER_SECONDS = 1.0
"""How often an edge registers on BYOC; on Live Runner the orchestrator says so."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way."""

    network: Literal["byoc", "live-runner"]
    hop: Literal["gateway", "orchestrator"]

    def __str__(self) -> str:
        return f"{self.network} {self.hop}"

    def network_of_its_own(self) -> DevNet:
        """A network that speaks nothing else."""
        return DevNet(timings=PATIENT, networks=(self.network,))

    def settings(self, net: DevNet) -> dict[str, str]:
        """What makes an edge register."""
        return {
            "LIVEPEER_NETWORK": self.network,
            "LIVEPEER_REGISTER_INTERVAL_SECONDS": str(REGISTER_SECONDS),
            "ORCH_URL": net.orchestrator_url,
            "ORCH_TOKEN": net.secret,
        }

    def caller(self, net: DevNet) -> Gateway:
        """A caller that goes this way."""
        if self.hop == "gateway":
            return Gateway(gateway_url=net.gateway_url, grace_seconds=GRACE_SECONDS)
        return Gateway(orch_url=net.orchestrator_url, grace_seconds=GRACE_SECONDS)

    def is_registered(self, net: DevNet, health: dict[str, Any]) -> bool:
        """Whether the edge with this health and its orchestrator agree that it is there."""
        registration = health.get("registration", {})
        if registration.get("state") != "registered":
            return False
        if self.network == "byoc":
            return registration["name"] in net.capabilities
        runner = net.runners.get(registration["runner_id"])
        return runner is not None and runner.status == "ready"


WAYS = (
    Way(network="byoc", hop="gateway"),
    Way(network="byoc", hop="orchestrator"),
    Way(network="live-runner", hop="orchestrator"),
)
