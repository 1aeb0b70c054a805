"""Train a user's model with the trainer's own process and gate, without the other services."""

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from ketav_common.child_main import Channel
from ketav_common.extensions import KRAKEN
from ketav_engine.domain import Engine, FoundLine, Image, TrainingLine
from ketav_engine.engines import make_engine
from ketav_trainer.domain import GroundTruthLine, GroundTruthPage, Progress
from ketav_trainer.events import TrainingEventHandler
from ketav_trainer.fit_messages import BASE, CANDIDATE, PARENT, FitConfig
from ketav_trainer.fit_process import FitProcess
from ketav_trainer.gate import Verdict, judge

MODELS: Final = Path("models")
"""Folder of the shipped files."""
_PAPER: Final = 255
_GAP: Final = 12
"""Pixels of paper between the lines of a page."""


@dataclass(frozen=True, slots=True)
class CorrectedLine:
    """A line of a page: its grey image, the text that the user sent, and its role in a training."""

    image: Image
    text: str
    holdout: bool = False
    trained: bool = False
    """Whether the parent, or a model that it comes from, was trained on it."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The files that a trainer works with."""

    base: bytes
    engine: str = KRAKEN
    replay: Path | None = None
    general: Path | None = None
    language: Path | None = None
    epochs: int | None = None
    """Passes over the training lines; None for a number that suits them."""

    @classmethod
    def load(cls, folder: Path = MODELS, epochs: int | None = None) -> "Shipped":
        """Return the shipped files of a folder."""
        return cls(
            base=(folder / "hebrew_base.safetensors").read_bytes(),
            replay=folder / "replay_lines.npz",
            general=folder / "general_lines.npz",
            language=folder / "hebrew_lm.npz",
            epochs=epochs,
        )

    def make_engine(self) -> Engine:
        """Return the engine with the language model, as the recognizer has it."""
        return make_engine(self.engine, self.language)


@dataclass(frozen=True, slots=True)
class Trained:
    """The end of a training: the gate's verdict, the candidate's file, and the time."""

    verdict: Verdict
    content: bytes
    seconds: float
    """Processor seconds from the pages to the verdict, on one thread; a worker's process also starts."""


def stack(images: Sequence[Image]) -> tuple[Image, list[FoundLine]]:
    """Return a page with line images one below another, flush right, and the position of each line."""
    width = max(image.shape[1] for image in images)
    rows, outlines, top = [], [], 0
    for order, image in enumerate(images):
        height, own = image.shape
        left = width - own
        rows.append(np.pad(image, ((0, _GAP), (left, 0)), constant_values=_PAPER))
        right, bottom, hang = width - 1, top + height - 1, top + height // 3
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        outlines.append(FoundLine(order, ((left, hang), (right, hang)), corners))
        top += height + _GAP
    return np.concatenate(rows), outlines


def train(pages: Sequence[Sequence[CorrectedLine]], parent: bytes, shipped: Shipped) -> Trained:
    """Fine-tune `parent` on the pages and judge the candidate, in this process. Raises FitFailedError."""
    with tempfile.TemporaryDirectory(prefix="ketav-bench-") as name:
        config = _prepare(Path(name), pages, parent, shipped)
        began, events = time.process_time(), _Events()
        FitProcess(config, shipped.make_engine(), events).run()
        handler = TrainingEventHandler(_ignore)
        asyncio.run(events.pass_on(handler))
        result = handler.result()
        verdict = judge(
            result.errors,
            result.general,
            folds=result.folds,
            general_limit=result.general_limit,
            seed=config.seed,
        )
        seconds = time.process_time() - began
        return Trained(verdict, (config.directory / CANDIDATE).read_bytes(), seconds)


def read(engine: Engine, content: bytes, images: Sequence[Image]) -> list[str]:
    """Return the texts of grey images that show one line each; no lines are found.

    `content` is the model's safetensors file. Lines are cut and decoded as by the recognizer, with the
    language model if the engine has one. UnusableModelError: the file cannot be loaded.
    """
    model = engine.load_model(content, hashlib.sha256(content).hexdigest())
    crops = [crop for image in images for crop in _cut(engine, image, model.info.height)]
    return [reading.text for reading in engine.read_lines(crops, model)]


def normalised(engine: Engine, content: bytes, lines: Sequence[CorrectedLine]) -> list[TrainingLine]:
    """Return lines as a training of the model in `content` gets them."""
    height = engine.load_model(content, hashlib.sha256(content).hexdigest()).info.height
    return [TrainingLine(_cut(engine, line.image, height)[0], line.text) for line in lines]


def _cut(engine: Engine, image: Image, height: int) -> list[Image]:
    """Crop and normalise the line of an image that shows nothing else."""
    page, outlines = stack([image])
    return engine.cut_lines(page, outlines, height)


def _prepare(
    directory: Path, pages: Sequence[Sequence[CorrectedLine]], parent: bytes, shipped: Shipped
) -> FitConfig:
    """Write a run's private directory as a worker does, and return the configuration of its process."""
    ground_truth = []
    for number, lines in enumerate(pages):
        image, outlines = stack([line.image for line in lines])
        name = f"page-{number:05d}"
        (directory / name).write_bytes(bytes(cv2.imencode(".png", image)[1]))
        truths = tuple(
            GroundTruthLine(outline.baseline, outline.boundary, line.text, line.holdout, line.trained)
            for line, outline in zip(lines, outlines, strict=True)
        )
        ground_truth.append(GroundTruthPage(name, "page", truths))
    (directory / PARENT).write_bytes(parent)
    (directory / BASE).write_bytes(shipped.base)
    digests = [hashlib.sha256(content).hexdigest() for content in (parent, shipped.base)]
    return FitConfig(
        directory=directory,
        seed=0,
        epochs=shipped.epochs,
        checkpoint=directory / "checkpoint",
        parent_sha256=digests[0],
        pages=tuple(ground_truth),
        base_sha256=None if parent == shipped.base else digests[1],
        replay=shipped.replay.resolve() if shipped.replay else None,
        general=shipped.general.resolve() if shipped.general else None,
    )


async def _ignore(_: Progress) -> None:
    """Record no progress."""


class _Events(Channel):
    """Collects the events of a training in this process."""

    def __init__(self) -> None:
        """Start without events; there is no socket."""
        self._events: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any], payload: bytes = b"") -> None:
        """Keep an event; times of stages are for a worker's metrics."""
        del payload
        if message["event"] != "stage":
            self._events.append(message)

    async def pass_on(self, handler: TrainingEventHandler) -> None:
        """Call the handler with each event."""
        for event in self._events:
            await handler.handle(event)
