"""`python -m livepeer.server TARGET`: serve what any installed adapter claims."""

import argparse
import sys

from ._host_process import HostProcess


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m livepeer.server", description=__doc__)
    parser.add_argument("target", help="module:attribute, a file or a directory")
    parser.add_argument("--host", help="address to bind (LIVEPEER_HOST, 0.0.0.0)")
    parser.add_argument("--port", type=int, help="port to bind (LIVEPEER_PORT, 5000); 0 for any")
    parser.add_argument("--python", help="interpreter of the model's own virtual environment")
    parser.add_argument("--adapter", help="entry-point name of the adapter, instead of asking each")
    parser.add_argument(
        "--worker", choices=("process", "inline"), help="where the model runs (LIVEPEER_WORKER, process)"
    )
    parser.add_argument("--replicas", type=int, help="how many processes hold the model (LIVEPEER_REPLICAS, 1)")
    arguments = vars(parser.parse_args())
    # Before anything of the server is imported: the model's process takes longest to begin.
    started = HostProcess.start(None, {})
    from ._environment import SettingsError
    from ._serve import serve_target

    try:
        serve_target(arguments.pop("target"), started=started, **arguments)
    except (SettingsError, OSError) as error:
        sys.exit(f"error: {error}")


main()
