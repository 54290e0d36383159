"""Cases of limits on time and on callers, and of a service that is not well."""

from concurrent.futures import ThreadPoolExecutor

from bentoml_server import Server

from .asking import Request, answer, call, got, until
from .records import Answer, Ask, Case
from .streams import streamed

LIMITED = (
    call("limited: in time", "/wait", {"seconds": 0}),
    call("limited: too late", "/wait", {"seconds": 5}, 504),
    streamed("limited, in time", "/drip", ["one", "two"]),
    streamed("limited, late after the first", "/drip", ["one", "two"], {"between": 2.5}),
    call("limited: a number for an exception's code", "/fail_by_number", status=500),
    call("limited: a file that is not there", "/file_missing", status=500),
    call("limited: no first item in time", "/drip", {"before": 5}, 504),
    # The last: its thread is not free yet when it is answered.
    call("limited: too late, sync", "/wait_sync", {"seconds": 3}, 504),
)


def while_marked(mark: str, path: str) -> Ask:
    """What health says while the service finds a mark, and once it is gone."""

    def ask(server: Server) -> list[Answer]:
        place = server.folder / mark
        place.touch()
        try:
            unwell = server.client.get(path)
        finally:
            place.unlink()
        return [answer(unwell), answer(server.client.get(path))]

    return ask


UNWELL = (
    got("unwell: alive", "/livez"),
    got("unwell: ready", "/readyz"),
    Case(name="unwell: not ready", ask=while_marked("not-ready", "/readyz"), status=503),
    Case(name="unwell: not alive", ask=while_marked("not-alive", "/livez"), status=503),
)


def refused_while_busy(server: Server) -> list[Answer]:
    """What a second caller hears while the first is there, and a third after it."""
    short, long = (Request(path="/wait", form={"json": {"seconds": seconds}}) for seconds in (0, 1))
    with ThreadPoolExecutor(1) as executor:
        # Each may be the one that is refused, as long as the other is there.
        first = executor.submit(until, lambda: long.send(server), lambda response: response.status_code == 200)
        refused = until(lambda: short.send(server), lambda response: response.status_code != 200 or first.done())
        return [answer(refused), answer(first.result()), *short(server)]


NARROW = (Case(name="narrow: one too many", ask=refused_while_busy, status=429),)
