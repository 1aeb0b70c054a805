"""The folder that holds everything the local system keeps: data, generated secrets, logs, one lock."""

import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import IO

PRIVATE = 0o700
SECRET = 0o600


class DataDirInUseError(RuntimeError):
    """Another system already runs on this data folder."""


class DataDir:
    """Paths below one root, made private to its owner on first use.

    A secret is generated once and read back on every later start.
    """

    def __init__(self, root: Path) -> None:
        """Take the folder; nothing is made yet."""
        self.root = root.expanduser().resolve()
        self.logs = self.folder("logs")

    def folder(self, name: str) -> Path:
        """Make and give a private folder below the root."""
        path = self.root / name
        path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        return path

    def write_private(self, name: str, text: str) -> Path:
        """Write a file that only its owner may read, whole or not at all."""
        path = self.root / name
        draft = path.with_name(path.name + ".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return path

    def secret(self, name: str) -> str:
        """Give the secret of that name, 43 URL-safe characters, generated on first use."""
        path = self.folder("secrets") / name
        if not path.exists():
            self.write_private(f"secrets/{name}", secrets.token_urlsafe(32))
        return path.read_text()

    def write_env(self, values: Mapping[str, str]) -> None:
        """Keep how to reach the running system's stores, for `ketav` commands; holds secrets."""
        self.write_private("env", "".join(f"{name}={value}\n" for name, value in sorted(values.items())))

    def lock(self) -> IO[str]:
        """Take the folder for this process; the system frees it when the process ends, however it ends.

        Raises DataDirInUseError when another process holds it. Keep the answer open.
        """
        file = (self.root / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            owner = file.read().strip()
            file.close()
            raise DataDirInUseError(f"{self.root} is in use by process {owner}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file


def read_env(root: Path) -> dict[str, str]:
    """Read what write_env kept; empty when no local system ever ran on that folder."""
    path = root.expanduser() / "env"
    if not path.is_file():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines())
