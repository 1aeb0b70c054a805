"""Compare the contracts with those they grew from: nothing on the wire may break."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def git(*arguments: str) -> str | None:
    """Run git in the checkout and give its output, or None when it fails."""
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else None


def base_commit() -> str | None:
    """Find what to compare with: the fork point from main, or on main itself the commit before.

    None when a shallow clone holds neither.
    """
    head = git("rev-parse", "HEAD")
    for branch in ("origin/main", "main"):
        fork = git("merge-base", "HEAD", branch)
        if fork and fork != head:
            return fork
    return git("rev-parse", "--verify", "--quiet", "HEAD~1")


def main() -> int:
    """Run `buf breaking` against the base commit's protos; a clone without history has nothing to compare."""
    base = base_commit()
    if base is None:
        print("no earlier commit in this clone: nothing to compare with")
        return 0
    with tempfile.TemporaryDirectory() as earlier:
        archive = Path(earlier) / "protos.tar"
        if git("archive", "--output", str(archive), base, "protos", "buf.yaml") is None:
            print(f"{base[:12]} has no contracts: nothing to compare with")
            return 0
        subprocess.run(["tar", "-xf", archive, "-C", earlier], check=True)
        print(f"against {base[:12]}")
        return subprocess.run(["buf", "breaking", "--against", earlier], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
