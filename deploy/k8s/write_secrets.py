"""Write the files from which kustomize makes the Secrets of an overlay; an existing file is left as it is.

`python deploy/k8s/write_secrets.py dev` generates everything. `… prod` generates the identity keys and
takes the addresses of the managed stores from the variables of the same names.
"""

import contextlib
import os
import runpy
import secrets
import sys
from pathlib import Path

OVERLAYS = Path(__file__).resolve().parent / "overlays"
ADDRESSES = ("KETAV_DATABASE_URL", "KETAV_MIGRATION_DATABASE_URL", "KETAV_REDIS_URL", "KETAV_BLOB_URL")
"""Variables with the addresses of managed stores, passwords included."""
KEYS = runpy.run_path(str(Path(__file__).resolve().parents[1] / "identity_keys.py"))


def write(folder: Path, name: str, value: str) -> str:
    """Write a file, readable by its owner alone, unless it exists; return its content.

    It gets its name when it is whole: an interrupted call leaves no empty secret.
    """
    path, draft = folder / name, folder / f".{name}.part"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(value)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return path.read_text(encoding="utf-8")


def write_identity_keys(folder: Path) -> None:
    """Write the private key of each service, and the list of all public keys."""
    private = {
        service: write(folder, f"{service.upper()}_IDENTITY_KEY", KEYS["private_key"]())
        for service in KEYS["SERVICES"]
    }
    write(folder, "KETAV_IDENTITY_PUBLIC_KEYS", KEYS["public_keys"](private))


def write_bundled(folder: Path) -> None:
    """Write passwords and addresses of the stores that the overlay `dev` has."""
    passwords = {
        name: write(folder, name, secrets.token_urlsafe(32))
        for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_SECRET_KEY")
    }
    service = secrets.token_urlsafe(32)
    owner = passwords["POSTGRES_PASSWORD"]
    urls = (
        f"postgresql+asyncpg://ketav_service:{service}@postgres:5432/ketav",
        f"postgresql+asyncpg://ketav_owner:{owner}@postgres:5432/ketav",
        f"redis://:{passwords['REDIS_PASSWORD']}@redis:6379/0",
        f"s3://ketav:{passwords['S3_SECRET_KEY']}@objects:9000/ketav?secure=0",
    )
    for name, url in zip(ADDRESSES, urls, strict=True):
        write(folder, name, url)


def write_managed(folder: Path) -> None:
    """Write the addresses of managed stores; exit when a variable is missing and its file as well."""
    for name in ADDRESSES:
        url = os.environ.get(name)
        if url:
            write(folder, name, url)
        elif not (folder / name).is_file():
            raise SystemExit(f"{name} is not set. Set it as docs/howto/kubernetes.md describes.")


def main(overlay: str, folder: Path) -> None:
    """Write the files of an overlay into a folder, readable by its owner alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    write(folder, "KETAV_SESSION_SECRET", secrets.token_urlsafe(32))
    write_identity_keys(folder)
    if overlay == "dev":
        write_bundled(folder)
    else:
        write_managed(folder)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"dev", "prod"}:  # noqa: PLR2004 - the program and its argument
        raise SystemExit("Name the overlay: python deploy/k8s/write_secrets.py dev|prod")
    main(sys.argv[1], OVERLAYS / sys.argv[1] / "secrets")
