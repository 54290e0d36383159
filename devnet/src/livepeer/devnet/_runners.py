"""The live runners of one orchestrator and their sessions (Live Runner, contract section 7)."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import monotonic
from urllib.parse import quote

import anyio

from livepeer.trickle.server import TrickleServer

from ._inbound import RefusedError
from ._runner_records import RegisteredRunner
from ._runner_sessions import O2R, Session, random_session_id, readable
from ._timings import Timings

_MESSAGE_TYPE = "application/json"


class Runner:
    """One live runner, as long as the orchestrator knows it."""

    def __init__(self, record: RegisteredRunner, base_url: str) -> None:
        self.record = record
        self.base_url = base_url
        """Where the runner reaches the orchestrator; empty if it never called."""
        self.sessions: dict[str, Session] = {}
        self.heartbeat_at = monotonic()
        self.o2r: O2R | None = None
        self._seed = secrets.token_bytes(32)
        self.heartbeat_secret = "" if record.static else self._derive("heartbeat")

    @property
    def path(self) -> str:
        """What stands for it in URLs, encoded."""
        return quote(self.record.route)

    @property
    def snapshot(self) -> RegisteredRunner:
        """What it is at this moment."""
        return replace(self.record, session_ids=tuple(self.sessions))

    def session_token(self, session_id: str) -> str:
        """Return the secret by which the runner may act on a session."""
        return self._derive(f"session:{session_id}")

    def open_o2r(self, trickle: TrickleServer) -> O2R:
        """Make the channel on which the orchestrator tells the runner what happens."""
        name = f"{self.record.runner_id}-{self._derive('trickle:o2r')[:16]}-o2r"
        self.o2r = O2R(trickle.create(name, _MESSAGE_TYPE))
        return self.o2r

    def _derive(self, purpose: str) -> str:
        return readable(hmac.digest(self._seed, purpose.encode(), hashlib.sha256))


class RunnerRegistry:
    """Runners by their route, in memory; it refuses what go-livepeer refuses, with the same words."""

    def __init__(self, *, secret: str, timings: Timings, trickle: TrickleServer) -> None:
        self._secret = secret
        self._timings = timings
        self._trickle = trickle
        self._by_route: dict[str, Runner] = {}
        self._changed = anyio.Event()

    @property
    def runners(self) -> Mapping[str, RegisteredRunner]:
        """The runners that are known at this moment, by id, those that take no calls included."""
        return {runner.record.runner_id: runner.snapshot for runner in self}

    def __iter__(self) -> Iterator[Runner]:
        """Go through the runners that have not expired."""
        return iter([runner for runner in self._by_route.values() if not self._is_expired(runner)])

    def heartbeat(self, offer: RegisteredRunner, authorization: str, base_url: str) -> tuple[Runner, bool]:
        """Register a runner or keep it alive, and return it, and whether it is new.

        Raises:
            RefusedError: It has expired, or the authorization is not what it must send.
        """
        runner_id = offer.runner_id or random_runner_id()
        offer = replace(offer, runner_id=runner_id, route=runner_id)
        runner = self._by_route.get(runner_id)
        is_new = runner is None
        if runner is None:
            self._check_secret(authorization)
            runner = Runner(offer, base_url)
            runner.open_o2r(self._trickle)
        else:
            self._check_heartbeat(runner, authorization)
        runner.record, runner.base_url, runner.heartbeat_at = offer, base_url, monotonic()
        self.add(runner)
        return runner, is_new

    def add(self, runner: Runner) -> None:
        """Hold a runner under its route, and under no other."""
        for route in [route for route, other in self._by_route.items() if other is runner]:
            del self._by_route[route]
        self._by_route[runner.record.route] = runner
        self.tell_change()

    def tell_change(self) -> None:
        """Wake whoever waits for a runner."""
        self._changed.set()
        self._changed = anyio.Event()

    def unregister(self, runner_id: str, authorization: str) -> None:
        """Forget a runner at its own wish.

        Raises:
            RefusedError: It is not known, is static, or the authorization is not its own.
        """
        runner = self.find(runner_id)
        if runner.record.static:
            raise RefusedError("static runner cannot unregister with heartbeat credentials", 400)
        if not _is_same(authorization, runner.heartbeat_secret):
            raise RefusedError("invalid authorization", 401)
        self._remove(runner)

    def find(self, route: str) -> Runner:
        """Return a runner by its route.

        Raises:
            RefusedError: There is none, or it has expired.
        """
        runner = self._by_route.get(route)
        if runner is None or self._is_expired(runner):
            raise RefusedError("runner not found", 404)
        return runner

    def find_ready(self, route: str) -> Runner:
        """Return a runner that takes calls.

        Raises:
            RefusedError: There is none, or it does not take calls now.
        """
        runner = self.find(route)
        if not runner.record.ready:
            raise RefusedError("runner not found", 404)
        return runner

    def find_session(self, route: str, session_id: str) -> tuple[Runner, Session]:
        """Return a session that runs, and its runner.

        Raises:
            RefusedError: There is none.
        """
        runner = self.find_ready(route)
        session = runner.sessions.get(session_id)
        if session is None:
            raise RefusedError("runner session not found", 404)
        return runner, session

    def find_proxy(self, proxy_id: str) -> tuple[Runner, Session | None]:
        """Return whose public URL `/run/{proxy_id}` is: a session's, or a single-shot runner's.

        Raises:
            RefusedError: It is nobody's.
        """
        for runner in self:
            for session in runner.sessions.values():
                if proxy_id in session.proxies and runner.record.ready:
                    return runner, session
        runner = self._by_route.get(proxy_id)
        if runner is None or not runner.record.proxy or runner.record.mode != "single-shot":
            raise RefusedError("live runner proxy not found", 404)
        return runner, None

    def reserve(self, runner: Runner, *, public_url: str, session_id: str = "") -> Session:
        """Take a slot of a runner.

        Args:
            runner: The runner; more than its capacity is refused, not queued.
            public_url: Where the caller reaches the orchestrator.
            session_id: The id of the session; a random one by default.

        Raises:
            RefusedError: The session exists already, or the runner is full.
        """
        if session_id in runner.sessions:
            raise RefusedError("session already exists", 409)
        if len(runner.sessions) >= runner.record.capacity:
            raise RefusedError("no capacity available for runner", 503)
        session = Session(session_id or random_session_id(), runner.record, public_url)
        runner.sessions[session.id] = session
        if runner.o2r is not None:
            runner.o2r.tell("reserved", session.id)
        return session

    def release(self, runner: Runner, session: Session) -> None:
        """Give the slot back and end what belongs to the session; a session that has ended is no error."""
        if runner.sessions.get(session.id) is not session:
            return
        del runner.sessions[session.id]
        if runner.o2r is not None:
            runner.o2r.tell("released", session.id)
        for channel in session.channels.values():
            self._trickle.delete(channel.name)

    def release_all(self, runner: Runner) -> None:
        """End every session of a runner."""
        for session in list(runner.sessions.values()):
            self.release(runner, session)

    def sweep(self) -> None:
        """Forget every runner whose heartbeats have stopped."""
        for runner in list(self._by_route.values()):
            if self._is_expired(runner):
                self._remove(runner)

    def keep_alive(self) -> None:
        """Tell every runner that all is well."""
        for runner in self:
            if runner.o2r is not None:
                runner.o2r.keep_alive()

    def clear(self) -> None:
        """Forget every runner."""
        for runner in list(self._by_route.values()):
            self._remove(runner)

    async def wait_for(self, app: str) -> RegisteredRunner:
        """Return a runner of that app as soon as callers can find one."""
        while True:
            for runner in self:
                if runner.record.app == app and runner.record.ready:
                    return runner.snapshot
            await self._changed.wait()

    def _remove(self, runner: Runner) -> None:
        del self._by_route[runner.record.route]
        self.release_all(runner)
        if runner.o2r is not None:
            self._trickle.delete(runner.o2r.channel.name)

    def _check_secret(self, authorization: str) -> None:
        if not self._secret:
            raise RefusedError("dynamic live runner registration is disabled", 404)
        if not _is_same(authorization, self._secret):
            raise RefusedError("invalid registration authorization", 401)

    def _check_heartbeat(self, runner: Runner, authorization: str) -> None:
        if self._is_expired(runner):
            raise RefusedError("runner not found", 404)
        if not _is_same(authorization, runner.heartbeat_secret):
            raise RefusedError("invalid heartbeat authorization", 401)
        if runner.record.static:
            raise RefusedError("static runner cannot heartbeat", 400)

    def _is_expired(self, runner: Runner) -> bool:
        age = monotonic() - runner.heartbeat_at
        return not runner.record.static and age > self._timings.heartbeat_ttl_seconds


def random_runner_id() -> str:
    """Return an id for a runner that brings none."""
    return "runner_" + readable(secrets.token_bytes(5))


def _is_same(got: str, wanted: str) -> bool:
    return hmac.compare_digest(got.encode("utf-8", "surrogateescape"), wanted.encode("utf-8", "surrogateescape"))
