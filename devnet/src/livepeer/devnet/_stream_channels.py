"""The trickle channels of a live stream: which are wanted, what they are called, where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from livepeer.trickle.server import TrickleServer

from ._fields import boolean_field, load_object
from ._runner_records import is_web_url
from ._runner_routes import TRICKLE_PATH

VIDEO = "video/MP2T"


@dataclass(frozen=True, kw_only=True)
class WantedChannels:
    """The optional channels that a caller asked for; control and events are always there."""

    input: bool
    output: bool
    data: bool


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One of the channels."""

    name: str
    suffix: str
    content_type: str
    header: str
    """What tells its URL to whoever started the stream."""

    field: str
    """What tells its URL to the worker, who subscribes where the caller publishes."""


_KINDS = (
    _Kind(
        name="control", suffix="-control", content_type="application/json", header="X-Control-Url", field="control_url"
    ),
    _Kind(name="events", suffix="-events", content_type="application/json", header="X-Events-Url", field="events_url"),
    _Kind(name="input", suffix="", content_type=VIDEO, header="X-Publish-Url", field="subscribe_url"),
    _Kind(name="output", suffix="-out", content_type=VIDEO, header="X-Subscribe-Url", field="publish_url"),
    _Kind(name="data", suffix="-data", content_type="application/jsonl", header="X-Data-Url", field="data_url"),
)

CHANNEL_HEADERS: Mapping[str, str] = {kind.name: kind.header for kind in _KINDS}
"""The header of the answer to a start that has a channel's URL, by the channel."""


def parse_wanted(parameters: str) -> WantedChannels:
    """Read the `parameters` of a job as far as a stream's channels are concerned.

    Raises:
        ValueError: They are not a JSON object with fields of the right types.
    """
    fields = load_object(parameters)
    return WantedChannels(
        input=boolean_field(fields, "enable_video_ingress"),
        output=boolean_field(fields, "enable_video_egress"),
        data=boolean_field(fields, "enable_data_output"),
    )


class StreamChannels:
    """The channels of one stream at its orchestrator; a start of the same id again gets the same ones."""

    def __init__(self, trickle: TrickleServer, stream_id: str, wanted: WantedChannels, base_url: str) -> None:
        self._trickle = trickle
        self._kinds = [kind for kind in _KINDS if getattr(wanted, kind.name, True)]
        self._names = [f"{stream_id}{kind.suffix}" for kind in self._kinds]
        self._urls = [f"{base_url}{TRICKLE_PATH}/{quote(name)}" for name in self._names]
        for kind, name in zip(self._kinds, self._names, strict=True):
            trickle.create(name, kind.content_type)

    @property
    def urls(self) -> dict[str, str]:
        """Their URLs by name."""
        return {kind.name: url for kind, url in zip(self._kinds, self._urls, strict=True)}

    @property
    def headers(self) -> dict[str, str]:
        """Their URLs by the headers of the answer to a start."""
        return {kind.header: url for kind, url in zip(self._kinds, self._urls, strict=True)}

    @property
    def fields(self) -> dict[str, str]:
        """Their URLs by the fields of what the worker gets."""
        return {kind.field: url for kind, url in zip(self._kinds, self._urls, strict=True)}

    def close(self) -> None:
        """End them all."""
        for name in self._names:
            self._trickle.delete(name)


def find_channels(orchestrator: str, urls: Mapping[str, str]) -> dict[str, str] | None:
    """Return the whole URLs of the channels that an orchestrator has opened, by name.

    Args:
        orchestrator: Its own URL, in front of those that name no host.
        urls: What it says, `""` for a channel that it did not open.

    Returns:
        None if one cannot be used, or control or events are missing.
    """
    whole = {name: url if "://" in url else f"{orchestrator}/{url.lstrip('/')}" for name, url in urls.items() if url}
    is_complete = {"control", "events"} <= whole.keys() and all(map(_is_channel, whole.values()))
    return whole if is_complete else None


def _is_channel(url: str) -> bool:
    return is_web_url(url) and "@" not in (parts := urlsplit(url)).netloc and parts.path.strip("/") != ""
