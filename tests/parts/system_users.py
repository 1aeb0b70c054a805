"""Users of a running system for fault tests: they correct pages, start trainings and read pages."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav.registry.v1 import corrections_pb2, models_pb2, pages_pb2, transcriptions_pb2
from ketav.trainer.v1 import trainer_pb2
from ketav_common import rpc
from ketav_common.errors import Conflict, TimedOut, Unavailable
from tests.parts.pages import draw_page, place_of, random_lines
from tests.parts.registry import acting, upload
from tests.parts.world import World

BASE = "hebrew_base-1"
"""The base model's version."""
CURSIVE = page_pb2.SCRIPT_MODERN_CURSIVE
LINES = 12
CALL_S = 60
"""Deadline of a call in seconds: the machine may be busy."""


@dataclass
class SystemUser:
    """A user; `letters` maps each drawn letter to the letter that the user writes for it."""

    world: World
    user_id: UUID
    letters: Mapping[str, str]

    def means(self, text: str) -> str:
        """Return the user's text for a drawn text."""
        return "".join(self.letters.get(letter, letter) for letter in text)

    async def page(self, seed: int) -> pages_pb2.CreatePageResponse:
        """Upload a page with the lines of a seed."""
        with acting(self.user_id), rpc.raise_ketav_errors():
            image = draw_page(random_lines(LINES, seed=seed))
            answer: pages_pb2.CreatePageResponse = await self.world.pages.CreatePage(
                upload(image), timeout=CALL_S
            )
            return answer

    async def correct(self, seed: int, turned: bool = False) -> None:
        """Record a wrong transcription of a page and correct every line; `turned` reverses the letters."""
        texts = random_lines(LINES, seed=seed)
        page = (await self.page(seed)).page
        lines = []
        for row in range(LINES):
            baseline, boundary = place_of(row, texts)
            points = [[page_pb2.Point(x=x, y=y) for x, y in line] for line in (baseline, boundary)]
            lines.append(page_pb2.Line(order=row, baseline=points[0], boundary=points[1], text="טעות"))
        recorded = await self.record(page.page_id, BASE, lines)
        corrections = [
            corrections_pb2.LineCorrection(
                line_id=line.line_id, text=self.means(text)[:: -1 if turned else 1]
            )
            for line, text in zip(recorded.lines, texts, strict=True)
        ]
        request = corrections_pb2.SubmitCorrectionsRequest(
            project_id=page.project_id,
            page_id=page.page_id,
            lines=corrections_pb2.LineCorrections(lines=corrections),
        )
        with acting(self.user_id), rpc.raise_ketav_errors():
            await self.world.corrections.SubmitCorrections(request, timeout=CALL_S)

    async def record(self, page_id: str, version: str, lines: list[Any]) -> transcriptions_pb2.Transcription:
        """Record a transcription."""
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page_id, model_version=version, lines=lines
        )
        with acting(self.user_id), rpc.raise_ketav_errors():
            answer = await self.world.transcriptions.RecordTranscription(request, timeout=CALL_S)
        transcription: transcriptions_pb2.Transcription = answer.transcription
        return transcription

    async def train(self) -> str:
        """Start a training, again while the services are unavailable; return the id of the active run."""
        request = trainer_pb2.StartTrainingRequest(request_id=uuid4().hex)
        while True:
            try:
                with acting(self.user_id), rpc.raise_ketav_errors():
                    answer = await self.world.trainer.StartTraining(request, timeout=CALL_S)
            except Conflict as error:
                return error.details["run_id"]
            except (TimedOut, Unavailable):
                await asyncio.sleep(0.2)
            else:
                return str(answer.run.run_id)

    async def activate_base(self) -> None:
        """Activate the base model, so that the next training improves on it again."""
        if (await self.model()).version != BASE:
            with acting(self.user_id), rpc.raise_ketav_errors():
                await self.world.models.ActivateModel(
                    models_pb2.ActivateModelRequest(version=BASE), timeout=CALL_S
                )

    async def model(self) -> page_pb2.Model:
        """Return the model that serves."""
        with acting(self.user_id), rpc.raise_ketav_errors():
            answer = await self.world.models.GetUserModel(
                models_pb2.GetUserModelRequest(script=CURSIVE), timeout=CALL_S
            )
        model: page_pb2.Model = answer.model
        return model

    async def file(self, model: page_pb2.Model) -> bytes:
        """Download a model as a recognizer does for this user; its digest is checked."""
        grant = self.world.signer.grant(self.user_id, model.sha256)
        request = models_pb2.DownloadModelRequest(sha256=model.sha256, grant=grant)
        with acting(self.user_id, "recognizer"), rpc.raise_ketav_errors():
            content = b"".join([part.chunk async for part in self.world.models.DownloadModel(request)])
        assert hashlib.sha256(content).digest() == model.sha256
        return content

    async def read(self, seed: int) -> tuple[str, list[str]]:
        """Read and record a page as the gateway does; return the model's version and the lines."""
        created = await self.page(seed)
        image = draw_page(random_lines(LINES, seed=seed))
        stub: Any = recognizer_pb2_grpc.RecognizerServiceStub(self.world.channels["recognizer"])
        with acting(self.user_id), rpc.raise_ketav_errors():
            read = await stub.RecognizePage(_messages(image, created.model), timeout=CALL_S)
        recorded = await self.record(created.page.page_id, read.model_version, list(read.lines))
        return str(read.model_version), [line.text for line in recorded.lines]


def _messages(image: bytes, model: page_pb2.Model) -> Iterator[recognizer_pb2.RecognizePageRequest]:
    """Yield the messages of a request to read an image."""
    header = recognizer_pb2.RecognizePageHeader(
        model=model, layout=page_pb2.LAYOUT_PAGE, size_bytes=len(image)
    )
    yield recognizer_pb2.RecognizePageRequest(header=header)
    for chunk in rpc.chunks(image):
        yield recognizer_pb2.RecognizePageRequest(chunk=chunk)


async def corrected_user(world: World, name: str, *, letters: Mapping[str, str] | None = None) -> SystemUser:
    """Add a user with two corrected pages; a sweep may have queued their first run already."""
    user = SystemUser(world, await world.new_user(name), letters or {})
    for seed in range(2):
        await user.correct(seed)
    return user
