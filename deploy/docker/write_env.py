"""Write .env with generated secrets for docker-compose.yml; an existing file is left as it is."""

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
    """Make the file, readable by its owner alone."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{name}={secrets.token_urlsafe(32)}\n" for name in NAMES)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
