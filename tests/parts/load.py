"""Users who upload and correct pages through the REST API while faults are injected, and log each operation.

A user repeats a request with its Idempotency-Key while the answer says so or none comes, as the README
advises, and sends some requests three times at once with one key.
"""

import asyncio
import hashlib
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.parts.operation_log import Operation, OperationLog, Outcome, Stored, StoredImage
from tests.parts.pages import draw_page, random_lines

UPLOAD_SHARE = 0.1
"""Share of uploads among the operations."""
TRIPLE_SHARE = 0.08
"""Share of the operations that are sent three times at once."""
LINES = 2
REQUEST_S = 90.0
"""Seconds until a client gives a request up: longer than each deadline of the gateway."""
MAX_RETRYING_S = 150.0
"""Seconds for which a client repeats an operation."""
RETRY_S = 0.3
MAX_RETRY_S = 1.0
"""Retry-After is followed up to this, so that the load returns soon after a fault."""
HISTORY = 100
"""Corrections that the history of a line shows."""


@dataclass
class LoadUser:
    """A user with a project and its pages."""

    name: str
    client: httpx.AsyncClient
    log: OperationLog
    random: random.Random
    seeds: Iterator[int]
    """Numbers of pages, each used once in the whole load."""
    project_id: str = ""
    pages: list[dict[str, Any]] = field(default_factory=list)

    async def prepare(self) -> None:
        """Create the project, and let no training start by itself."""
        (await self.client.put("/models/policy", json={"automatic": False})).raise_for_status()
        response = await self.client.post("/projects/", json={"name": self.name})
        self.project_id = response.raise_for_status().json()["project_id"]

    async def run(self, stop: asyncio.Event) -> None:
        """Upload and correct pages until the load stops."""
        while not stop.is_set():
            if not self.pages or self.random.random() < UPLOAD_SHARE:
                await self.upload()
            else:
                await self.correct()

    async def upload(self) -> None:
        """Upload a page that no other operation has."""
        lines = random_lines(LINES, length=10, seed=next(self.seeds))
        files = {"file": ("page.png", draw_page(lines))}
        operation = Operation("upload", self.name, "", time.monotonic())
        body = await self._send(
            operation, "image_id", "/ocr/", files=files, data={"project_id": self.project_id, "rotate": "0"}
        )
        if body is not None:
            self.pages.append(body)

    async def correct(self) -> None:
        """Correct a line of a page with a text that no other correction has."""
        page = self.random.choice(self.pages[-3:])
        line_id = self.random.choice(page["lines"])["line_id"]
        path = f"/projects/{self.project_id}/images/{page['image_id']}/lines/{line_id}"
        text = f"תיקון {len(self.log.operations)}"
        operation = Operation("correction", self.name, text, time.monotonic(), line=path)
        request = {
            "project_id": self.project_id,
            "image_id": page["image_id"],
            "lines": [{"line_id": line_id, "text": text}],
        }
        await self._send(operation, "feedback_id", "/feedback/", json=request)

    async def _send(
        self, operation: Operation, result: str, path: str, **content: Any
    ) -> dict[str, Any] | None:
        """Send an operation, some three times at once; return the body of a success."""
        self.log.call(operation)
        key = {"Idempotency-Key": uuid4().hex}
        copies = 3 if self.random.random() < TRIPLE_SHARE else 1
        repeated = (self._repeat(operation, path, headers=key, **content) for _ in range(copies))
        answers = [answer for answer in await asyncio.gather(*repeated) if answer is not None]
        bodies = [answer.json() for answer in answers if answer.is_success]
        operation.results = [body[result] for body in bodies]
        if bodies and operation.kind == "upload":
            operation.content = bodies[0]["text"]
            operation.answers = [" ".join(line["line_id"] for line in body["lines"]) for body in bodies]
        refused = bool(answers) and not bodies
        outcome: Outcome = "acknowledged" if bodies else "refused" if refused else "unknown"
        self.log.end(operation, outcome, time.monotonic())
        return bodies[0] if bodies else None

    async def _repeat(self, operation: Operation, path: str, **content: Any) -> httpx.Response | None:
        """Repeat a request until its answer is final; return None after MAX_RETRYING_S."""
        deadline = time.monotonic() + MAX_RETRYING_S
        while time.monotonic() < deadline:
            began, wait_s = time.monotonic(), RETRY_S
            try:
                response = await self.client.post(path, **content)
            except httpx.TransportError:
                operation.statuses.append(0)
            else:
                operation.statuses.append(response.status_code)
                if response.status_code not in {408, 409, 429} and response.status_code < 500:
                    return response
                wait_s = min(float(response.headers.get("retry-after", wait_s)), MAX_RETRY_S)
            finally:
                operation.slowest_s = max(operation.slowest_s, time.monotonic() - began)
            await asyncio.sleep(wait_s)
        return None

    async def stored(self) -> Stored:
        """Return what the API shows of this user: images with their files, and the history of each line."""
        contents = Stored()
        corrected: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            project = await self._get(
                f"/projects/{self.project_id}", cursor=cursor, limit="500", fields="text"
            )
            for image in project.json()["images"]:
                path = f"/projects/{self.project_id}/images/{image['image_id']}"
                file = await self._get(f"{path}/file", required=False)
                is_whole = file.is_success and image["transcription"] is not None
                lines = image["transcription"]["lines"] if is_whole else None
                text = None if lines is None else "\n".join(line["text"] for line in lines)
                contents.images[image["image_id"]] = StoredImage(
                    hashlib.sha256(file.content).hexdigest(), text
                )
                corrected += [
                    f"{path}/lines/{line['line_id']}" for line in lines or () if line["corrected_text"]
                ]
            cursor = project.json()["next_cursor"]
        for line in corrected:
            history = (await self._get(f"{line}/corrections")).json()["corrections"]
            assert len(history) < HISTORY, "the history of a line is longer than what the API shows"
            contents.corrections[line] = [entry["text"] for entry in history]
        return contents

    async def _get(self, path: str, *, required: bool = True, **parameters: str) -> httpx.Response:
        """Get a path; repeats what is refused for a time. Raises HTTPStatusError for what is required."""
        for _ in range(20):
            response = await self.client.get(path, params=parameters)
            if response.status_code < 500:
                return response.raise_for_status()
            await asyncio.sleep(0.3)
        return response.raise_for_status() if required else response


@dataclass
class Load:
    """Users at work; `log` has their operations."""

    log: OperationLog
    users: list[LoadUser]
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Start the work of all users."""
        self._tasks = [asyncio.create_task(user.run(self._stop)) for user in self.users]

    def check_alive(self) -> None:
        """Raise the error of a user's task that has ended."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Stop the users after the operations that are under way."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Close the clients and the log."""
        for user in self.users:
            await user.client.aclose()
        self.log.close()

    async def stored(self) -> dict[str, Stored]:
        """Return what the API shows of each user."""
        async with asyncio.TaskGroup() as group:
            contents = {user.name: group.create_task(user.stored()) for user in self.users}
        return {name: task.result() for name, task in contents.items()}

    def recovered(self, since: float) -> float | None:
        """Return the seconds until an upload and a correction called after a moment were acknowledged."""
        ends = []
        for kind in ("upload", "correction"):
            acknowledged = [
                operation.ended
                for operation in self.log.operations
                if operation.kind == kind and operation.began >= since and operation.outcome == "acknowledged"
            ]
            if not acknowledged:
                return None
            ends.append(min(acknowledged))
        return max(ends) - since


async def new_load(url: str, keys: dict[str, str], log: OperationLog, seed: int) -> Load:
    """Return users with these names and keys, each with a project."""
    # A load of its own draws pages of its own, so that the files of all loads differ.
    seeds = itertools.count(seed * 1_000_000)
    limits = httpx.Limits(max_connections=None)
    users = [
        LoadUser(
            name,
            httpx.AsyncClient(
                base_url=url,
                headers={"X-API-Key": key},
                timeout=REQUEST_S,
                limits=limits,
                trust_env=False,
            ),
            log,
            random.Random(f"{seed} {name}"),
            seeds,
        )
        for name, key in keys.items()
    ]
    await asyncio.gather(*(user.prepare() for user in users))
    return Load(log, users)
