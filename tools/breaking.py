"""Run `buf breaking`: compare the contracts with those of the commit that this branch started from."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def base_commit() -> str:
    """Return the fork point from main, or on main the commit before; empty in a clone without history."""
    for revisions in (["merge-base", "HEAD", "origin/main"], ["merge-base", "HEAD", "main"]):
        fork = _git(*revisions)
        if fork and fork != _git("rev-parse", "HEAD"):
            return fork
    return _git("rev-parse", "--verify", "--quiet", "HEAD~1")


def _git(*arguments: str) -> str:
    """Return the output of a git command, empty when it fails."""
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def main() -> int:
    """Compare with the base commit; without one there is nothing to compare with."""
    base = base_commit()
    if not base:
        print("this clone has no earlier commit to compare with")
        return 0
    repository = _git("rev-parse", "--path-format=absolute", "--git-common-dir")
    print(f"against {base[:12]}")
    return subprocess.run(
        ["buf", "breaking", "--against", f"{repository}#ref={base}"], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
