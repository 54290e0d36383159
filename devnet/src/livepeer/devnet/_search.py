"""How a gateway takes a job, and finds the orchestrators that would do it."""

import random
from collections.abc import Sequence

import anyio
import httpx2

from ._fields import integer_field, load_object, text_field
from ._inbound import RefusedError
from ._job_request import (
    OFFCHAIN_SENDER,
    OFFCHAIN_SIGNATURE,
    JobRequest,
    OrchestratorFilter,
    check_request,
    encode_header,
    parse_filter,
    parse_job_request,
)
from ._timings import Timings


def accept_job(header: str) -> tuple[JobRequest, OrchestratorFilter]:
    """Read the header of a job; unlike an orchestrator, a gateway wants `parameters` to parse.

    Raises:
        RefusedError: It cannot be read.
    """
    stage = "parse job request,"
    try:
        request = parse_job_request(header)
        stage = "unmarshal job request"
        check_request(request.request)
        stage = "unmarshal job parameters"
        return request, parse_filter(request.parameters)
    except ValueError as error:
        raise RefusedError(f"Unable to {stage} err={error}", 400) from None


async def find_orchestrators(
    client: httpx2.AsyncClient, urls: Sequence[str], capability: str, timings: Timings
) -> list[str]:
    """Ask all orchestrators at once and return the URLs of those with a free slot, the quickest first.

    One that is down, slow or full is passed over.
    """
    found: list[str] = []

    async def ask(url: str) -> None:
        with anyio.move_on_after(timings.search_answer_seconds):
            service_url = await _service_url(client, url, capability)
            if service_url is not None:
                found.append(service_url)

    with anyio.move_on_after(timings.search_seconds):
        async with anyio.create_task_group() as tasks:
            for url in random.sample(urls, len(urls)):
                tasks.start_soon(ask, url)
    return found


async def _service_url(client: httpx2.AsyncClient, url: str, capability: str) -> str | None:
    """Return the URL at which an orchestrator takes jobs, or None if it would take none of this capability."""
    headers = {
        "Livepeer-Eth-Address": encode_header({"addr": OFFCHAIN_SENDER, "sig": OFFCHAIN_SIGNATURE}),
        "Livepeer-Capability": capability,
    }
    try:
        response = await client.get(f"{url}/process/token", headers=headers)
        token = load_object(response.content) if response.status_code == 200 else {}
        return text_field(token, "service_addr") if integer_field(token, "available_capacity") > 0 else None
    except (httpx2.RequestError, ValueError):
        return None
