"""The channels of one server, and the channel that tells of them."""

import json
from collections.abc import Callable
from time import monotonic
from typing import Literal

from ._channel import Channel

CHANGEFEED = "_changes"

# What Go escapes, so that JSON may stand in HTML.
_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029\ufffd"})


class Channels:
    """Channels by name; each coming and going is announced on a channel of its own, if that is wanted."""

    def __init__(self, make: Callable[[str, str], Channel], *, changefeed: bool) -> None:
        self._make = make
        self._changefeed = changefeed
        self._channels: dict[str, Channel] = {}
        self._announced = 0
        if changefeed:
            self._feed()

    def get(self, name: str) -> Channel | None:
        """Return the channel of that name."""
        return self._channels.get(name)

    def create(self, name: str, content_type: str) -> Channel:
        """Return the channel of that name, a new one if there is none."""
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = self._make(name, content_type)
            self._announce("added", name)
        return channel

    def delete(self, name: str) -> bool:
        """End a channel and forget it; return whether there was one."""
        channel = self._channels.pop(name, None)
        if channel is None:
            return False
        channel.close()
        self._announce("removed", name)
        return True

    def sweep(self, idle_seconds: float) -> list[str]:
        """Delete the channels that got no byte for so long; names with an underscore in front are kept."""
        since = monotonic() - idle_seconds
        idle = [name for name, channel in self._channels.items() if channel.written_at < since and name[:1] != "_"]
        for name in idle:
            self.delete(name)
        return idle

    def clear(self) -> None:
        """End and forget every channel; as in the reference, nobody is told."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def _announce(self, change: Literal["added", "removed"], name: str) -> None:
        if not self._changefeed:
            return
        feed = self._feed()
        if (change, name) != ("added", CHANGEFEED):
            self._publish(feed, change, name)

    def _feed(self) -> Channel:
        feed = self._channels.get(CHANGEFEED)
        if feed is None:
            feed = self._channels[CHANGEFEED] = Channel(CHANGEFEED, "application/json")
            feed.next_seq = self._announced  # Readers of the one before go on where they were.
            self._publish(feed, "added", CHANGEFEED)
        return feed

    def _publish(self, feed: Channel, change: str, name: str) -> None:
        # Lone surrogates stand for bytes that are not UTF-8; Go puts U+FFFD there.
        readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        event = json.dumps({change: [readable]}, separators=(",", ":"), ensure_ascii=False)
        feed.publish(event.translate(_ESCAPES).encode())
        self._announced = feed.next_seq
