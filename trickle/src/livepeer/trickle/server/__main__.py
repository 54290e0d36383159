"""`python -m livepeer.trickle.server`: serves trickle channels until interrupted."""
# ruff: noqa: T201 (a command speaks to its user)

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import anyio

from ._app import TrickleServer
from ._serving import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 after an interrupt, 1 if it cannot listen."""
    options = vars(_parser().parse_args(arguments))
    host, port = options.pop("host"), options.pop("port")
    try:
        with suppress(KeyboardInterrupt):
            anyio.run(_serve, host, port, options, backend_options={"use_uvloop": sys.platform != "win32"})
    except OSError as error:
        print(f"cannot listen: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livepeer.trickle.server",
        description="A trickle server. Prints its base URL when it is ready; SIGINT and SIGTERM end it.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=2939, help="0 for any free one (default: %(default)s)")
    parser.add_argument("--path", help="what every channel's path begins with (default: /)")
    parser.add_argument(
        "--no-autocreate", dest="autocreate", action="store_false", help="make no channel for posts to unknown ones"
    )
    parser.add_argument("--changefeed", action="store_true", help="tell on _changes which channels come and go")
    for name, kind, text in _LIMITS:
        parser.add_argument(f"--{name}", type=kind, help=text)
    return parser


_LIMITS: tuple[tuple[str, type, str], ...] = (
    ("idle-seconds", float, "delete a channel that got no byte for so long (default: 300)"),
    ("sweep-seconds", float, "look for idle channels so often (default: 60)"),
    ("abort-grace-seconds", float, "let a publisher that broke off go on for so long (default: 5)"),
    ("keepalive-seconds", float, "tell a silent publisher so often that it is awaited (default: 10)"),
    ("max-segment-bytes", int, "refuse a larger segment (default: 64 MiB)"),
    ("max-channel-bytes", int, "drop the oldest segments of a larger channel (default: 256 MiB)"),
)


async def _serve(host: str, port: int, options: dict[str, Any]) -> None:
    async with serve(TrickleServer(**options), host=host, port=port) as url:
        print(url, flush=True)
        await _interrupted()


async def _interrupted() -> None:
    if sys.platform == "win32":
        await anyio.sleep_forever()  # There the event loop takes no signal handlers; Ctrl-C raises KeyboardInterrupt.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return


if __name__ == "__main__":
    sys.exit(main())
