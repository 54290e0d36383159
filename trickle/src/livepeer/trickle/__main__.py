"""`python -m livepeer.trickle`: channels for pipes and files, and a server."""

import sys

from ._command.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
