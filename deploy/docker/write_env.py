"""Write .env with generated secrets for docker-compose.yml; an existing file is left as it is."""

import contextlib
import os
import secrets
import sys
from pathlib import Path

NAMES = (
    "KETAV_IDENTITY_SECRET",
    "POSTGRES_PASSWORD",
    "SERVICE_PASSWORD",
    "REDIS_PASSWORD",
    "S3_SECRET_KEY",
)


def main(path: Path) -> None:
    """Make the file, readable by its owner alone; it gets its name when it is whole."""
    draft = path.with_name(f"{path.name}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{name}={secrets.token_urlsafe(32)}\n" for name in NAMES)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
