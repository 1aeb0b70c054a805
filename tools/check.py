"""Run every static check of the repository, a line and a time for each (`make check`)."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
DOCKERFILES = "deploy/docker/*.Dockerfile"
COMPOSE_SECRETS = (
    "KETAV_IDENTITY_PUBLIC_KEYS",
    "GATEWAY_IDENTITY_KEY",
    "REGISTRY_IDENTITY_KEY",
    "RECOGNIZER_IDENTITY_KEY",
    "TRAINER_IDENTITY_KEY",
    "KETAV_SESSION_SECRET",
    "SERVICE_PASSWORD",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "S3_SECRET_KEY",
)

STEPS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "contracts": ["buf", "lint"],
    "breaking": [PYTHON, "-m", "tools.breaking"],
    "stubs": [PYTHON, "-m", "tools.generate_stubs", "--check"],
    "client": [PYTHON, "-m", "tools.generate_client", "--check"],
    "migrations": [PYTHON, "-m", "tools.migrations"],
    "budget": [PYTHON, "-m", "tools.budget"],
    "hygiene": [PYTHON, "-m", "tools.hygiene"],
    "secrets": [PYTHON, "-m", "tools.secret_scan"],
    "licences": [PYTHON, "-m", "tools.sbom", "--check"],
    "prose": [PYTHON, "-m", "tools.prose"],
    "voice": [PYTHON, "-m", "tools.voice"],
    "settings": [PYTHON, "-m", "tools.settings_doc", "--check"],
    "web": [PYTHON, "-m", "tools.web", "--check"],
    "docs": [PYTHON, "-m", "tools.docs_site"],
    "compose": ["docker-compose", "--file", "docker-compose.yml", "--profile", "*", "config", "--quiet"],
    "kubernetes": [PYTHON, "-m", "tools.kubernetes"],
    "dockerfiles": ["hadolint", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(DOCKERFILES))],
}


def environment() -> dict[str, str]:
    """Return the environment of the steps: the folder of this interpreter comes first on PATH.

    The compose file requires secrets; the check sets placeholders.
    """
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    secrets = dict.fromkeys(COMPOSE_SECRETS, "only-checked")
    return {**secrets, **os.environ, "PATH": path, "COLUMNS": "110"}


def run_step(name: str, command: list[str]) -> bool:
    """Run one check, print its line, and its output when it failed."""
    began = time.monotonic()
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(),
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    seconds = time.monotonic() - began
    tail = ran.stdout.strip().splitlines()[-1:] if ran.returncode == 0 else []
    print(
        f"{'ok  ' if ran.returncode == 0 else 'FAIL'} {name:<12} {seconds:6.1f} s  {' '.join(tail)[:80]}",
        flush=True,
    )
    if ran.returncode:
        print(ran.stdout, flush=True)
    return ran.returncode == 0


def main(arguments: list[str]) -> int:
    """Run the named steps, or all of them; exit status 1 when one fails."""
    unknown = set(arguments) - STEPS.keys()
    if unknown:
        print(f"no such step: {', '.join(sorted(unknown))}; steps: {', '.join(STEPS)}")
        return 2
    failed = [name for name in arguments or STEPS if not run_step(name, STEPS[name])]
    print(f"check: failed: {', '.join(failed)}" if failed else "check: all passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
