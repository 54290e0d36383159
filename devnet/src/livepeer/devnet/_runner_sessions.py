"""A session of a live runner, what belongs to it, and what the runner is told about it."""

import base64
import json
import re
import secrets
from datetime import UTC, datetime
from urllib.parse import urlsplit

import anyio

from livepeer.trickle.server import Channel, TrickleServer

from ._inbound import RefusedError
from ._payments import Meter
from ._runner_records import RegisteredRunner, is_web_url

_CHANNEL_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class Session:
    """A slot of a runner that is taken: by one call, or until somebody stops it."""

    def __init__(self, session_id: str, runner: RegisteredRunner, public_url: str) -> None:
        self.id = session_id
        self.public_url = public_url
        """Where the caller reaches the orchestrator."""
        self.has_fixed_price = runner.price_info is not None and runner.price_info.unit.strip().lower() == "fixed"
        self.channels: dict[str, Channel] = {}
        self.proxies: dict[str, str] = {}
        """The worker's URLs by the secret that stands for each in `/run/...`."""
        self.meter: Meter | None = None
        """What charges for its time, if that is paid."""
        self.unpaid = anyio.Event()
        """Set when it was ended for want of payment."""

    def open_proxy(self, runner_url: str, target_url: str = "") -> str:
        """Make a secret that stands for one of the worker's URLs while the session runs, and return it.

        Args:
            runner_url: The registered URL of the worker.
            target_url: Another URL of the same host; the registered one by default.

        Raises:
            RefusedError: The other URL is none, or of another host.
        """
        target = target_url.strip()
        if target:
            _check_target(target, runner_url)
        proxy_id = readable(secrets.token_bytes(16))
        self.proxies[proxy_id] = target or runner_url
        return proxy_id

    def open_channel(self, trickle: TrickleServer, name: str, mime_type: str) -> Channel:
        """Return the session's channel of that name, a new one if there is none.

        Raises:
            RefusedError: The name holds other characters than a channel's, or the type what no header may hold.
        """
        name = channel_name(name)
        if name not in self.channels:
            mime_type = mime_type if mime_type.strip() else "application/octet-stream"
            try:
                self.channels[name] = trickle.create(f"{self.id}-{name}", mime_type)
            except ValueError as error:
                raise RefusedError(str(error), 400) from None
        return self.channels[name]

    def close_channel(self, trickle: TrickleServer, name: str) -> None:
        """End the session's channel of that name.

        Raises:
            RefusedError: The session has no such channel.
        """
        channel = self.channels.pop(channel_name(name), None)
        if channel is None:
            raise RefusedError("trickle channel not found", 404)
        trickle.delete(channel.name)


class O2R:
    """The channel from the orchestrator to a runner."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def tell(self, event: str, session_id: str) -> None:
        """Say that a session was `reserved` or `released`."""
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._publish({"event": event, "session": session_id, "timestamp": now})

    def keep_alive(self) -> None:
        """Say that all is well."""
        self._publish({"keep": "alive"})

    def _publish(self, message: dict[str, str]) -> None:
        if not self.channel.closed:  # Anybody may delete it.
            self.channel.publish(json.dumps(message, separators=(",", ":")).encode())


def channel_name(name: str) -> str:
    """Return the name by which a session holds a channel that the runner calls so.

    Raises:
        RefusedError: It is empty, or holds other characters than a channel's.
    """
    name = name.strip().replace("/", "-")
    if not name:
        raise RefusedError("trickle channel name is required", 400)
    if not _CHANNEL_NAME.fullmatch(name):
        raise RefusedError("trickle channel name may only contain alphanumerics, underscores, or hyphens", 400)
    return name


def random_session_id() -> str:
    """Return an id for a session that needs no payment."""
    return "session_" + readable(secrets.token_bytes(5))


def readable(data: bytes) -> str:
    """Return bytes in lower-case letters and digits."""
    return base64.b32encode(data).decode().rstrip("=").lower()


def _check_target(target: str, runner_url: str) -> None:
    if "://" not in target:
        raise RefusedError("target_url must be an absolute URL", 400)
    if not is_web_url(target):
        raise RefusedError("target_url scheme must be http or https", 400)
    parts = urlsplit(target)
    if parts.fragment:
        raise RefusedError("target_url must not include a fragment", 400)
    if parts.hostname != urlsplit(runner_url).hostname:
        raise RefusedError("target_url hostname must match registered runner_url hostname", 400)
