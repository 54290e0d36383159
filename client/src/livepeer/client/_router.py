"""Which routes lead to a capability."""

from collections.abc import Callable, Mapping, Sequence

from ._accounts import Account, Checkout
from ._capability import Capability
from ._discovery import Directory, Found
from ._errors import LivepeerError, NoOrchestratorError, SettingsError
from ._exchange import Exchange
from ._jobs import Job, byoc_header
from ._live.byoc_routes import GatewayLiveRoute, OrchestratorLiveRoute
from ._live.live_routes import LiveRoute
from ._live.runner_route import RunnerLiveRoute
from ._routes import ByocRoute, Route
from ._runner_routes import RunnerRoute, SessionRoute
from ._settings import Parties


class Router:
    """Finds the routes of a gateway object.

    Args:
        parties: Who is asked, who signs and pays.
        directory: What the network offers.
        headers: The caller's own, for gateways, orchestrators and workers.
        start_paying: As `Checkout` takes it.
    """

    def __init__(
        self,
        parties: Parties,
        directory: Directory,
        headers: Mapping[str, str],
        start_paying: Callable[[Account], Callable[[], None]],
    ) -> None:
        self._parties = parties
        self._directory = directory
        self._headers = headers
        self._start_paying = start_paying

    def forget(self) -> None:
        """Look anew the next time that routes are asked for."""
        self._directory.forget()

    def routes(self, capability: str | Capability) -> Exchange[Sequence[Route]]:
        """Find whom to ask, in order: Live Runner before BYOC, free runners before full ones.

        Raises:
            NoOrchestratorError: There is nobody.
            LivepeerError: Nobody says who there is.
        """
        if self._parties.gateway_url is not None:
            return [ByocRoute(self._parties.gateway_url, "gateway", _unsigned, self._headers)]
        if isinstance(capability, Capability):
            if capability.network == "byoc":
                return [self._byoc_route(capability.orchestrator_url)]
            return [self._runner_route(capability)]
        found = yield from self._directory.find(capability)
        if runners := found.runners(capability):
            return [self._runner_route(runner) for runner in runners]
        if not found.orchestrator_urls:
            raise self._nobody(found, capability)
        failures = dict(found.failures)
        return [self._byoc_route(url, failures.get(url)) for url in found.orchestrator_urls]

    def session_routes(self, capability: str | Capability) -> Exchange[Sequence[SessionRoute]]:
        """Find whom to ask for a session, in order.

        Raises:
            NoOrchestratorError: There is nobody.
            SettingsError: There are only workers that have no sessions.
            LivepeerError: Nobody says who there is.
        """
        if self._parties.gateway_url is not None:
            raise SettingsError("sessions are Live Runner's, and a gateway speaks BYOC: give orch_url or discovery_url")
        if isinstance(capability, Capability):
            runners = [capability]
        else:
            found = yield from self._directory.find(capability)
            runners = found.runners(capability)
            if not runners:
                raise self._nobody(found, capability)
        routes = [route for runner in runners if isinstance(route := self._runner_route(runner), SessionRoute)]
        if not routes:
            raise SettingsError(f"{runners[0].name} is {runners[0].mode}: it has no sessions, use run or stream")
        return routes

    def live_routes(self, capability: str | Capability) -> Exchange[Sequence[LiveRoute]]:
        """Find whom to ask for a live stream, in order: Live Runner before BYOC.

        Raises:
            NoOrchestratorError: There is nobody.
            SettingsError: There are only runners that have no sessions.
            LivepeerError: Nobody says who there is.
        """
        if self._parties.gateway_url is not None:
            return [GatewayLiveRoute(self._parties.gateway_url, "gateway", _unsigned, self._headers)]
        if isinstance(capability, Capability):
            if capability.network == "byoc":
                return [self._byoc_live_route(capability.orchestrator_url)]
            return self._runner_live_routes([capability])
        found = yield from self._directory.find(capability)
        if runners := found.runners(capability):
            return self._runner_live_routes(runners)
        if not found.orchestrator_urls:
            raise self._nobody(found, capability)
        failures = dict(found.failures)
        return [self._byoc_live_route(url, failures.get(url)) for url in found.orchestrator_urls]

    def _runner_live_routes(self, runners: Sequence[Capability]) -> list[LiveRoute]:
        persistent = [runner for runner in runners if runner.mode == "persistent"]
        if not persistent:
            raise SettingsError(f"{runners[0].name} is {runners[0].mode}: it has no sessions, and so no live streams")
        return [RunnerLiveRoute(runner, self._checkout(), self._headers) for runner in persistent]

    def _byoc_live_route(self, url: str, lookup_failure: LivepeerError | None = None) -> OrchestratorLiveRoute:
        return OrchestratorLiveRoute(url, "orchestrator", self._signed, self._headers, lookup_failure=lookup_failure)

    def _runner_route(self, runner: Capability) -> RunnerRoute:
        kind = SessionRoute if runner.mode == "persistent" else RunnerRoute
        return kind(runner, self._checkout(), self._headers)

    def _checkout(self) -> Checkout:
        return Checkout(self._parties.payer, self._start_paying)

    def _byoc_route(self, url: str, lookup_failure: LivepeerError | None = None) -> ByocRoute:
        return ByocRoute(url, "orchestrator", self._signed, self._headers, lookup_failure=lookup_failure)

    def _nobody(self, found: Found, name: str) -> LivepeerError:
        self._directory.forget()  # the next call looks again
        return found.error(NoOrchestratorError(f"no runner is called {name!r}"))

    def _signed(self, job: Job) -> str:
        return byoc_header(job, self._parties.signer)


def _unsigned(job: Job) -> str:
    return byoc_header(job, None)
