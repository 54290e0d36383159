"""`python -m livepeer.runner prepare TARGET`: what an image's build runs to fetch the weights."""

import argparse
import sys

from livepeer.core import TargetError

from ._prepare import prepare_models


def main() -> None:
    """Parse the command line and prepare."""
    parser = argparse.ArgumentParser(prog="python -m livepeer.runner", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    prepare = commands.add_parser("prepare", help="fetch the weights of a pipeline")
    prepare.add_argument("target", help="module:attribute, a file or a directory")
    arguments = parser.parse_args()
    try:
        ran = prepare_models(arguments.target)
    except TargetError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(f"prepared by {ran}\n" if ran else "nothing to prepare\n")


main()
