"""Requests from several users at once, counted by outcome."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from tests.containers.compose import ComposeSystem


@dataclass
class Outcomes:
    """Number of requests by method, path and status, or by error; and the failures in words."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def record(self, request: str, response: httpx.Response) -> None:
        """Count a response; anything but success is a failure."""
        self.counts[f"{request} {response.status_code}"] += 1
        if not response.is_success:
            self.failures.append(
                f"{time.strftime('%X')} {request} {response.status_code} {response.text[:300]}"
            )

    def record_error(self, error: Exception) -> None:
        """Count a request without a response."""
        self.counts[type(error).__name__] += 1
        self.failures.append(f"{time.strftime('%X')} {error!r}")

    @property
    def total(self) -> int:
        """Number of requests."""
        return sum(self.counts.values())


@contextlib.contextmanager
def load(system: ComposeSystem, keys: list[str], line: bytes, pause_s: float = 1.1) -> Iterator[Outcomes]:
    """Read lines and list projects until the block ends: one request at a time for each user.

    The pause keeps every user below the limit of 60 readings a minute.
    """
    outcomes = Outcomes()
    stop = threading.Event()
    users = [threading.Thread(target=_use, args=[system, key, line, pause_s, stop, outcomes]) for key in keys]
    for user in users:
        user.start()
    try:
        yield outcomes
    finally:
        stop.set()
        for user in users:
            user.join()


def _use(
    system: ComposeSystem, key: str, line: bytes, pause_s: float, stop: threading.Event, outcomes: Outcomes
) -> None:
    """Send one user's requests, each on a connection of its own, as many clients would."""
    while not stop.wait(pause_s):
        try:
            with system.client(key) as client:
                files = {"file": ("line.png", line, "image/png")}
                outcomes.record("POST /ocr/", client.post("/ocr/", files=files, data={"layout": "line"}))
            with system.client(key) as client:
                outcomes.record("GET /projects/", client.get("/projects/"))
        except httpx.TransportError as error:
            outcomes.record_error(error)
