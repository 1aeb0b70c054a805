"""A registry and a worker over real stores, with pages of a made-up script that are corrected."""

import asyncio
import hashlib
from dataclasses import dataclass
from uuid import UUID

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, models_pb2, pages_pb2, training_pb2, transcriptions_pb2
from ketav_common import rpc
from ketav_common.error_rates import edits
from ketav_engine.domain import FoundLine
from ketav_engine.images import decode
from ketav_testing import tiny
from ketav_trainer.domain import TrainingConfig
from ketav_trainer.registry import RegistryClient
from ketav_trainer.training import Dependencies, run_training
from ketav_trainer.worker import fit_processes
from tests.parts.pages import draw_page, place_of, random_lines
from tests.parts.registry import Registry, acting, create

CURSIVE = page_pb2.SCRIPT_MODERN_CURSIVE


@dataclass(frozen=True)
class Trainings:
    """A registry and a worker."""

    registry: Registry
    trainer: RegistryClient
    config: TrainingConfig

    async def train(self, run_id: str) -> None:
        """Bring a run to its end as a worker does."""
        processes = fit_processes(self.config)
        dependencies = Dependencies(self.trainer, self.config, processes, asyncio.Event())
        await run_training(run_id, dependencies=dependencies)

    async def run(self, user_id: UUID, run_id: str) -> training_pb2.TrainingRun:
        """Return a run as its user sees it."""
        with acting(user_id), rpc.raise_ketav_errors():
            request = training_pb2.GetTrainingRunRequest(run_id=run_id)
            return (await self.registry.training.GetTrainingRun(request)).run

    async def model(self, user_id: UUID, hand: str = "") -> page_pb2.Model:
        """Return the model that serves a hand of a user."""
        with acting(user_id), rpc.raise_ketav_errors():
            request = models_pb2.GetUserModelRequest(script=CURSIVE, hand=hand)
            return (await self.registry.models.GetUserModel(request)).model

    async def file(self, user_id: UUID, model: page_pb2.Model) -> bytes:
        """Download a model as the recognizer does for a user."""
        grant = self.registry.signer.grant(user_id, model.sha256)
        request = models_pb2.DownloadModelRequest(sha256=model.sha256, grant=grant)
        with acting(user_id, "recognizer"), rpc.raise_ketav_errors():
            return b"".join([part.chunk async for part in self.registry.models.DownloadModel(request)])


@dataclass(frozen=True)
class Writing:
    """The handwriting of a person named `hand`; `project_id` is the project of the page, empty for a new one.

    `shapes` has letters, and those whose shapes the person draws for them; `letters` has letters, and those
    that the person writes instead.
    """

    hand: str = ""
    project_id: str = ""
    shapes: tuple[str, str] = ("", "")
    letters: tuple[str, str] = ("", "")

    def texts(self, count: int, seed: int) -> list[str]:
        """Return so many texts."""
        return [text.translate(str.maketrans(*self.letters)) for text in random_lines(count, seed=seed)]

    def draw(self, texts: list[str]) -> bytes:
        """Draw texts as the person writes them."""
        return draw_page([text.translate(str.maketrans(*self.shapes)) for text in texts])


async def corrected_page(
    registry: Registry, seed: int, lines: int = 12, shuffled: int = 0, writing: Writing | None = None
) -> pages_pb2.Page:
    """Upload a drawn page as the current user, record a wrong reading of it, and correct every line.

    `shuffled` gives each line the text of the line so many further down, and confirms it.
    """
    writing = writing or Writing()
    texts = writing.texts(lines, seed)
    header = {"hand": writing.hand, "project_id": writing.project_id}
    page = (await create(registry, writing.draw(texts), **header)).page
    read = []
    for row in range(lines):
        baseline, boundary = place_of(row, texts)
        points = [[page_pb2.Point(x=x, y=y) for x, y in line] for line in (baseline, boundary)]
        read.append(page_pb2.Line(order=row, baseline=points[0], boundary=points[1], text="טעות"))
    with rpc.raise_ketav_errors():
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page.page_id, model_version="hebrew_base-1", lines=read
        )
        recorded = (await registry.transcriptions.RecordTranscription(request)).transcription.lines
        corrections = [
            corrections_pb2.LineCorrection(line_id=line.line_id, text=text, confirm=shuffled > 0)
            for line, text in zip(recorded, [*texts[shuffled:], *texts[:shuffled]], strict=True)
        ]
        await registry.corrections.SubmitCorrections(
            corrections_pb2.SubmitCorrectionsRequest(
                project_id=page.project_id,
                page_id=page.page_id,
                lines=corrections_pb2.LineCorrections(lines=corrections),
            )
        )
    return page


def errors(model: bytes, seed: int, writing: Writing | None = None) -> int:
    """Return the character edits between a fresh page and what a model reads on it."""
    engine = tiny.TinyEngine()
    writing = writing or Writing()
    texts = writing.texts(10, seed)
    lines = []
    for row in range(len(texts)):
        baseline, boundary = place_of(row, texts)
        lines.append(FoundLine(row, tuple(baseline), tuple(boundary)))
    loaded = engine.load_model(model, hashlib.sha256(model).hexdigest())
    readings = engine.read_lines(engine.cut_lines(decode(writing.draw(texts)), lines, 48), loaded)
    return sum(edits(text, reading.text) for reading, text in zip(readings, texts, strict=True))
