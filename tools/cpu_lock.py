"""Divide requirements.lock for an installation with a torch that has no CUDA (`make install TORCH=cpu`).

    python tools/cpu_lock.py requirements.lock LOCKED TORCH

LOCKED gets all packages but torch, torchvision and the CUDA libraries, with their hashes. TORCH gets the
versions of torch and torchvision without hashes: builds without CUDA come from an index of their own, and the
lock does not know their files. Standard library only: it runs before anything is installed.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

TORCH = {"torch", "torchvision"}
_CUDA = re.compile(r"nvidia-|cuda-|triton\Z")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def entries(lock: str) -> Iterator[str]:
    """Yield the requirements of a lock, each with its hash and comment lines."""
    entry: list[str] = []
    for line in lock.splitlines():
        if entry and _NAME.match(line):
            yield "\n".join(entry) + "\n"
            entry = []
        if entry or _NAME.match(line):
            entry.append(line)
    if entry:
        yield "\n".join(entry) + "\n"


def name_of(entry: str) -> str:
    """Return the package's name of a requirement."""
    match = _NAME.match(entry)
    return match[0].lower() if match else ""


def without_torch(lock: str) -> str:
    """Return the lock without torch, torchvision and the CUDA libraries."""
    return "".join(e for e in entries(lock) if name_of(e) not in TORCH and not _CUDA.match(name_of(e)))


def torch_versions(lock: str) -> str:
    """Return the requirements of torch and torchvision without hashes and markers."""
    pins = (entry.split("\\")[0].split(";")[0].strip() for entry in entries(lock) if name_of(entry) in TORCH)
    return "".join(f"{pin}\n" for pin in pins)


def main(arguments: list[str]) -> None:
    """Write both files."""
    lock, locked, torch = map(Path, arguments)
    text = lock.read_text(encoding="utf-8")
    locked.write_text(without_torch(text), encoding="utf-8")
    torch.write_text(torch_versions(text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
