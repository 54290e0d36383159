"""`python -m livepeer.devnet`: serves a network until interrupted."""
# ruff: noqa: T201 (a command speaks to its user)

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import anyio

from ._devnet import DevNet
from ._orchestrator import NETWORKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 after an interrupt, 1 if a port is taken or a file is wrong."""
    options = _parser().parse_args(arguments)
    net = DevNet(
        host=options.host,
        orchestrator_port=options.orchestrator_port,
        gateway_port=options.gateway_port,
        secret=options.secret,
        networks=options.network or NETWORKS,
        paid=options.paid,
        dashboard_port=options.dashboard_port,
    )
    try:
        runners = None if options.runners is None else options.runners.read_bytes()
    except OSError as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 1
    try:
        with suppress(KeyboardInterrupt):
            anyio.run(_serve, net, runners, backend_options={"use_uvloop": sys.platform != "win32"})
    except OSError as error:
        print(f"cannot listen: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"cannot register {options.runners}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m livepeer.devnet",
        description="A Livepeer orchestrator and gateway for developing and testing; no real money is ever charged.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--orchestrator-port", type=int, default=8935, help="0 for any free one (default: %(default)s)")
    parser.add_argument("--gateway-port", type=int, default=9935, help="0 for any free one (default: %(default)s)")
    parser.add_argument("--dashboard-port", type=int, help="0 for any free one (default: no dashboard)")
    parser.add_argument("--secret", help="what workers register with (default: a random one)")
    parser.add_argument(
        "--network", action="append", choices=NETWORKS, help="what the orchestrator speaks (default: all of them)"
    )
    parser.add_argument("--paid", action="store_true", help="ask for payment on Live Runner, and serve a signer")
    parser.add_argument("--runners", type=Path, metavar="FILE", help="a runners.json to register")
    return parser


async def _serve(net: DevNet, runners: bytes | None) -> None:
    async with net:
        if runners is not None:
            await net.register_static_runners(runners)
        print("Livepeer devnet: for developing and testing only, in memory, payments offchain only (nobody is charged)")
        print(f"orchestrator  {net.orchestrator_url}")
        print(f"gateway       {net.gateway_url}")
        if net.paid:
            print(f"signer        {net.signer_url}")
        if net.has_dashboard:
            print(f"dashboard     {net.dashboard_url}")
        print(f"secret        {net.secret}", flush=True)
        await _interrupted()


async def _interrupted() -> None:
    if sys.platform == "win32":
        await anyio.sleep_forever()  # There the event loop takes no signal handlers; Ctrl-C raises KeyboardInterrupt.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return


if __name__ == "__main__":
    sys.exit(main())
