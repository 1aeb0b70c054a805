"""A whole system in processes of this machine, started like `make run` and used through REST and its CLI."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from PIL import Image, ImageDraw

from ketav_local.ports import free_ports

READY_S = 120.0
STOP_S = 40.0
KEY_LOOKUP = "ResolveApiKey"


@dataclass
class LocalSystem:
    """One system on a data folder: started, stopped, its REST clients, processes and logs."""

    data_dir: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_ports(1)[0])
    supervisor: subprocess.Popen[str] | None = None
    printed: str = ""

    def start(self) -> float:
        """Start `python -m ketav_local` and wait until it is ready; return the seconds that it took."""
        settings = {"KETAV_DATA_DIR": str(self.data_dir), "KETAV_PORT": str(self.port)}
        began = time.monotonic()
        self.supervisor = subprocess.Popen(
            [sys.executable, "-m", "ketav_local"],
            env={**os.environ, **self.env, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.supervisor.stdout is not None
        self.printed = ""
        for line in self.supervisor.stdout:
            self.printed += line
            if "Ctrl-C" in line:
                return time.monotonic() - began
        self.supervisor.communicate()
        raise AssertionError(f"the system did not start:\n{self.printed}\n{self.tails()}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the supervisor and wait for its end; return its exit status."""
        assert self.supervisor is not None
        self.supervisor.send_signal(number)
        rest, _ = self.supervisor.communicate(timeout=STOP_S)
        self.printed += rest
        return self.supervisor.returncode

    @contextlib.contextmanager
    def running(self) -> Iterator["LocalSystem"]:
        """Run the system until the block ends; it must end with status 0 after SIGTERM."""
        self.start()
        try:
            yield self
        finally:
            status = self.stop()
        assert status == 0, self.printed

    def tails(self) -> str:
        """Return the last lines of every log, for the message of a failure."""
        logs = sorted((self.data_dir / "logs").glob("*.log"))
        return "\n".join(f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:]) for log in logs)

    @property
    def api_key(self) -> str:
        """API key of the first user."""
        return (self.data_dir / "api_key").read_text().strip()

    @property
    def url(self) -> str:
        """Address of the correction page."""
        return f"http://127.0.0.1:{self.port}/"

    def client(self, key: str | None = None) -> httpx.Client:
        """Return a REST client of one user, by default the first."""
        headers = {"Authorization": f"Bearer {key or self.api_key}"}
        url = f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)

    def add_user(self, name: str) -> str:
        """Add a user to the running system; return the API key."""
        command = [sys.executable, "-m", "ketav_local.command", "users", "add", name]
        env = {**os.environ, "KETAV_DATA_DIR": str(self.data_dir)}
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return next(word for word in ran.stdout.split() if word.startswith("ktv_"))

    def pids(self) -> dict[str, int]:
        """Return the process ids of the supervisor's processes, by name."""
        listed = json.loads((self.data_dir / "processes.json").read_text())
        return {name: pid for name, (pid, _) in listed.items()}

    def processes(self) -> list[psutil.Process]:
        """Return the supervisor and all its descendants."""
        assert self.supervisor is not None
        root = psutil.Process(self.supervisor.pid)
        return [root, *root.children(recursive=True)]

    def kill(self, name: str) -> None:
        """Kill one process and wait until the supervisor has replaced it and the gateway is ready."""
        killed = self.pids()[name]
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: self.pids().get(name, killed) != killed, 60)
        wait_until(self.is_ready, 60)

    def is_ready(self) -> bool:
        """Return whether the gateway is ready: all services serve."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def handled(self, request_id: str) -> list[str]:
        """Return the methods that the services handled for one request, in the order in which they ended.

        ResolveApiKey is left out: the gateway caches its response for three seconds.
        """
        handled = [event for event in self.events() if event.get("event") == "rpc_handled"]
        of_request = [event for event in handled if event["request_id"] == request_id]
        of_request.sort(key=lambda event: str(event["timestamp"]))
        return [str(event["method"]) for event in of_request if event["method"] != KEY_LOOKUP]

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the log events of all services."""
        for log in (self.data_dir / "logs").glob("*.log"):
            for line in log.read_text(errors="replace").splitlines():
                if line.startswith("{"):
                    yield json.loads(line)


def wait_until(condition: Any, within_s: float) -> None:
    """Wait until the condition holds; fails after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not hold within {within_s} s"
        time.sleep(0.1)


def request_id() -> dict[str, str]:
    """Return a header with a new request id, by which the logs are searched."""
    return {"X-Request-Id": f"e2e-{uuid.uuid4().hex}"}


def tiny_system(folder: Path, models: Path) -> LocalSystem:
    """Return a system on the tiny engine, not started."""
    return LocalSystem(folder, {"KETAV_ENGINE": "tiny", "KETAV_MODELS_DIR": str(models)})


def boxes(lines: int, seed: int = 0, width: int = 600) -> bytes:
    """Return a PNG with lines of boxes; each seed (modulo 5) and width has another page."""
    image = Image.new("L", (width, 60 + 60 * lines), 255)
    pen = ImageDraw.Draw(image)
    for line in range(lines):
        top = 30 + 60 * line
        for letter in range(6):
            left = 500 - 40 * letter - 20 * (line % 2)  # ragged: in columns it would read as well on its side
            pen.rectangle((left, top, left + 20 + (letter + seed) % 5, top + 24 + 2 * line), fill=0)
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()
