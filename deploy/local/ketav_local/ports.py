"""Free TCP ports on 127.0.0.1 that stay free while a process restarts."""

import random
import socket

# Below the range from which systems take the ports of outgoing connections (Linux: 32768-60999),
# so that no connection sits on a service's port while the service restarts.
LOWEST, HIGHEST = 18000, 32000


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return `count` distinct free ports; raises OSError when there are fewer."""
    ports: list[int] = []
    for port in random.sample(range(LOWEST, HIGHEST), k=HIGHEST - LOWEST):
        if is_free(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise OSError(f"fewer than {count} free ports between {LOWEST} and {HIGHEST}")
