"""The `Livepeer` header that every job carries (BYOC contract, section 3)."""

import base64
import binascii
import json
import secrets
from dataclasses import dataclass, replace

from ._fields import boolean_field, integer_field, load_object, object_field, text_field, texts_field

JOB_HEADER = "Livepeer"
NO_TIMEOUT = "no timeout_seconds set with request, timeout_seconds is required"

# Offchain there is no wallet: the sender is the zero address, and any hex passes for a signature.
OFFCHAIN_SENDER = "0x" + "0" * 40
OFFCHAIN_SIGNATURE = "0x" + "0" * 130

_SIGNATURE_DIGITS = 130


class NoTimeoutError(ValueError):
    """Raised when a job names no deadline, or 0."""


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A job as its header states it."""

    id: str
    """The job's id; the gateway makes one where the caller gave none."""

    request: str
    """A JSON object, as text."""

    parameters: str
    """A JSON object, as text: which orchestrators, which streams."""

    capability: str
    """The name that the worker registered."""

    sender: str
    """The address that pays."""

    sig: str
    """The signature over `request + parameters`, in hex."""

    timeout_seconds: int
    """The deadline of the job, never 0."""

    def signed(self) -> "JobRequest":
        """Return the job as the gateway sends it on: with an id, a sender and a signature."""
        return replace(self, id=self.id or secrets.token_hex(8), sender=OFFCHAIN_SENDER, sig=OFFCHAIN_SIGNATURE)

    def for_stream(self, stream_id: str) -> "JobRequest":
        """Return the job as the gateway sends it on for a stream: the stream's id is its own."""
        return replace(self, id=stream_id).signed()

    def to_header(self) -> str:
        """Return the value of the header."""
        return encode_header(vars(self))


@dataclass(frozen=True, kw_only=True)
class OrchestratorFilter:
    """Which orchestrators a caller wants, by URL, letter for letter."""

    include: frozenset[str]
    """Only these, unless empty."""

    exclude: frozenset[str]
    """None of these."""

    def admits(self, url: str) -> bool:
        """Whether the gateway may ask the orchestrator at this URL."""
        return url not in self.exclude and (not self.include or url in self.include)


def encode_header(fields: dict[str, object]) -> str:
    """Return JSON in base64, the form of every Livepeer header."""
    return base64.b64encode(json.dumps(fields).encode()).decode()


def decode_header(value: str) -> dict[str, object]:
    """Return the JSON object in a Livepeer header.

    Raises:
        ValueError: The value is not base64, or not of a JSON object.
    """
    return load_object(base64.b64decode(value, validate=True))


def parse_job_request(value: str) -> JobRequest:
    """Read the header of a job.

    Raises:
        NoTimeoutError: `timeout_seconds` is absent or 0.
        ValueError: The value is not base64 JSON with fields of the right types.
    """
    fields = decode_header(value)
    job = JobRequest(
        id=text_field(fields, "id"),
        request=text_field(fields, "request"),
        parameters=text_field(fields, "parameters"),
        capability=text_field(fields, "capability"),
        sender=text_field(fields, "sender"),
        sig=text_field(fields, "sig"),
        timeout_seconds=integer_field(fields, "timeout_seconds"),
    )
    if job.timeout_seconds == 0:
        raise NoTimeoutError(NO_TIMEOUT)
    return job


def check_request(text: str) -> None:
    """Check the `request` of a job: a JSON object whose `stream_id`, if any, is a string.

    Raises:
        ValueError: It is not.
    """
    text_field(load_object(text), "stream_id")


def parse_filter(text: str) -> OrchestratorFilter:
    """Read the `parameters` of a job as far as the gateway cares for them.

    Raises:
        ValueError: They are not a JSON object with fields of the right types.
    """
    fields = load_object(text)
    for name in ("enable_video_ingress", "enable_video_egress", "enable_data_output"):
        boolean_field(fields, name)
    orchestrators = object_field(fields, "orchestrators")
    return OrchestratorFilter(
        include=texts_field(orchestrators, "include"),
        exclude=texts_field(orchestrators, "exclude"),
    )


def is_hex_signature(signature: str) -> bool:
    """Whether an offchain orchestrator takes the signature: it need only be hex.

    The first two characters are dropped, whatever they are, from a signature longer than 130: so `""`, `00` and `0x`
    with 130 digits pass, `0x` alone and `0x00` do not.
    """
    digits = signature[2:] if len(signature) > _SIGNATURE_DIGITS else signature
    try:
        binascii.unhexlify(digits)
    except ValueError:
        return False
    return True
