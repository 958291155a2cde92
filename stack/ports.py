"""TCP ports on the loopback interface."""

import socket

from stack.errors import PortInUse

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on at the moment; another program may still take it first."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether something accepts connections at `host`:`port`."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def require_free_port(port: int, part: str, setting: str) -> None:
    """Raise `PortInUse`, naming the part and the setting that moves it, if `port` is taken."""
    with socket.socket() as probe:
        # A connection of an earlier run in TIME_WAIT does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortInUse(
                f"port {port} of {part} is in use by another program; stop it or set {setting}"
            ) from error
