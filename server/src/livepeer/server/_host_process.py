"""A host's process and the edge's ends of its sockets."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Self


@dataclass(frozen=True, kw_only=True)
class HostProcess:
    """A process that has been started; what goes on in it is seen on the sockets alone."""

    guardian: "subprocess.Popen[bytes]"
    """It ends last, with the host's exit code; its standard input keeps it alive."""

    data: socket.socket
    control: socket.socket
    mounts: socket.socket

    @classmethod
    def start(cls, python: str | None, environment: Mapping[str, str]) -> Self:
        """Start one.

        Args:
            python: Its interpreter; None for this one.
            environment: Variables on top of this process's own.
        """
        (data, host_data), (control, host_control), (mounts, host_mounts) = (socket.socketpair() for _ in range(3))
        with host_data, host_control, host_mounts:
            descriptors = (host_data.fileno(), host_control.fileno(), host_mounts.fileno())
            guardian = subprocess.Popen(
                [python or sys.executable, "-m", "livepeer.host", *map(str, descriptors)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=descriptors,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        return cls(guardian=guardian, data=data, control=control, mounts=mounts)

    def end(self) -> None:
        """End it before it has anything to do."""
        for pipe in (self.guardian.stdin, *self.outputs, self.data, self.control, self.mounts):
            if pipe is not None:
                pipe.close()
        self.guardian.wait()

    @property
    def outputs(self) -> "tuple[IO[bytes], IO[bytes]]":
        """Its standard output and standard error."""
        assert self.guardian.stdout is not None
        assert self.guardian.stderr is not None
        return self.guardian.stdout, self.guardian.stderr
