"""A publisher's channel as a whole: made, found again, and deleted."""

from contextlib import suppress

from livepeer.trickle._errors import ChannelNotFoundError, TrickleError
from livepeer.trickle._wire.calls import AsyncChannelCalls, ChannelCalls
from livepeer.trickle._wire.urls import ChannelUrl

from .settings import PublisherSettings


class Channel:
    """The channel of a publisher, waiting on the caller's thread.

    Args:
        url: Of the channel.
        settings: The publisher's arguments.
    """

    def __init__(self, url: ChannelUrl, settings: PublisherSettings) -> None:
        self._url = url
        self._settings = settings

    def open(self) -> int:
        """Create the channel if that is wanted, and return its next number."""
        with self._calls() as calls:
            if self._settings.create:
                calls.create(self._settings.content_type)
            return calls.next()

    def reopen(self, seconds: float) -> tuple[int, bool]:
        """Return the channel's next number, and whether it had to be created for that."""
        with self._calls(seconds) as calls:
            try:
                return calls.next(), False
            except ChannelNotFoundError:
                if not self._settings.create:
                    raise
            calls.create(self._settings.content_type)
            return calls.next(), True

    def delete(self, seconds: float) -> None:
        """Delete the channel; it may be gone, or refuse to go."""
        with suppress(TrickleError), self._calls(seconds) as calls:
            calls.delete()

    def _calls(self, seconds: float | None = None) -> ChannelCalls:
        return ChannelCalls(
            self._url,
            headers=self._settings.headers,
            verify=self._settings.verify,
            ssl_context=self._settings.ssl_context,
            timeout_seconds=seconds or self._settings.connect_seconds,
        )


class AsyncChannel:
    """The channel of a publisher, waiting in the running event loop; the same otherwise."""

    def __init__(self, url: ChannelUrl, settings: PublisherSettings) -> None:
        self._url = url
        self._settings = settings

    async def open(self) -> int:
        """Create the channel if that is wanted, and return its next number."""
        async with self._calls() as calls:
            if self._settings.create:
                await calls.create(self._settings.content_type)
            return await calls.next()

    async def reopen(self) -> tuple[int, bool]:
        """Return the channel's next number, and whether it had to be created for that."""
        async with self._calls() as calls:
            try:
                return await calls.next(), False
            except ChannelNotFoundError:
                if not self._settings.create:
                    raise
            await calls.create(self._settings.content_type)
            return await calls.next(), True

    async def delete(self) -> None:
        """Delete the channel; it may be gone, or refuse to go."""
        with suppress(TrickleError):
            async with self._calls() as calls:
                await calls.delete()

    def _calls(self) -> AsyncChannelCalls:
        return AsyncChannelCalls(
            self._url,
            headers=self._settings.headers,
            verify=self._settings.verify,
            ssl_context=self._settings.ssl_context,
            timeout_seconds=self._settings.connect_seconds,
        )
