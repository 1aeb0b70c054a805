"""Prometheus's own checker, `promtool`: installed, or unpacked from Debian's package `prometheus`."""

import shutil
import subprocess
from pathlib import Path


def find_promtool(folder: Path) -> Path | None:
    """Return the path of promtool, unpacked into the folder unless it is installed; None without either."""
    installed = shutil.which("promtool")
    if installed:
        return Path(installed)
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    command = ["apt-get", "download", "-o", "Acquire::Retries=1", "prometheus"]
    fetched = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    packages = list(folder.glob("prometheus_*.deb"))
    if fetched.returncode or not packages:
        return None
    subprocess.run(["dpkg-deb", "--extract", str(packages[0]), str(folder)], check=True, timeout=60)
    return folder / "usr" / "bin" / "promtool"
