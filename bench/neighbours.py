"""Measure how long a user waits for the reading of one line while another user attacks the system.

    python -m bench.neighbours ATTACK ... [--engine kraken|tiny] [--seconds 60]

Starts a system of its own on free ports with a victim and three attackers. For each attack it prints the
victim's median and worst seconds from a request to an answer, the worst seconds until a request succeeds
(it is repeated as Retry-After says), and the number of refusals. `quiet` measures without an attack.
"""

import argparse
import asyncio
import contextlib
import io
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import httpx
import numpy as np
import psutil

from ketav_engine.training.replay import read as read_lines
from ketav_local.demo.page import LINES, render
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings
from ketav_testing import tiny

MODELS: Final = Path("models")
NOISE_SIZE: Final = (1400, 1000)
"""Rows and columns of a page of random grey."""
ATTACKERS: Final = 3
GREEDY_CONNECTIONS: Final = 8
UPLOADS: Final = 6
"""Uploads of one user that the gateway receives at once."""
DRIP_S: Final = 10.0
"""Seconds between two bytes of a slow body."""
SETTINGS: Final = {"KETAV_OCR_RATE_LIMIT": "100000/minute", "KETAV_START_TIMEOUT_S": "600"}


@dataclass
class Attack:
    """A running system, the keys of the attackers, and the event that ends their threads."""

    run: Running
    keys: list[str]
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, function: Callable[..., None], *arguments: object) -> None:
        """Run a function in a thread."""
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def client(self, key: str) -> httpx.Client:
        """Return a REST client of a user."""
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.run.url, headers=headers, timeout=300, trust_env=False)

    def read_images(self, key: str, images: Callable[[int], bytes]) -> None:
        """Upload images one after the other."""
        with self.client(key) as client, contextlib.suppress(httpx.HTTPError):
            while not self.stop.is_set():
                image = images(time.monotonic_ns() % 1_000_000)
                response = client.post("/ocr/", files={"file": ("page.png", image, "image/png")})
                self.stop.wait(float(response.headers.get("retry-after", 0)))

    def send_slowly(self, key: str, path: str) -> None:
        """Send the body of a form byte by byte."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: ketav\r\nAuthorization: Bearer {key}\r\nContent-Length: 9000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        )
        while not self.stop.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.run.system.settings.port)) as connection,
            ):
                connection.sendall(head.encode())
                connection.settimeout(0.01)
                while not self.stop.wait(DRIP_S):
                    connection.sendall(b"x")
                    with contextlib.suppress(TimeoutError):
                        connection.recv(1)
                        break


def noise(seed: int) -> bytes:
    """Return a PNG of random grey."""
    grey = np.random.default_rng(seed).integers(0, 256, NOISE_SIZE, dtype=np.uint8)
    return cv2.imencode(".png", grey)[1].tobytes()


def attack_with_noise(attack: Attack) -> None:
    """One user has three pages of noise read at once."""
    for _ in range(3):
        attack.start(attack.read_images, attack.keys[0], noise)


def attack_greedily(attack: Attack) -> None:
    """One user has eight pages read at once."""
    for _ in range(GREEDY_CONNECTIONS):
        attack.start(attack.read_images, attack.keys[0], lambda seed: render(LINES, seed=seed))


def attack_with_slow_uploads(attack: Attack) -> None:
    """Three users send images slowly."""
    for key in attack.keys * UPLOADS:
        attack.start(attack.send_slowly, key, "/ocr/")


def attack_with_slow_imports(attack: Attack) -> None:
    """Two users send archives slowly."""
    for key in attack.keys[:2]:
        with attack.client(key) as client:
            project = client.post("/projects", json={"name": "p"}).raise_for_status().json()["project_id"]
        attack.start(attack.send_slowly, key, f"/projects/{project}/ground-truth")


def stop_process(run: Running, name: str, *, child: bool = False) -> None:
    """Stop a process, or its first child, with SIGSTOP."""
    pid = run.supervisor.processes[name].pid
    process = psutil.Process(pid)
    os.kill(process.children()[0].pid if child else pid, signal.SIGSTOP)


ATTACKS: Final[dict[str, Callable[[Attack], None]]] = {
    "quiet": lambda _: None,
    "noise": attack_with_noise,
    "greedy": attack_greedily,
    "slow-uploads": attack_with_slow_uploads,
    "slow-imports": attack_with_slow_imports,
    "stopped-reader": lambda attack: stop_process(attack.run, "recognizer", child=True),
    "stopped-recognizer": lambda attack: stop_process(attack.run, "recognizer"),
    "stopped-registry": lambda attack: stop_process(attack.run, "registry"),
}


@dataclass
class Waits:
    """Seconds until each answer and until each success, and refusals by status."""

    answers: list[float] = field(default_factory=list)
    successes: list[float] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def describe(self) -> str:
        """Return the figures as text."""
        median, worst = np.median(self.answers), max(self.answers)
        success = f"{max(self.successes):.2f} s" if self.successes else "none"
        kinds = {status: self.refusals.count(status) for status in sorted(set(self.refusals))}
        return (
            f"answers median {median:.2f} s, worst {worst:.2f} s; worst success {success}; "
            f"{len(self.successes)} successes, refusals {kinds or 'none'}"
        )


def archive(number: int) -> bytes:
    """Return an archive of one line image with its text."""
    target = io.BytesIO()
    line = np.full((60, 300), 255, dtype=np.uint8)
    cv2.putText(line, str(number), (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 3)
    with zipfile.ZipFile(target, "w") as files:
        files.writestr("a.png", cv2.imencode(".png", line)[1].tobytes())
        files.writestr("a.gt.txt", "שלום")
    return target.getvalue()


def requests_of(client: httpx.Client, name: str) -> Iterator[httpx.Request]:
    """Yield the victim's requests: lines to read, during slow imports archives."""
    if name == "slow-imports":
        project = client.post("/projects", json={"name": "v"}).raise_for_status().json()["project_id"]
        for number in range(1_000_000):
            files = {"file": ("a.zip", archive(number), "application/zip")}
            yield client.build_request("POST", f"/projects/{project}/ground-truth", files=files)
    for line in itertools.cycle(read_lines(MODELS / "replay_lines.npz")):
        files = {"file": ("line.png", cv2.imencode(".png", line.image)[1].tobytes(), "image/png")}
        yield client.build_request("POST", "/ocr/", files=files, data={"layout": "line"})


def measure(attack: Attack, name: str, seconds: float) -> Waits:
    """Send the victim's requests one after another while an attack runs."""
    waits = Waits()
    with attack.client(attack.run.api_key) as client:
        requests = requests_of(client, name)
        client.send(next(requests))
        ATTACKS[name](attack)
        time.sleep(1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            request = next(requests)
            while True:
                sent = time.monotonic()
                response = client.send(request)
                waits.answers.append(time.monotonic() - sent)
                if response.is_success:
                    waits.successes.append(time.monotonic() - began)
                    break
                waits.refusals.append(response.status_code)
                if time.monotonic() > end:
                    break
                time.sleep(float(response.headers.get("retry-after", 1)))
            time.sleep(0.2)
    return waits


def add_user(run: Running, name: str) -> str:
    """Add a user to the running system; return the API key."""
    command = [sys.executable, "-m", "ketav_local.command", "users", "add", name]
    env = {**os.environ, "KETAV_DATA_DIR": str(run.system.data.root)}
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return next(word for word in ran.stdout.split() if word.startswith("ktv_"))


def tiny_models(folder: Path) -> Path:
    """Write a base model of the tiny engine that reads a letter for every shape; return its folder."""
    target = folder / "models"
    target.mkdir()
    table = np.resize(np.array([ord(letter) for letter in tiny.LETTERS], dtype=np.int32), tiny.CODES)
    (target / "hebrew_base.safetensors").write_bytes(tiny.save(table))
    return target


async def bench(names: list[str], engine: str, seconds: float) -> None:
    """Measure each attack on a fresh system."""
    os.environ.update(SETTINGS)
    for name in names:
        with tempfile.TemporaryDirectory(prefix="ketav-bench-") as folder:
            settings = LocalSettings.apart(Path(folder), free_ports(1)[0])
            models = MODELS if engine == "kraken" else tiny_models(Path(folder))
            async with running(settings.model_copy(update={"engine": engine, "models_dir": models})) as run:
                users = [f"attacker-{number}" for number in range(ATTACKERS)]
                keys = [await asyncio.to_thread(add_user, run, user) for user in users]
                attack = Attack(run, keys)
                try:
                    waits = await asyncio.to_thread(measure, attack, name, seconds)
                finally:
                    attack.stop.set()
                print(f"{name}: {waits.describe()}; load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="Measure a user's waits during attacks of others.")
    parser.add_argument("attacks", nargs="+", choices=list(ATTACKS))
    parser.add_argument("--engine", choices=("kraken", "tiny"), default="kraken")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each attack")
    arguments = parser.parse_args()
    asyncio.run(bench(arguments.attacks, arguments.engine, arguments.seconds))


if __name__ == "__main__":
    main()
