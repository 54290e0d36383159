"""The client's front door."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx2
from anyio.lowlevel import current_token

from ._async import AsyncSession, AsyncStream, run_async, session_async
from ._async_http import AsyncLine
from ._attempts import Attempts
from ._calls import Call
from ._capability import Capability
from ._clients import Verify, make_async_client, make_client
from ._discovery import Directory
from ._errors import SettingsError
from ._installments import start_paying
from ._jobs import make_job
from ._live.opening import check_extra, live
from ._live.orders import make_order
from ._live.stream import LiveStream
from ._payments import Payer
from ._router import Router
from ._runner_routes import SessionRoute
from ._schemas import fetch_schema
from ._settings import Patience, make_parties
from ._signing import Signer
from ._sync import Session, Stream, run, session
from ._sync_http import SyncLine
from ._urls import checked_headers


class Gateway:
    """Finds capabilities on a Livepeer network and calls them, over Live Runner and over BYOC.

    `gateway_url` leads through a BYOC gateway. Everything else leads to orchestrators themselves: a capability is
    looked for among their Live Runners first, and called over BYOC where there is none.

    It can be used from several threads at once, and from one event loop at a time. Every method has an ``_async``
    twin that takes the same arguments. Close it with ``with``, ``async with``, `close` or `aclose`.

    Args:
        token: Base64 of a JSON object with ``signer``, ``signer_headers``, ``discovery``, ``discovery_headers`` and
            ``orchestrators``, all optional. The arguments here win over it.
        signer_url: Base URL of a remote signer, which pays on Live Runner, and lists orchestrators where neither
            `orch_url` nor `discovery_url` does.
        signer_headers: Sent to the signer alone.
        discovery_url: URL of a document that lists orchestrators and their runners.
        discovery_headers: Sent there alone.
        orch_url: Base URL of an orchestrator, or several in the order in which to try them.
        gateway_url: Base URL of a gateway, which finds orchestrators, signs, pays and tries the next one itself.
        signer: Signs jobs for BYOC orchestrators, by default as offchain ones accept it; or pays on Live Runner, where
            it is a `Payer`; or both.
        headers: Sent with every call, such as a hosted gateway's ``Authorization``; a worker on Live Runner sees them.
        verify: Whether TLS certificates are verified, or the context that says how. Orchestrators sign their own.
        connect_timeout_seconds: Limit for opening one connection.
        connect_retries: How many times more a connection that could not be opened is tried, with growing pauses from
            0.2 s on. Nothing was sent then, so nothing runs twice.
        grace_seconds: How much longer than a call's ``timeout_seconds`` the client itself waits on BYOC. By default 10
            through a gateway, as long as it goes on with a stream itself, and 5 straight at an orchestrator: the
            network gets to say so first. On Live Runner nobody but the client looks at the clock, and it does not wait.
        max_answer_bytes: Limit of a value, and of one event of a stream.

    Raises:
        SettingsError: The arguments do not fit together, or a URL is none.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        signer_url: str | None = None,
        signer_headers: Mapping[str, str] | None = None,
        discovery_url: str | None = None,
        discovery_headers: Mapping[str, str] | None = None,
        orch_url: str | Sequence[str] | None = None,
        gateway_url: str | None = None,
        signer: Signer | Payer | None = None,
        headers: Mapping[str, str] | None = None,
        verify: Verify = True,
        connect_timeout_seconds: float = 5.0,
        connect_retries: int = 2,
        grace_seconds: float | None = None,
        max_answer_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        parties = make_parties(
            token=token,
            signer_url=signer_url,
            signer_headers=signer_headers,
            discovery_url=discovery_url,
            discovery_headers=discovery_headers,
            orch_url=orch_url,
            gateway_url=gateway_url,
            signer=signer,
        )
        default_grace_seconds = 5.0 if gateway_url is None else 10.0
        self._patience = Patience(
            connect_retries=connect_retries,
            grace_seconds=default_grace_seconds if grace_seconds is None else grace_seconds,
            max_answer_bytes=max_answer_bytes,
        )
        open_client = partial(make_client, verify, connect_timeout_seconds)
        self._client = open_client()
        self._verify = verify
        self._make_async_client = lambda: make_async_client(verify, connect_timeout_seconds)
        self._async_client: httpx2.AsyncClient | None = None
        self._async_client_token: object = None
        self._closed = False
        own_headers = checked_headers("headers", headers)
        self._directory = Directory(parties, own_headers)
        self._router = Router(parties, self._directory, own_headers, lambda account: start_paying(account, open_client))

    def discover(self, name: str | None = None, *, app: str | None = None, **card_fields: object) -> list[Capability]:
        """Find the workers that are ready now.

        Args:
            name: The card's name, the app, or the last part of the app. BYOC has no list: only where a name alone is
                given, orchestrators are asked for it there too.
            app: The app, exactly.
            **card_fields: What fields of the `Card` must equal, such as ``kind="stream"``.

        Returns:
            In the order of their orchestrators. One that does not answer is left out.

        Raises:
            SettingsError: There is a gateway alone, which cannot tell, or a field that cards do not have.
            LivepeerError: Nobody answered.
        """
        return SyncLine(self._open_client()).carry_out(self._directory.search(name, app, card_fields))

    async def discover_async(
        self, name: str | None = None, *, app: str | None = None, **card_fields: object
    ) -> list[Capability]:
        """Do what `discover` does, without blocking the event loop."""
        return await AsyncLine(self._open_async_client()).carry_out(self._directory.search(name, app, card_fields))

    def schema(self, capability: Capability) -> dict[str, Any]:
        """Fetch the JSON Schemas that a capability's card names.

        Returns:
            The document as the worker serves it, with ``input`` and ``output``.

        Raises:
            SettingsError: The card names none.
            ProtocolError: It is not the document whose SHA-256 is in the card, or it is no JSON object.
            LivepeerError: It cannot be had.
        """
        return SyncLine(self._open_client()).carry_out(fetch_schema(capability))

    async def schema_async(self, capability: Capability) -> dict[str, Any]:
        """Do what `schema` does, without blocking the event loop."""
        return await AsyncLine(self._open_async_client()).carry_out(fetch_schema(capability))

    def run(
        self,
        capability: str | Capability | None = None,
        input: object = None,
        *,
        model: str | Capability | None = None,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a capability and wait for its answer.

        Args:
            capability: A name as `discover` takes it, or what `discover` found; on BYOC the name under which the worker
                is registered.
            input: What the model gets: a mapping, or whatever else has a JSON form (pydantic models and dataclasses
                included); None is ``{}``. Binary values (``bytes``, ``bytearray``, ``memoryview``, a ``Path``, an open
                binary file) become base64 text inside it, and are the request's body where they are the whole input.
                Files are read before the call is sent.
            model: Another name for `capability`; exactly one of the two is given.
            route: The operation's path at the worker.
            timeout_seconds: How long the call may take; on BYOC, rounded up to whole seconds.
            parameters: What a BYOC gateway may choose from, such as ``{"orchestrators": {"include": [url]}}``.

        Returns:
            JSON decoded, where the answer is JSON. Otherwise ``str`` where it is text and ``bytes`` where not. Through
            a gateway the worker's media type is lost (BYOC contract, section 3) and the answer is JSON if it reads as
            JSON. The answer of a model that streams is the list of its items.

        Raises:
            InputError: The input has no JSON form.
            LivepeerError: One of its subclasses, for whatever the network answers.
        """
        return run(self._open_client(), self._calls(capability, model, input, route, timeout_seconds, parameters)())

    async def run_async(
        self,
        capability: str | Capability | None = None,
        input: object = None,
        *,
        model: str | Capability | None = None,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> Any:
        """Do what `run` does, without blocking the event loop."""
        calls = self._calls(capability, model, input, route, timeout_seconds, parameters)
        return await run_async(self._open_async_client(), calls())

    def stream(
        self,
        capability: str | Capability | None = None,
        input: object = None,
        *,
        model: str | Capability | None = None,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> Stream:
        """Call a capability and take its answer piece by piece.

        Args:
            capability: As `run` takes it.
            input: As `run` takes it.
            model: As `run` takes it.
            route: As `run` takes it.
            timeout_seconds: How long the whole stream may take; on BYOC, rounded up to whole seconds.
            parameters: As `run` takes it.

        Returns:
            An iterator of `Event` and a context manager. Only the model's own events come out of it. The answer of
            a model that does not stream is one event.

        Raises:
            InputError: The input has no JSON form.
            LivepeerError: One of its subclasses, out of the iteration. `ModelFailedError` comes after the events that
                the model gave before it failed.
        """
        return Stream(self._open_client, self._calls(capability, model, input, route, timeout_seconds, parameters))

    def stream_async(
        self,
        capability: str | Capability | None = None,
        input: object = None,
        *,
        model: str | Capability | None = None,
        route: str = "predict",
        timeout_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> AsyncStream:
        """Do what `stream` does, for ``async for`` and ``async with``; the call itself is not awaited."""
        calls = self._calls(capability, model, input, route, timeout_seconds, parameters)
        return AsyncStream(self._open_async_client, calls)

    def session(
        self, capability: str | Capability | None = None, *, model: str | Capability | None = None
    ) -> AbstractContextManager[Session]:
        """Keep one session at a persistent worker for several calls.

        Args:
            capability: As `run` takes it.
            model: As `run` takes it.

        Returns:
            What gives the `Session` in a ``with``. It is reserved at the beginning, paid for meanwhile, and stopped at
            the end, however that comes.

        Raises:
            SettingsError: The workers have no sessions: they are single-shot, or on BYOC.
            LivepeerError: No session can be had now.
        """
        return session(self._open_client, self._session_attempts(capability, model), self._patience)

    def session_async(
        self, capability: str | Capability | None = None, *, model: str | Capability | None = None
    ) -> AbstractAsyncContextManager[AsyncSession]:
        """Do what `session` does, for ``async with``."""
        return session_async(self._open_async_client, self._session_attempts(capability, model), self._patience)

    def live(
        self,
        capability: str | Capability | None = None,
        params: object = None,
        *,
        model: str | Capability | None = None,
        video: bool = True,
        output: bool = True,
        data: bool = True,
        stream_id: str | None = None,
        start_seconds: float = 60,
        parameters: Mapping[str, Any] | None = None,
    ) -> AbstractAsyncContextManager[LiveStream]:
        """Have a live stream run at a worker; needs ``livepeer-client[live]``.

            async with gateway.live("live-grayscale") as stream:
                await stream.publish("clip.mp4")

        Straight at orchestrators, over Live Runner or BYOC, media goes through trickle channels. A gateway takes and
        gives media by WebRTC and RTMP; only devnet's takes it here.

        Args:
            capability: As `run` takes it.
            params: What the worker begins with: whatever has a JSON form.
            model: As `run` takes it.
            video: Whether media is sent; the worker decides itself on Live Runner, as for the next two.
            output: Whether media is wanted back.
            data: Whether data is wanted back.
            stream_id: The id of the stream on BYOC; by default one that is new.
            start_seconds: How long the worker may take to start.
            parameters: As `run` takes them.

        Returns:
            What gives the `LiveStream` in an ``async with``. The stream is stopped at its end, however that comes.

        Raises:
            InputError: The params have no JSON form.
            SettingsError: Something is not installed, or there are only workers without sessions.
            LivepeerError: It does not start; `RefusedError` says which params do not fit.
        """
        check_extra()
        wanted, router = _one_of(capability, model), self._router
        order = make_order(
            wanted,
            params,
            video=video,
            output=output,
            data=data,
            stream_id=stream_id,
            parameters=parameters,
            start_seconds=start_seconds,
        )
        attempts = Attempts(lambda: router.live_routes(wanted), router.forget, retries=self._patience.connect_retries)
        return live(self._open_async_client, attempts, order, self._verify)

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

    def _calls(
        self,
        capability: str | Capability | None,
        model: str | Capability | None,
        value: object,
        route: str,
        timeout_seconds: float,
        parameters: Mapping[str, Any] | None,
    ) -> Callable[[], Call]:
        wanted = _one_of(capability, model)
        job = make_job(wanted, value, route=route, timeout_seconds=timeout_seconds, parameters=parameters)
        router, patience = self._router, self._patience

        def call() -> Call:
            attempts = Attempts(lambda: router.routes(wanted), router.forget, retries=patience.connect_retries)
            return Call(job, attempts, patience)

        return call

    def _session_attempts(
        self, capability: str | Capability | None, model: str | Capability | None
    ) -> Attempts[SessionRoute]:
        wanted, router = _one_of(capability, model), self._router
        return Attempts(lambda: router.session_routes(wanted), router.forget, retries=self._patience.connect_retries)

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
            self._async_client, self._async_client_token = self._make_async_client(), token
        return self._async_client


def _one_of(capability: str | Capability | None, model: str | Capability | None) -> str | Capability:
    if capability is None and model is not None:
        return model
    if capability is None or model is not None:
        raise SettingsError("give exactly one of capability and model")
    return capability
