"""Write .env with generated secrets for docker-compose.yml; values of an existing file stay as they are."""

import os
import runpy
import secrets
import sys
from pathlib import Path

NAMES = (
    "KETAV_SESSION_SECRET",
    "POSTGRES_PASSWORD",
    "SERVICE_PASSWORD",
    "REDIS_PASSWORD",
    "S3_SECRET_KEY",
)
KEYS = runpy.run_path(str(Path(__file__).resolve().parents[1] / "identity_keys.py"))


def completed(written: dict[str, str]) -> dict[str, str]:
    """Return the missing variables of a file with these ones."""
    values = {name: secrets.token_urlsafe(32) for name in NAMES}
    private = {
        service: written.get(f"{service.upper()}_IDENTITY_KEY", KEYS["private_key"]())
        for service in KEYS["SERVICES"]
    }
    values |= {f"{service.upper()}_IDENTITY_KEY": key for service, key in private.items()}
    values["KETAV_IDENTITY_PUBLIC_KEYS"] = KEYS["public_keys"](private)
    return {name: value for name, value in values.items() if name not in written}


def main(path: Path) -> None:
    """Complete the file, readable by its owner alone; it gets its name when it is whole."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [line.partition("=") for line in text.splitlines()]
    missing = completed({name.strip(): value.strip() for name, sign, value in lines if sign})
    if not missing:
        return
    draft = path.with_name(f"{path.name}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") or not text else f"{text}\n")
        file.writelines(f"{name}={value}\n" for name, value in missing.items())
    draft.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
