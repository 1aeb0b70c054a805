"""The compose files of the repository, brought up by Compose on Podman and asked from outside."""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.containers.images import ROOT, TAG, image
from tests.containers.podman import Podman

PROJECT = "ketav-test"
COMPOSE = str(Path(sys.executable).with_name("docker-compose"))
NAME_ATTEMPTS = 5
"""Attempts to add a user before the last one, whose error is shown."""
NAME_PAUSE_S = 10
UP_S = 420.0
"""Longest start of the whole system; two cores compile and import torch several times."""


@dataclass
class ComposeSystem:
    """One system of containers."""

    podman: Podman
    host: str
    """DOCKER_HOST of Podman's service."""
    port: int
    """Port of the public API on 127.0.0.1."""
    files: tuple[Path, ...] = (ROOT / "docker-compose.yml",)
    settings: dict[str, str] = field(default_factory=dict)
    """Variables of the compose files besides the secrets."""

    @property
    def env_file(self) -> Path:
        """File of the secrets, written by the script of `make up`."""
        return self.podman.folder / "test.env"

    def environment(self) -> dict[str, str]:
        """Return the environment of Compose: this Podman and these images, none of the caller's settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KETAV_")}
        own = {
            "DOCKER_HOST": self.host,
            "KETAV_PORT": str(self.port),
            "KETAV_TAG": TAG,
            "POSTGRES_IMAGE": image("postgres"),
            "REDIS_IMAGE": image("redis"),
            "MINIO_IMAGE": image("objects"),
            "HAPROXY_IMAGE": image("proxy"),
        }
        return {**inherited, **own, **self.settings}

    def compose(self, *arguments: str, check: bool = True, timeout: float = UP_S) -> str:
        """Run Compose and return its standard output."""
        if not self.env_file.exists():
            script = ROOT / "deploy/docker/write_env.py"
            subprocess.run([sys.executable, str(script), str(self.env_file)], check=True)
        files = [f"--file={file}" for file in self.files]
        ran = subprocess.run(
            [COMPOSE, f"--project-name={PROJECT}", f"--env-file={self.env_file}", *files, *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and ran.returncode:
            raise AssertionError(f"compose {' '.join(arguments)}: {ran.stderr[-3000:]}\n{self.tails()}")
        return ran.stdout

    def up(self, *arguments: str) -> float:
        """Bring the system up, or scale it, and wait until it is healthy; return the seconds it took."""
        began = time.monotonic()
        try:
            self.compose("up", "--detach", "--no-build", "--pull=never", "--wait", *arguments)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"not healthy after {UP_S:.0f} s:\n{self.tails()}") from error
        return time.monotonic() - began

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.compose("down", "--volumes", "--timeout=30")

    def containers(self, service: str) -> list[str]:
        """Return the names of a service's running containers in the order of their numbers."""
        of_service = f"--filter=label=com.docker.compose.service={service}"
        names = self.podman.run("ps", of_service, "--format={{.Names}}").split()
        return sorted(names)

    def client(self, key: str) -> httpx.Client:
        """Return a REST client of the user with this key."""
        headers = {"Authorization": f"Bearer {key}"}
        url = f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=url, headers=headers, timeout=180, trust_env=False)

    def add_user(self, name: str) -> str:
        """Add a user and return the API key.

        Podman's name server may resolve nothing for some seconds after containers have changed: the command,
        which then finds no store and changes nothing, is repeated.
        """
        command = ("exec", "--no-TTY", "registry", "ketav", "users", "add", name)
        for _ in range(NAME_ATTEMPTS):
            printed = self.compose(*command, check=False)
            if "ktv_" in printed:
                break
            time.sleep(NAME_PAUSE_S)
        else:
            printed = self.compose(*command)
        api_key = re.search(r"ktv_\S+", printed)
        assert api_key, printed
        return api_key.group()

    def wait_until_ready(self, seconds: float = 90) -> None:
        """Wait until /readyz reports that every service serves."""
        deadline = time.monotonic() + seconds
        answer = "no response"
        while time.monotonic() < deadline:
            try:
                response = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5, trust_env=False)
                if response.is_success:
                    return
                answer = response.text
            except httpx.TransportError as error:
                answer = repr(error)
            time.sleep(0.3)
        raise AssertionError(f"not ready within {seconds} s: {answer}\n{self.tails()}")

    def wait_until_healthy(self, container: str, seconds: float = 120) -> None:
        """Wait until a container's health check succeeds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.podman.inspect(container)["State"]
            if state["Running"] and state.get("Health", {}).get("Status") == "healthy":
                return
            time.sleep(0.3)
        raise AssertionError(f"{container} is not healthy within {seconds} s\n{self.tails()}")

    def events(self, container: str) -> Iterator[dict[str, Any]]:
        """Yield the log events of a container since it was created."""
        ran = subprocess.run(
            self.podman.command("logs", container),
            env=self.podman.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        for line in ran.stdout.splitlines():
            if line.startswith("{"):
                yield json.loads(line)

    def pages_read(self) -> Counter[str]:
        """Count the pages that each recognizer has read."""
        counts: Counter[str] = Counter()
        for container in self.containers("recognizer"):
            counts[container] = sum(
                event.get("event") == "rpc_handled"
                and event.get("method") == "RecognizePage"
                and event.get("code") == "OK"
                for event in self.events(container)
            )
        return counts

    def tails(self) -> str:
        """Return the states and last log lines of all containers, for a failure's message."""
        parts = [self.podman.run("ps", "--all", check=False)]
        for container in self.podman.run("ps", "--all", "--format={{.Names}}", check=False).split():
            ran = subprocess.run(
                self.podman.command("logs", "--tail=8", container),
                env=self.podman.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            parts.append(f"--- {container}\n{ran.stdout[-1500:]}")
        return "\n".join(parts)


def read_page(client: httpx.Client, page: bytes, **fields: str) -> dict[str, Any]:
    """Post a page and return the answer."""
    response = client.post("/ocr/", files={"file": ("page.png", page, "image/png")}, data=fields)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer
