"""The directory with everything that the local system stores: data, generated secrets, logs, one lock."""

import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

PRIVATE_DIRECTORY_MODE: Final = 0o700
PRIVATE_FILE_MODE: Final = 0o600
SECRET_BYTES: Final = 32


class DataDirectoryInUseError(RuntimeError):
    """Another system runs on this data directory."""


class DataDirectory:
    """Paths below one root, which is made private to its owner on first use.

    A secret is generated once and read on every later start.
    """

    def __init__(self, root: Path) -> None:
        """Take the root and make the directory of the logs."""
        self.root = root.expanduser().resolve()
        self.logs = self.subdirectory("logs")

    def subdirectory(self, name: str) -> Path:
        """Make and return a private directory below the root."""
        path = self.root / name
        for folder in (self.root, path):
            folder.mkdir(mode=PRIVATE_DIRECTORY_MODE, parents=True, exist_ok=True)
        return path

    def write_private(self, name: str, text: str) -> Path:
        """Write a file that only its owner may read, in one step, and return its path."""
        path = self.root / name
        draft = path.with_name(path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(draft, flags, PRIVATE_FILE_MODE), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return path

    def secret(self, name: str) -> str:
        """Return the secret of a name, 43 URL-safe characters, generated on first use."""
        path = self.subdirectory("secrets") / name
        if not path.exists():
            self.write_private(f"secrets/{name}", secrets.token_urlsafe(SECRET_BYTES))
        return path.read_text()

    def write_env(self, values: Mapping[str, str]) -> None:
        """Write the addresses of the running system, for `ketav` commands; the file has secrets."""
        self.write_private("env", "".join(f"{name}={value}\n" for name, value in sorted(values.items())))

    def lock(self) -> IO[str]:
        """Lock the directory for this process and return the locked file, which must stay open.

        The kernel releases the lock when the process ends, however it ends. Raises DataDirectoryInUseError
        when another process has the lock.
        """
        file = (self.root / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            owner = file.read().strip()
            file.close()
            raise DataDirectoryInUseError(
                f"The data directory {self.root} is in use by process {owner}. "
                "Stop that process, or set KETAV_DATA_DIR to another directory."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file


def read_env(root: Path) -> dict[str, str]:
    """Return the values that `write_env` wrote; empty where no local system has run."""
    path = root.expanduser() / "env"
    if not path.is_file():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines())
