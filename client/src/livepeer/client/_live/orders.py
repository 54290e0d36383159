"""What is asked for when a live stream begins, and where it then is."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from livepeer.client._capability import Capability
from livepeer.client._errors import SettingsError
from livepeer.client._inputs import encode_json
from livepeer.client._jobs import Job, make_job

_STREAM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A live stream as its caller wants it."""

    job: Job
    """Whom it is for; its id is the stream's, its time is the start's."""

    params: str
    """What the worker begins with, as JSON."""

    @property
    def stream_id(self) -> str:
        """The id that is asked for."""
        return self.job.id

    def renamed(self, stream_id: str) -> "Order":
        """The same stream under the id that the network gave it."""
        return replace(self, job=replace(self.job, id=stream_id))

    def job_within(self, timeout_seconds: float) -> Job:
        """Describe a job that concerns the stream once it runs (BYOC contract, section 5)."""
        request = json.dumps({"stream_id": self.stream_id})
        return replace(self.job, request=request, timeout_seconds=timeout_seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Channels:
    """Where a stream's trickle channels are, as its caller uses them; one that is None is switched off."""

    stream_id: str
    """The network's id of the stream."""

    publish_url: str | None = None
    """Takes the media that goes to the worker."""

    subscribe_url: str | None = None
    """Has the media that the worker makes."""

    control_url: str | None = None
    """Takes messages to the worker."""

    events_url: str | None = None
    """Has what the worker reports."""

    data_url: str | None = None
    """Has the data that the worker makes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayDoors:
    """How a gateway lets its caller at a stream: it keeps the channels to itself."""

    stream_id: str
    """The gateway's id of the stream."""

    url: str
    """What the routes of the stream begin with."""

    has_data: bool
    """Whether it offers the worker's data."""

    has_media: bool
    """Whether MPEG-TS can be sent and fetched over HTTP, as at devnet's gateway alone."""

    whip_url: str | None
    """Where WebRTC media would go."""

    rtmp_url: str | None
    """Where RTMP media would go."""


def make_order(
    capability: str | Capability,
    params: object,
    *,
    video: bool,
    output: bool,
    data: bool,
    stream_id: str | None,
    parameters: Mapping[str, Any] | None,
    start_seconds: float,
) -> Order:
    """Describe a stream.

    Raises:
        InputError: The params, or the parameters, have no JSON form.
        SettingsError: There is no capability or no time, or the id could not be part of a URL.
    """
    if stream_id is not None and not _STREAM_ID.fullmatch(stream_id):
        raise SettingsError(f"stream_id is {stream_id!r}; it has letters, digits, - and _, at most 128")
    channels = {"enable_video_ingress": video, "enable_video_egress": output, "enable_data_output": data}
    parameters = {**(parameters or {}), **channels}
    job = make_job(capability, None, route="", timeout_seconds=start_seconds, parameters=parameters)
    if stream_id is not None:
        job = replace(job, id=stream_id)
    return Order(job=job, params=encode_json(params, "params").decode())
