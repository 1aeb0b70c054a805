"""Free TCP ports on 127.0.0.1 that a restarted process finds free again."""

import random
import socket

# Below the range from which systems take the ports of outgoing connections (Linux: 32768-60999),
# so that no connection sits on a service's port while the service restarts.
LOWEST, HIGHEST = 18000, 32000


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Give that many distinct free ports."""
    found: list[int] = []
    for port in random.sample(range(LOWEST, HIGHEST), k=HIGHEST - LOWEST):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"fewer than {count} free ports between {LOWEST} and {HIGHEST}")
