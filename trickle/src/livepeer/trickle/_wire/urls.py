"""The address of a channel, and the addresses below it."""

from dataclasses import dataclass

import httpx2

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelUrl:
    """Where a channel is."""

    text: str
    """As a URL, without a slash at its end."""

    secure: bool
    """Whether it is reached over TLS."""

    host: str
    """The server's name or address, without the brackets of IPv6."""

    port: int
    """The server's port."""

    authority: bytes
    """Host and port as a `Host` header has them."""

    _path: bytes
    _query: bytes

    @classmethod
    def parse(cls, url: str) -> "ChannelUrl":
        """Read the URL of a channel.

        Raises:
            ValueError: It is none; says what to change.
        """
        try:
            parsed = httpx2.URL(url.strip())
        except (httpx2.InvalidURL, TypeError) as error:
            raise ValueError(f"{url!r} is no URL of a channel: {error}") from None
        if parsed.scheme not in _PORTS or not parsed.host:
            raise ValueError(f"{url!r} is no URL of a channel: write it as http(s)://host:port/path/channel")
        if parsed.port is not None and not 0 < parsed.port < 65536:
            raise ValueError(f"{url!r} is no URL of a channel: a port is a number from 1 to 65535")
        if parsed.userinfo:
            raise ValueError(f"the URL of the channel at {parsed.host} has credentials in it: give them as a header")
        path, _, query = parsed.raw_path.partition(b"?")
        path = path.rstrip(b"/")
        if not path:
            raise ValueError(f"{url!r} names no channel: put its name at the end of the path")
        return cls(
            text=str(parsed.copy_with(raw_path=path, fragment=None)),
            secure=parsed.scheme == "https",
            host=parsed.host,
            port=parsed.port or _PORTS[parsed.scheme],
            authority=parsed.netloc,
            _path=path,
            _query=b"?" + query if query else b"",
        )

    def segment(self, seq: int) -> bytes:
        """Return the request target of a segment; also of -1, the next one, and of -2, the newest one."""
        return b"%b/%d%b" % (self._path, seq, self._query)

    @property
    def next_target(self) -> bytes:
        """The request target at which the server says which segment is next."""
        return b"%b/next%b" % (self._path, self._query)

    @property
    def url(self) -> str:
        """The channel itself, with its query."""
        return self.text + self._query.decode()

    @property
    def next_url(self) -> str:
        """Where the server says which segment is next."""
        return f"{self.text}/next{self._query.decode()}"

    def segment_url(self, seq: int) -> str:
        """Return the URL of a segment."""
        return f"{self.text}/{seq}{self._query.decode()}"
