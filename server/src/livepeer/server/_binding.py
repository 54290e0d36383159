"""The port, bound before anything is loaded."""

import socket

_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Bind the port before anything is loaded, so that `/health` can say LOADING.

    Raises:
        OSError: If the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.set_inheritable(False)
    return sock
