#!/usr/local/bin/python
"""Send one command to the Redis server of this container and print its response, as redis-cli does."""

import os
import socket
import sys


def main() -> None:
    """Authenticate with REDISCLI_AUTH and send the command of the arguments."""
    with socket.create_connection(("127.0.0.1", 6379), timeout=2) as server:
        server.sendall(f"AUTH {os.environ['REDISCLI_AUTH']}\r\n{' '.join(sys.argv[1:])}\r\n".encode())
        server.shutdown(socket.SHUT_WR)
        sys.stdout.write(server.makefile().read())


if __name__ == "__main__":
    main()
