"""Podman with storage of its own: builds images and serves Docker's API without a daemon or a registry."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = (
    "podman",
    "buildah",
    "runc",
    "netavark",
    "aardvark-dns",
    "iptables",
    "debootstrap",
    "catatonit",
)
"""Debian packages; catatonit is the init process of containers with `init: true`."""
BUILD_S = 1500.0
"""Longest build: torch is downloaded, unpacked and stored in a layer."""
SETTINGS = """[containers]
init_path="/usr/bin/catatonit"
default_ulimits=["nofile=16384:16384","nproc=16384:16384"]
[engine]
runtime="runc"
cgroup_manager="cgroupfs"
events_logger="file"
"""


def unavailable() -> str | None:
    """Return why containers cannot run here, or None; installs Podman's packages where they are missing."""
    if os.geteuid() != 0:
        return "containers are tested as root only"
    if all(shutil.which(program) for program in ("podman", "runc", "debootstrap")):
        return None
    if shutil.which("apt-get") is None:
        return "Podman is not installed, and this machine has no apt-get"
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        ran = subprocess.run(["apt-get", "--quiet", *command], capture_output=True, text=True, check=False)
        if ran.returncode:
            return f"apt-get {command[0]} failed: {ran.stderr.strip()[-300:]}"
    return None


@dataclass(frozen=True)
class Podman:
    """Podman on one folder of images and layers; everything that runs is kept under a short path."""

    folder: Path

    @property
    def state(self) -> Path:
        """Folder of sockets and run state; paths of sockets have at most 107 characters."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        return Path(tempfile.gettempdir()) / f"ketav-podman-{digest}"

    @property
    def socket(self) -> Path:
        """Socket of the service."""
        return self.state / "api.sock"

    def prepare(self) -> None:
        """Create the folders and the settings file."""
        for folder in (self.folder / "storage", self.folder / "tmp", self.state):
            folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "containers.conf").write_text(SETTINGS)

    def environment(self) -> dict[str, str]:
        """Return the environment of Podman's processes."""
        own = {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "TMPDIR": str(self.folder / "tmp"),
        }
        return {**os.environ, **own}

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of Podman on its own folders."""
        return [
            "podman",
            "--log-level=error",
            f"--root={self.folder / 'storage'}",
            f"--runroot={self.state / 'run'}",
            f"--tmpdir={self.state / 'tmp'}",
            f"--network-config-dir={self.state / 'networks'}",
            "--storage-driver=overlay",
            *arguments,
        ]

    def run(self, *arguments: str, check: bool = True, timeout: float = 120) -> str:
        """Run a command of Podman and return what it printed."""
        ran = subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and ran.returncode:
            raise RuntimeError(f"podman {' '.join(arguments)}: {ran.stderr[-3000:]}{ran.stdout[-1000:]}")
        return ran.stdout

    def build(self, image: str, context: Path, dockerfile: Path, *options: str) -> float:
        """Build an image from local images alone; return the seconds it took.

        The steps use the network of this machine and its certificates, as the build secret `ca_bundle`.
        """
        bundle = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
        began = time.monotonic()
        self.run(
            "build",
            "--pull=never",
            "--format=docker",
            "--network=host",
            f"--secret=id=ca_bundle,src={bundle}",
            f"--file={dockerfile}",
            f"--tag={image}",
            *options,
            str(context),
            timeout=BUILD_S,
        )
        return time.monotonic() - began

    def size(self, image: str) -> int:
        """Return the size of an image in bytes, all layers included."""
        return int(self.run("image", "inspect", "--format={{.Size}}", image))

    def layers(self, image: str) -> list[str]:
        """Return the digests of an image's layers, the lowest first."""
        layers: list[str] = json.loads(
            self.run("image", "inspect", "--format={{json .RootFS.Layers}}", image)
        )
        return layers

    def has_image(self, image: str) -> bool:
        """Return whether the image is stored."""
        return bool(self.run("images", "--quiet", image).strip())

    def inspect(self, container: str) -> dict[str, Any]:
        """Return what Podman knows of a container."""
        described: dict[str, Any] = json.loads(self.run("inspect", container))[0]
        return described

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Serve Docker's API for the block and run the containers' health checks; yields DOCKER_HOST."""
        self.socket.unlink(missing_ok=True)
        address = f"unix://{self.socket}"
        with (self.folder / "service.log").open("ab") as log:
            service = subprocess.Popen(
                self.command("system", "service", "--time=0", address),
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        stop = threading.Event()
        checks = threading.Thread(target=self._check_health, args=[stop])
        checks.start()
        try:
            while not self.socket.exists():
                if service.poll() is not None:
                    raise RuntimeError("podman system service did not start")
                time.sleep(0.05)
            yield address
        finally:
            stop.set()
            checks.join()
            service.terminate()
            service.wait(20)

    def _check_health(self, stop: threading.Event) -> None:
        """Run the containers' health checks until `stop` is set; Podman itself needs systemd for that."""
        due: dict[str, float] = {}
        while not stop.wait(0.5):
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired, IndexError):
                for container in self.run("ps", "--quiet", "--no-trunc").split():
                    if time.monotonic() >= due.get(container, 0):
                        due[container] = time.monotonic() + self._check(container)

    def _check(self, container: str) -> float:
        """Run one container's health check, if it has one; return the seconds until the next."""
        described = self.inspect(container)
        check = described["Config"].get("Healthcheck")
        if not check or check.get("Test", ["NONE"])[0] == "NONE":
            return 3600.0
        self.run("healthcheck", "run", container, check=False, timeout=60)
        healthy = self.inspect(container)["State"]["Health"]["Status"] == "healthy"
        return float(check.get("Interval", 5e9)) / 1e9 if healthy else 1.0

    def create_network(self, name: str, interface: str) -> None:
        """Create a network whose bridge has a name of its own, of at most 15 characters.

        Netavark 1.4 leaves the isolation rules of a removed Compose network behind. They name its bridge,
        `podman1` and so on; a later bridge of the same name would get no packets of other networks.
        Podman 4.3 has no option for the name, so it is written to the network's file.
        """
        self.run("network", "create", name)
        file = self.state / "networks" / f"{name}.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "network_interface": interface}))

    def left(self) -> dict[str, list[str]]:
        """Return the containers, volumes, pods and own networks that exist."""
        networks = self.run("network", "ls", "--format={{.Name}}").split()
        return {
            "containers": self.run("ps", "--all", "--quiet").split(),
            "volumes": self.run("volume", "ls", "--quiet").split(),
            "networks": [name for name in networks if name != "podman"],
        }

    def close(self) -> None:
        """Remove all containers, volumes and networks, and unmount the storage.

        The images stay, and for a day the layers of earlier builds.
        """
        self.run("rm", "--all", "--force", "--time=0", "--volumes", check=False)
        self.run("volume", "prune", "--force", check=False)
        self.run("network", "prune", "--force", check=False)
        self.run("image", "prune", "--force", "--filter=until=24h", check=False, timeout=600)
        mount = self.folder / "storage" / "overlay"
        subprocess.run(["umount", "--quiet", str(mount)], check=False, capture_output=True)
        shutil.rmtree(self.state, ignore_errors=True)
