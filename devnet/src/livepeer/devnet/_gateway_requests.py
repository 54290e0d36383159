"""What a caller says to a gateway to start a stream, and the URLs that it gets (BYOC contract, section 5)."""

import json
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from ._fields import load_object, text_field
from ._stream_calls import NoAnswerError
from ._stream_channels import WantedChannels

_RTMP = "rtmp://localhost:1935"
_WHEP = "http://localhost:8889"


@dataclass(frozen=True, kw_only=True)
class StartRequest:
    """The body of a start."""

    stream_id: str
    """The stream's name and id, joined; a random id where the caller gave none."""

    request_id: str
    """A random id of this start."""

    rtmp_output: str
    """Where the caller wants the output pushed; devnet only repeats it."""

    params: dict[str, object] | None
    """What the worker gets; all else stays here."""

    @property
    def worker_body(self) -> bytes:
        """The body of the start at the orchestrator."""
        return json.dumps({"params": self.params}).encode()


def parse_start(body: bytes) -> StartRequest:
    """Read the body of a start.

    Raises:
        ValueError: It is not a JSON object with fields of the right types, or `params` is no JSON object in a string.
        NoAnswerError: The stream's name ends with `-out`.
    """
    try:
        fields = load_object(body)
        name, stream_id = text_field(fields, "stream_name"), text_field(fields, "stream_id")
        params, rtmp_output = text_field(fields, "params"), text_field(fields, "rtmp_output")
    except ValueError as error:
        raise ValueError(f"invalid JSON request body: {error}") from None
    if name.endswith("-out"):
        raise NoAnswerError
    stream_id = stream_id or secrets.token_hex(4)
    return StartRequest(
        stream_id=f"{name}-{stream_id}" if name else stream_id,
        request_id=secrets.token_hex(4),
        rtmp_output=rtmp_output,
        params=_parse_params(params),
    )


def stream_urls(start: StartRequest, wanted: WantedChannels, base_url: str) -> dict[str, str]:
    """Return the answer to a start.

    As with go-livepeer its URLs are `https`, whatever the gateway listens on, and `""` for what is not enabled.
    `ts_url` is devnet's own: where MPEG-TS can be posted and read, since there is neither WebRTC nor RTMP.
    """
    stream_id = start.stream_id
    path = f"https://{base_url.partition('://')[2]}/process/stream/{stream_id}"
    rtmp_url = f"{_RTMP}/{stream_id}"
    outputs = [start.rtmp_output, f"{rtmp_url}-out", f"{rtmp_url}-{start.request_id}-out"]
    urls = {
        "stream_id": stream_id,
        "whip_url": f"{path}/whip" if wanted.input else "",
        "whep_url": whep_url(start, wanted),
        "rtmp_url": rtmp_url if wanted.input else "",
        "rtmp_output_url": ",".join(filter(None, outputs)) if wanted.output else "",
        "update_url": f"{path}/update",
        "status_url": f"{path}/status",
        "data_url": f"{path}/data" if wanted.data else "",
        "stop_url": f"{path}/stop",
    }
    if wanted.input or wanted.output:
        urls["ts_url"] = f"{base_url}/process/stream/{quote(stream_id)}/ts"
    return urls


def whep_url(start: StartRequest, wanted: WantedChannels) -> str:
    """Return where a browser would see the output, `""` if there is none."""
    return f"{_WHEP}/{start.stream_id}-{start.request_id}-out/whep" if wanted.output else ""


def _parse_params(text: str) -> dict[str, object] | None:
    if not text:
        return None
    try:
        return load_object(text) if text.strip() != "null" else None
    except ValueError:
        raise ValueError("invalid model params") from None
