"""What a network has, found by asking it."""

from collections.abc import Mapping

import httpx2
from pydantic import ValidationError

from ._apps import Apps
from ._network import Network, NetworkError, Part


async def find_missing(network: Network, http: httpx2.AsyncClient) -> Mapping[Part, str]:
    """Ask the network what it has, and return what it lacks, with the reason.

    Raises:
        NetworkError: The orchestrator cannot be reached, or does not talk as one.
    """
    try:
        byoc = (await http.post(f"{network.orch_url}/capability/register")).status_code != 404
        streams = (await http.post(f"{network.orch_url}/ai/stream/start")).status_code != 404
        runner = (await http.get(f"{network.orch_url}/discovery")).status_code != 404
        paid = await _asks_for_a_price(network, http) if runner else False
    except httpx2.HTTPError as error:
        raise NetworkError(f"{network.orch_url} cannot be reached: {error}") from error
    except ValidationError as error:
        raise NetworkError(f"{network.orch_url} is no orchestrator: its answer to a heartbeat is none") from error
    lacks = {
        Part.BYOC: (not byoc, "the orchestrator does not speak BYOC"),
        Part.NO_BYOC: (byoc, "the orchestrator speaks BYOC"),
        Part.RUNNER: (not runner, "the orchestrator does not speak Live Runner"),
        Part.NO_RUNNER: (runner, "the orchestrator speaks Live Runner"),
        Part.PAID: (not paid, "the network is offchain: nothing is paid"),
        Part.OFFCHAIN: (paid, "the network is on-chain: calls are paid"),
        Part.SIGNER: (network.signer_url is None, "no signer was given"),
        Part.STREAMS: (not streams, "the orchestrator has no BYOC streams"),
        Part.TWO_ORCHESTRATORS: (len(network.orch_urls) < 2, "a second orchestrator was not given"),
        Part.RESTART: (network.restart is None, "no way to restart the orchestrator was given"),
        Part.STATIC: (network.add_static is None, "no way to configure static runners was given"),
        Part.TLS: (not network.orch_url.startswith("https:"), "the orchestrator is asked over plain HTTP"),
    }
    return {part: reason for part, (lacking, reason) in lacks.items() if lacking}


async def _asks_for_a_price(network: Network, http: httpx2.AsyncClient) -> bool:
    apps = Apps(network, http, "conformance/probe", "http://127.0.0.1:1", paid=False)
    answer = await apps.heartbeat()
    await apps.unregister_all()
    return answer.status_code == 400 and "price" in answer.text
