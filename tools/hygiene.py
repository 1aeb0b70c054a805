"""Check that the repository has no paths of one machine, addresses of package indexes or oversized files."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_BYTES = 16 * 2**20
MAX_README_LINES = 150
TEXT_SUFFIXES = {
    ".py", ".pyi", ".proto", ".md", ".toml", ".yml", ".yaml", ".json", ".sh", ".cfg", ".ini", ".lock", ".txt",
    ".mako", ".conf", ".Dockerfile", ".importlinter", ".gitignore", "",
}  # fmt: skip
# Each pattern is split so that this file does not break its own rule.
RULES = {
    "a path of one machine": re.compile(r"(?<![\w.}])/(?:ro" r"ot|ho" r"me|wo" r"rk)/\w"),
    "the address of a package index": re.compile(
        r"pypi\.o" r"rg|pythonho" r"sted|--index-u" r"rl|extra-index-u" r"rl|pytorch\.o" r"rg/whl"
    ),
    "an API key of a user": re.compile(r"\bktv_[0-9a-z]{6,}_[\w-]{30,}"),
    "an unfinished note": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"),
}


def tracked(root: Path) -> list[Path]:
    """List the files that git tracks or would track, relative to root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in sorted(set(names.split("\0"))) if name and (root / name).is_file()]


def violations(path: Path, data: bytes) -> Iterator[str]:
    """Yield the violations of one file as `path:line text`."""
    if len(data) > MAX_FILE_BYTES:
        yield f"{path} has {len(data)} bytes (at most {MAX_FILE_BYTES})"
    if path.suffix not in TEXT_SUFFIXES or b"\0" in data[:8192]:
        return
    for number, line in enumerate(data.decode(errors="replace").splitlines(), start=1):
        for name, pattern in RULES.items():
            if pattern.search(line):
                yield f"{path}:{number} {name}"
    lines = data.count(b"\n")
    if path == Path("README.md") and lines > MAX_README_LINES:
        yield f"{path} has {lines} lines (at most {MAX_README_LINES})"
    if path == Path("requirements.lock") and b"://" in data:
        yield f"{path} contains an address; generate it with `make lock`"


def main() -> int:
    """Print every violation in the checkout; exit status 1 when there is one."""
    files = tracked(ROOT)
    problems = [problem for path in files for problem in violations(path, (ROOT / path).read_bytes())]
    print(f"{len(files)} files")
    print(*problems, sep="\n", end="\n" if problems else "")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
