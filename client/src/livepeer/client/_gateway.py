"""The client's front door."""

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2
from anyio.lowlevel import current_token

from ._async import AsyncStream, run_async
from ._calls import Target
from ._errors import SettingsError
from ._jobs import Job, make_job
from ._signing import OffchainSigner, Signer
from ._sync import Stream, run

# No limit on connections, since each is a job that the network itself bounds. An idle one is dropped before the five
# seconds after which common servers do: a call that meets a server's closing fails, and could not be sent again safely.
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=4.0)


class Gateway:
    """Calls capabilities on a Livepeer network, through a gateway or straight at orchestrators.

    It can be used from several threads at once, and from one event loop at a time. Every method has an ``_async``
    twin that takes the same arguments. Close it with ``with``, ``async with``, `close` or `aclose`.

    Args:
        gateway_url: Base URL of a gateway, which finds orchestrators, signs, pays and tries the next one itself.
        orch_url: Base URL of an orchestrator, or several in the order in which to try them.
        signer: Signs jobs for orchestrators; by default as offchain ones accept it.
        headers: Sent with every call, such as a hosted gateway's ``Authorization``.
        verify: Whether TLS certificates are verified, or the context that says how. Orchestrators sign their own.
        connect_timeout_seconds: Limit for opening one connection.
        connect_retries: How many times more a connection that could not be opened is tried, with growing pauses from
            0.2 s on. Nothing was sent then, so nothing runs twice.
        grace_seconds: How much longer than a call's ``timeout_seconds`` the client itself waits. By default 10 through
            a gateway, as long as it goes on with a stream itself, and 5 straight at an orchestrator: the network gets
            to say so first.
        max_answer_bytes: Limit of a value, and of one event of a stream.

    Raises:
        SettingsError: Not exactly one of `gateway_url` and `orch_url` is given, or a URL is none.
    """

    def __init__(
        self,
        *,
        gateway_url: str | None = None,
        orch_url: str | Sequence[str] | None = None,
        signer: Signer | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool | ssl.SSLContext = True,
        connect_timeout_seconds: float = 5.0,
        connect_retries: int = 2,
        grace_seconds: float | None = None,
        max_answer_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        if (gateway_url is None) == (orch_url is None):
            raise SettingsError("give either gateway_url or orch_url")
        if signer is not None and orch_url is None:
            raise SettingsError("a gateway signs by itself: signer goes with orch_url only")
        direct = orch_url is not None
        self._target = Target(
            urls=_base_urls(orch_url if gateway_url is None else gateway_url),
            direct=direct,
            connect_timeout_seconds=connect_timeout_seconds,
            connect_retries=connect_retries,
            grace_seconds=(5.0 if direct else 10.0) if grace_seconds is None else grace_seconds,
            max_answer_bytes=max_answer_bytes,
        )
        self._signer = (signer or OffchainSigner()) if direct else None
        # Reading the trusted certificates takes a tenth of a second, which plain HTTP has no use for.
        verify = verify if any(url.startswith("https:") for url in self._target.urls) else False
        self._client_settings: dict[str, Any] = {
            "headers": {"Accept-Encoding": "identity", **(headers or {})},
            "verify": httpx2.create_ssl_context(verify, trust_env=False),
            "limits": _LIMITS,
            "trust_env": False,
        }
        self._client = httpx2.Client(**self._client_settings)
        self._async_client: httpx2.AsyncClient | None = None
        self._async_client_token: object = None
        self._closed = False

    def run(
        self,
        capability: str,
        input: object = None,
        *,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a capability and wait for its answer.

        Args:
            capability: The name under which the worker is registered.
            input: What the model gets: a mapping, or whatever else has a JSON form (pydantic models and dataclasses
                included); None is ``{}``. Binary values (``bytes``, ``bytearray``, ``memoryview``, a ``Path``, an open
                binary file) become base64 text inside it, and are the request's body where they are the whole input.
                Files are read before the call is sent.
            route: The operation's path at the worker.
            timeout_seconds: How long the network may take, rounded up to whole seconds.
            parameters: What a gateway may choose from, such as ``{"orchestrators": {"include": [url]}}``.

        Returns:
            JSON decoded, where the answer is JSON. Otherwise ``str`` where it is text and ``bytes`` where not. Through
            a gateway the worker's media type is lost (BYOC contract, section 3) and the answer is JSON if it reads as
            JSON. The answer of a model that streams is the list of its items.

        Raises:
            InputError: The input has no JSON form.
            LivepeerError: One of its subclasses, for whatever the network answers.
        """
        job = self._job(capability, input, route, timeout_seconds, parameters)
        return run(self._open_client(), job, self._target)

    async def run_async(
        self,
        capability: str,
        input: object = None,
        *,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> Any:
        """Do what `run` does, without blocking the event loop."""
        job = self._job(capability, input, route, timeout_seconds, parameters)
        return await run_async(self._open_async_client(), job, self._target)

    def stream(
        self,
        capability: str,
        input: object = None,
        *,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> Stream:
        """Call a capability and take its answer piece by piece.

        Args:
            capability: As `run` takes it.
            input: As `run` takes it.
            route: As `run` takes it.
            timeout_seconds: How long the whole stream may take on the network, rounded up to whole seconds.
            parameters: As `run` takes it.

        Returns:
            An iterator of `Event` and a context manager. Only the model's own events come out of it. The answer of
            a model that does not stream is one event.

        Raises:
            InputError: The input has no JSON form.
            LivepeerError: One of its subclasses, out of the iteration. `ModelFailedError` comes after the events that
                the model gave before it failed.
        """
        job = self._job(capability, input, route, timeout_seconds, parameters)
        return Stream(self._open_client, job, self._target)

    def stream_async(
        self,
        capability: str,
        input: object = None,
        *,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> AsyncStream:
        """Do what `stream` does, for ``async for`` and ``async with``; the call itself is not awaited."""
        job = self._job(capability, input, route, timeout_seconds, parameters)
        return AsyncStream(self._open_async_client, job, self._target)

    def close(self) -> None:
        """Close the connections of the blocking calls, and refuse new calls."""
        self._closed = True
        self._client.close()

    async def aclose(self) -> None:
        """Close every connection, and refuse new calls."""
        self.close()
        if self._async_client is not None and self._async_client_token == current_token():
            await self._async_client.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _job(
        self,
        capability: str,
        value: object,
        route: str,
        timeout_seconds: float,
        parameters: Mapping[str, Any] | None,
    ) -> Job:
        return make_job(
            capability,
            value,
            route=route,
            timeout_seconds=timeout_seconds,
            parameters=parameters,
            signer=self._signer,
        )

    def _open_client(self) -> httpx2.Client:
        if self._closed:
            raise SettingsError("the gateway is closed")
        return self._client

    def _open_async_client(self) -> httpx2.AsyncClient:
        if self._closed:
            raise SettingsError("the gateway is closed")
        token = current_token()
        # Connections belong to the event loop that opened them: a second asyncio.run() needs its own.
        if self._async_client is None or token != self._async_client_token:
            self._async_client, self._async_client_token = httpx2.AsyncClient(**self._client_settings), token
        return self._async_client


def _base_urls(urls: str | Sequence[str] | None) -> tuple[str, ...]:
    bases = tuple(_base_url(url) for url in ([urls] if isinstance(urls, str) else urls or ()))
    if not bases:
        raise SettingsError("orch_url is an empty list")
    return bases


def _base_url(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise SettingsError(f"{url!r} is no URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise SettingsError(f"{url!r} is no base URL, such as http://127.0.0.1:8935")
    return str(parsed).rstrip("/")
