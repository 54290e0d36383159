"""Which routes of live sessions are there: those of the network that the capability is announced to."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from ._lifecycle import Lifecycle
from ._live_bodies import LiveBodies
from ._live_sessions import LiveSessions
from ._options import ServerOptions
from ._responses import NotFoundError, Receive, Route, Scope, Send
from ._shared_files import SharedFiles
from ._stream_routes import StreamRoutes

if TYPE_CHECKING:
    from ._runner_session_routes import RunnerSessionRoutes

_LIVE_RUNNER = "live-runner"


def live_routes(
    sessions: LiveSessions,
    lifecycle: Lifecycle,
    options: ServerOptions,
    files: SharedFiles,
    *,
    networks: Callable[[], frozenset[str]],
) -> dict[str, Route]:
    """The routes by path. Which of them answer may change while the right network is still looked for.

    Args:
        sessions: What they begin, change and end.
        lifecycle: What is served.
        options: The server's.
        files: Hold large bodies.
        networks: Those that the capability is announced to.
    """
    bodies = LiveBodies(files, options)
    streams = StreamRoutes(sessions, bodies, options)

    def byoc(route: Route) -> Route:
        async def answer(scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
            if networks() == frozenset({_LIVE_RUNNER}):
                raise NotFoundError("/stream is not served under Live Runner: reserve a session, and POST /live in it")
            await route(scope, receive, send, request_id)

        return answer

    @cache
    def runner() -> "RunnerSessionRoutes":
        from ._runner_session_routes import RunnerSessionRoutes  # lazily: it loads an HTTP client

        return RunnerSessionRoutes(sessions, bodies, lifecycle, options)

    def live_runner(route: Callable[["RunnerSessionRoutes"], Route]) -> Route:
        async def answer(scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
            if _LIVE_RUNNER not in networks():
                raise NotFoundError("/live is served under Live Runner alone")
            await route(runner())(scope, receive, send, request_id)

        return answer

    return {
        "/stream/start": byoc(streams.start),
        "/stream/params": byoc(streams.params),
        "/stream/stop": byoc(streams.stop),
        "/live": live_runner(lambda runner: runner.start),
        "/live/params": live_runner(lambda runner: runner.params),
    }
