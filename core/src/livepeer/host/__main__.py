"""`python -m livepeer.host DATA CONTROL MOUNTS`: the host's process, started by an edge."""

import sys

from ._guardian import become_guarded


def main() -> None:
    """Fork under a guardian, then serve over the three inherited sockets."""
    data, control, mounts = (int(argument) for argument in sys.argv[1:4])
    become_guarded()
    from ._host import run_in_process
    from ._logs import mark_output

    mark_output()
    run_in_process(data, control, mounts)


main()
