"""One training of the demo: letters are corrected, a model is trained, and another letter is read again."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ketav_common.error_rates import cer
from ketav_local.demo.letters import LAST_LETTER, LETTERS
from ketav_local.demo.page import render
from ketav_local.demo.picture import draw
from ketav_local.errors import StartError
from ketav_local.main import say

TRAINING_S = 1800.0
"""Time after which the demo gives up; a training takes a minute or two on an idle machine."""
_POLL_S = 1.0
_ENDED = frozenset({"succeeded", "rejected", "failed", "cancelled"})


@dataclass(frozen=True)
class Readings:
    """The lines of the last letter as written, and as read before and after the training."""

    written: Sequence[str]
    before: Sequence[str]
    after: Sequence[str]

    def rate(self, read: Sequence[str]) -> float:
        """Return the CER of a reading, 0 to 1."""
        return cer([("\n".join(self.written), "\n".join(read))]).rate


async def show_learning(client: httpx.AsyncClient, picture: Path | None) -> None:
    """Correct three letters, train, and show a fourth as read before and after; `picture` is its file."""
    project_id = await _correct_letters(client)
    page = await asyncio.to_thread(render, LAST_LETTER)
    first = json_or_raise(await client.post("/ocr/", files=_file(page), data={"project_id": project_id}))
    say("POST /train/: a model is trained on the corrected lines, which takes a minute or two")
    began = time.monotonic()
    verdict = await _train(client)
    say(f"trained in {time.monotonic() - began:.0f} s. {verdict}")
    path = f"/projects/{project_id}/images/{first['image_id']}/ocr"
    second = json_or_raise(await client.post(path))
    readings = Readings(LAST_LETTER, *([line["text"] for line in read["lines"]] for read in (first, second)))
    before, after = readings.rate(readings.before), readings.rate(readings.after)
    print(
        f"\n   CER of a letter that was not corrected: {before:.1%} before the training, {after:.1%} after\n"
    )
    if picture is not None:
        await asyncio.to_thread(draw, page, readings.written, (readings.before, readings.after), picture)
        say(f"both readings next to the letter: {picture}")


async def _correct_letters(client: httpx.AsyncClient) -> str:
    """Read the letters into a project and correct all their lines; return the project's id."""
    json_or_raise(await client.put("/models/policy", json={"automatic": False}))
    created = json_or_raise(await client.post("/projects/", json={"name": "Letters"}))
    project_id: str = created["project_id"]
    for lines in LETTERS:
        page = await asyncio.to_thread(render, lines)
        read = json_or_raise(await client.post("/ocr/", files=_file(page), data={"project_id": project_id}))
        # The texts are those that were drawn: none waits for a confirmation.
        texts = [
            {"line_id": line["line_id"], "text": text, "confirm": True}
            for line, text in zip(read["lines"], lines, strict=False)
        ]
        correction = {"project_id": project_id, "image_id": read["image_id"], "lines": texts}
        json_or_raise(await client.post("/feedback/", json=correction))
    say(f"{sum(map(len, LETTERS))} lines of {len(LETTERS)} letters are corrected")
    return project_id


async def _train(client: httpx.AsyncClient) -> str:
    """Train a model; return its verdict. Raises StartError when the training does not end."""
    run_id = json_or_raise(await client.post("/train/", json={"hand": None}))["run_id"]
    until = time.monotonic() + TRAINING_S
    while time.monotonic() < until:
        run = json_or_raise(await client.get(f"/train/{run_id}"))
        if run["state"] in _ENDED:
            return str(run["verdict"])
        await asyncio.sleep(_POLL_S)
    raise StartError(f"The training did not end within {TRAINING_S:.0f} s. Read the log of the worker.")


def _file(page: bytes) -> dict[str, tuple[str, bytes, str]]:
    """Return the form's file of a page."""
    return {"file": ("letter.png", page, "image/png")}


def json_or_raise(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON of a successful response; raises StartError with the problem otherwise."""
    if not response.is_success:
        raise StartError(
            f"The gateway answered {response.request.url.path} with status {response.status_code}. "
            f"Read its answer: {response.text}"
        )
    body: dict[str, Any] = response.json()
    return body
