"""The command: its arguments, and what its exit status says."""
# ruff: noqa: T201 (a command speaks to its user)

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence

from livepeer.trickle._errors import TrickleError
from livepeer.trickle._wire.urls import ChannelUrl

from .publish import publish
from .subscribe import subscribe

_AddParser = Callable[..., argparse.ArgumentParser]

_STATUS = """
exit status:
  0    all of it went well
  1    it failed; one line says why
  2    the arguments are wrong
  3    it ended well, but something is missing: a segment was lost, missed or broke off, or a line was no JSON
  130  SIGINT, and 143 SIGTERM
"""

_ADVICE = {
    "unreachable": "check the address, and that its server runs; --insecure takes any certificate",
    "refused": "check the path, and whether a --header is wanted",
    "protocol": "check that a trickle server is at this address",
    "channel_closed": "somebody deleted it; start again for a new one",
    "fell_behind": "read faster, or choose another --lag",
}

_TYPE = "of the channel (default: video/mp2t; application/jsonl for --lines)"
_BYTES = "begin a new segment after so many bytes (default: 1 MiB)"
_SECONDS = "begin a new segment after so many seconds (default: 1; 10 for --lines)"
_START = "current, next, earliest or a segment's number (default: current)"
_LAG = "where to go on when segments were missed (default: latest; earliest for --lines), or fail"
_WAIT = "wait so many seconds for the channel to appear (default: 0)"


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: Those after the command's name.

    Returns:
        The exit status.
    """
    if arguments[:1] == ["serve"]:  # Its own parser has all of its options.
        return _serve(arguments[1:])
    options = _parser().parse_args(arguments)
    logging.getLogger("livepeer.trickle").addHandler(logging.NullHandler())  # What matters is said here.
    try:
        return options.run(options)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except TrickleError as error:
        advice = _ADVICE.get(error.code)
        return _fail(f"{error}; {advice}" if advice else str(error))
    except (OSError, ValueError) as error:
        return _fail(str(error))


def _fail(reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return 1


def _serve(arguments: Sequence[str]) -> int:
    try:
        from livepeer.trickle.server.__main__ import main as serve
    except ModuleNotFoundError as error:
        return _fail(f"the server needs {error.name}: pip install 'livepeer-trickle[server]'")
    return serve(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livepeer.trickle",
        description="Publish to a trickle channel, subscribe to one, or serve channels.",
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_publish(commands.add_parser)
    _add_subscribe(commands.add_parser)
    commands.add_parser("serve", help="serve channels, as python -m livepeer.trickle.server does")
    return parser


def _add_publish(add: _AddParser) -> None:
    parser = _command(
        add,
        "publish",
        "publish what comes from a pipe or a file",
        "  ffmpeg -re -i in.mp4 -f mpegts - | python -m livepeer.trickle publish http://127.0.0.1:2939/cam",
    )
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="what to read; - is standard input")
    parser.add_argument("--lines", action="store_true", help="each line is a message in JSON, for a JSONL channel")
    parser.add_argument("--content-type", metavar="T", help=_TYPE)
    parser.add_argument("--segment-bytes", metavar="N", type=_positive(int), default=1024 * 1024, help=_BYTES)
    parser.add_argument("--segment-seconds", metavar="S", type=_positive(float), help=_SECONDS)
    parser.add_argument("--keep", action="store_true", help="leave the channel on the server at the end")
    parser.set_defaults(run=publish)


def _add_subscribe(add: _AddParser) -> None:
    parser = _command(
        add,
        "subscribe",
        "write what a channel has to a pipe or a file",
        "  python -m livepeer.trickle subscribe http://127.0.0.1:2939/cam | ffplay -",
    )
    parser.add_argument("--output", metavar="FILE", default="-", help="where to write; - is standard output")
    parser.add_argument("--lines", action="store_true", help="write each message of a JSONL channel as a line")
    parser.add_argument("--start", metavar="WHERE", type=_start, default="current", help=_START)
    parser.add_argument("--lag", choices=("latest", "earliest", "fail"), help=_LAG)
    parser.add_argument("--wait", metavar="S", type=_positive(float), default=0.0, help=_WAIT)
    parser.set_defaults(run=subscribe)


def _command(add: _AddParser, name: str, what: str, example: str) -> argparse.ArgumentParser:
    parser = add(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"example:\n{example}\n{_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", type=_url, help="of the channel: http(s)://host:port/path/channel")
    parser.add_argument("--insecure", action="store_true", help="take any certificate of the server")
    parser.add_argument(
        "--header", metavar="'N: V'", dest="headers", type=_header, action="append", default=[], help="send it too"
    )
    return parser


def _url(text: str) -> str:
    try:
        ChannelUrl.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no header: write it as 'Name: value'")
    return name.strip(), value.strip()


def _start(text: str) -> str | int:
    if text in ("current", "next", "earliest"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither current, next, earliest nor a segment's number")


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
        return value

    return parse
