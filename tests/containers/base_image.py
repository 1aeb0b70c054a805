"""Makes the base image `python:3.11-slim-bookworm` from Debian's packages, without an image registry."""

import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.containers.podman import Podman

IMAGE = "docker.io/library/python:3.11-slim-bookworm"
# As in the original, which has neither documentation nor bytecode.
EMPTIED = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
)


def make_base_image(podman: Podman) -> None:
    """Import the base image unless it is stored already; takes about a minute and a half."""
    if podman.has_image(IMAGE):
        return
    root = podman.folder / "rootfs"
    shutil.rmtree(root, ignore_errors=True)
    packages = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(
        ["debootstrap", "--variant=minbase", packages, "bookworm", str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=900,
    )
    _resemble_the_original(root)
    archive = podman.folder / "rootfs.tar"
    with tarfile.open(archive, "w") as file:
        file.add(root, arcname=".")
    podman.run("import", str(archive), IMAGE, timeout=600)
    archive.unlink()
    shutil.rmtree(root)


def _resemble_the_original(root: Path) -> None:
    """Delete what the original leaves out, allow pip, and provide `python` under /usr/local/bin."""
    for name in EMPTIED:
        for path in (root / name).iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for cache in list(root.glob("usr/**/__pycache__")):
        shutil.rmtree(cache)
    (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
