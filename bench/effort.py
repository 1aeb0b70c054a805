"""Simulate what a user corrects on the first pages of a hand, with and without learning.

    python -m bench.effort [--quick] [--minutes 9] [--out docs/reports]

A user corrects one page after another. Training starts at the line counts of the automatic policy and runs
while the user goes on; the pages that follow are read by the new model once it is there. Pages, split,
training and gate are the product's own. Two other ways of reading are compared with it: no learning, and
Kraken's trainer with its defaults, on the same lines from the same base model in the same time, without a
gate (`bench.kraken_loop`). Finished pages are kept in a folder, so that a later call continues.
"""

import argparse
import hashlib
import json
import math
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2

from bench.effort_report import write_report
from bench.hand_pages import Hand, TrueLine, composed, notebook
from bench.trainings import CorrectedLine, Shipped, normalised, read, stack, train
from ketav_basemodel.paths import WORK, NoBenchDataError, bench_data
from ketav_common.error_rates import edits
from ketav_common.extensions import KRAKEN
from ketav_engine.domain import Engine
from ketav_engine.engines import make_engine
from ketav_registry.domain.ground_truth import Split, VerifiedLine, split_lines
from ketav_registry.domain.training_policy import next_run_lines
from ketav_registry.domain.transcriptions import LineKey

PAGES: Final = 20
WRITERS: Final = 2
PAGE_SECONDS: Final = 60.0
"""Time that a user is assumed to need for a page; a training that takes longer serves a page later."""
PRODUCT: Final = "with learning"
PEER: Final = "Kraken's own loop"
NONE: Final = "without learning"
GREEDY: Final = "without learning, read by Kraken's decoder"
_NAMESPACE: Final = uuid.UUID("6f0c8f0e-2d5c-4a57-9d6e-2b6f0a1c9e11")
"""Namespace of the pages' ids, from which the split follows."""
_PROCESSES: Final = 2
_KRAKEN_TIMEOUT_S: Final = 1200.0
"""Kraken's trainer gets processor time, which takes longer on a busy machine."""
_START_S: Final = 5.0
"""Processor seconds of the start of a worker's training process: imports of torch and Kraken."""


@dataclass(frozen=True, slots=True)
class Training:
    """A training that was started after a page."""

    learner: str
    page: int
    """The page after whose correction it was started, from 0."""
    lines: int
    """Corrected lines."""
    seconds: float
    """Processor seconds of the training process, which is the elapsed time on an idle machine."""
    verdict: str
    promoted: bool

    @property
    def first_page(self) -> int:
        """The first page that the new model reads; pages begun before are read by the old one."""
        return self.page + 1 + math.ceil(self.seconds / PAGE_SECONDS)


@dataclass(frozen=True, slots=True)
class PageEffort:
    """The corrections of a page by each way of reading, and the time until it could be corrected."""

    hand: str
    page: int
    lines: int
    characters: int
    edits: dict[str, int]
    """Characters that the user inserts, deletes or replaces."""
    reading_seconds: float
    """To find the lines of the page, cut and read them; a user waits for nothing else."""


class Simulation:
    """One hand's pages and trainings; both are stored in a folder after every page."""

    def __init__(self, hand: Hand, folder: Path, shipped: Shipped) -> None:
        """Take the hand; continue from what the folder has."""
        self.hand = hand
        self._folder = folder / hand.name.replace(" ", "-")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._shipped = shipped
        self._engine = shipped.make_engine()
        self._greedy = make_engine(KRAKEN)
        stored = self._stored()
        self.pages = [PageEffort(**item) for item in stored["pages"]]
        self.trainings = [Training(**item) for item in stored["trainings"]]

    @property
    def finished(self) -> bool:
        """Return whether every page is corrected."""
        return len(self.pages) == len(self.hand.pages)

    def correct_page(self) -> None:
        """Read and correct the next page; train where the policy would."""
        number = len(self.pages)
        page = self.hand.pages[number]
        base = self._shipped.base
        models = {NONE: (self._engine, base), PRODUCT: (self._engine, self._serving(PRODUCT, number))}
        models |= {GREEDY: (self._greedy, base), PEER: (self._greedy, self._serving(PEER, number))}
        counts = {name: _edits(page, *model) for name, model in models.items()}
        seconds = reading_seconds(page, *models[PRODUCT])
        length = sum(len(line.text) for line in page)
        self.pages.append(PageEffort(self.hand.name, number, len(page), length, counts, seconds))
        if self._is_due():
            self._train(number)
        text = {name: [asdict(item) for item in getattr(self, name)] for name in ("pages", "trainings")}
        self._file.write_text(json.dumps(text, ensure_ascii=False), "utf-8")

    @property
    def _file(self) -> Path:
        """Path of the stored pages and trainings."""
        return self._folder / "effort.json"

    def _stored(self) -> dict[str, Any]:
        """Read what an earlier call stored."""
        if not self._file.exists():
            return {"pages": [], "trainings": []}
        return dict(json.loads(self._file.read_text("utf-8")))

    def _model_file(self, learner: str, page: int) -> Path:
        """Path of the model that a learner trained after a page."""
        return self._folder / f"{'product' if learner == PRODUCT else 'kraken'}-{page:02d}.safetensors"

    def _serving(self, learner: str, page: int) -> bytes:
        """Return the file of the model that reads a page."""
        done = [t for t in self.trainings if t.learner == learner and t.promoted and t.first_page <= page]
        return self._model_file(learner, done[-1].page).read_bytes() if done else self._shipped.base

    def _is_due(self) -> bool:
        """Return whether the automatic policy starts a training with the lines that are corrected now."""
        lines = sum(page.lines for page in self.pages)
        last = [training.lines for training in self.trainings if training.learner == PRODUCT]
        return lines >= next_run_lines(last[-1] if last else 0)

    def _train(self, number: int) -> None:
        """Train the product, then Kraken's loop for as long."""
        pages = self.hand.pages[: number + 1]
        lines = sum(len(page) for page in pages)
        parent = self._serving(PRODUCT, number + 1)
        trained = train(self._corrected(pages), parent, self._shipped)
        verdict, seconds = trained.verdict, round(trained.seconds + _START_S, 1)
        self._model_file(PRODUCT, number).write_bytes(trained.content)
        start = self._serving(PEER, number + 1)
        run_kraken(self._all_lines(pages), start, self._model_file(PEER, number), trained.seconds)
        self.trainings += [
            Training(PRODUCT, number, lines, seconds, verdict.sentence, verdict.promote),
            Training(PEER, number, lines, seconds, "no gate", promoted=True),
        ]

    def _corrected(self, pages: Sequence[Sequence[TrueLine]]) -> list[list[CorrectedLine]]:
        """Return the lines of pages with the sides that the registry would assign, run after run."""
        runs = [training for training in self.trainings if training.learner == PRODUCT]
        sides: dict[LineKey, Split] = {}
        trained: set[LineKey] = set()
        for run in runs:
            sides = split_lines(_verified(self.hand.name, pages[: run.page + 1]), sides)
            if run.promoted:
                trained |= {key for key, side in sides.items() if side is Split.TRAIN}
        verified = _verified(self.hand.name, pages)
        sides = split_lines(verified, sides)
        keys = iter([line.key for line in verified])
        return [[_corrected(line, next(keys), sides, trained) for line in page] for page in pages]

    def _all_lines(self, pages: Sequence[Sequence[TrueLine]]) -> list[tuple[Any, str]]:
        """Return every line as networks get it, with its text."""
        lines = [CorrectedLine(line.image, line.text) for page in pages for line in page]
        return [(line.image, line.text) for line in normalised(self._engine, self._shipped.base, lines)]


def reading_seconds(page: Sequence[TrueLine], engine: Engine, content: bytes) -> float:
    """Return the time to find, cut and read the lines of a page with a loaded model."""
    model = engine.load_model(content, hashlib.sha256(content).hexdigest())
    image, _ = stack([line.image for line in page])
    began = time.monotonic()
    engine.read_page(image, "page", model)
    return round(time.monotonic() - began, 2)


def run_kraken(lines: Sequence[tuple[Any, str]], start: bytes, to: Path, seconds: float) -> None:
    """Fine-tune a model with Kraken's trainer in a process of its own, for so many seconds."""
    with tempfile.TemporaryDirectory(prefix="ketav-kraken-") as name:
        folder = Path(name) / "lines"
        folder.mkdir()
        for number, (image, text) in enumerate(lines):
            cv2.imwrite(str(folder / f"{number:05d}.png"), image)
            (folder / f"{number:05d}.gt.txt").write_text(text, "utf-8")
        parent = Path(name) / "start.safetensors"
        parent.write_bytes(start)
        command = [sys.executable, "-m", "bench.kraken_loop", str(parent), str(folder), str(to)]
        subprocess.run(
            [*command, "--seconds", str(seconds)],
            check=True,
            timeout=_KRAKEN_TIMEOUT_S,
            stdout=subprocess.DEVNULL,
        )


def _edits(page: Sequence[TrueLine], engine: Engine, content: bytes) -> int:
    """Return the edits, in code points, from a page's readings to its true texts.

    The true line images are read with the model in `content`, a safetensors file: no lines are found.
    """
    readings = read(engine, content, [line.image for line in page])
    return sum(edits(line.text, reading) for line, reading in zip(page, readings, strict=True))


def _verified(hand: str, pages: Sequence[Sequence[TrueLine]]) -> list[VerifiedLine]:
    """Return pages as the registry's ground truth, with ids that follow from the hand's name."""
    lines = []
    for number, page in enumerate(pages):
        page_id = uuid.uuid5(_NAMESPACE, f"{hand} {number}")
        for order, line in enumerate(page):
            line_id = uuid.uuid5(page_id, str(order))
            key = LineKey(page_id, hashlib.sha256(line_id.bytes).digest())
            lines.append(VerifiedLine(line_id, key, line_id, line.text, page_id.bytes))
    return lines


def _corrected(
    line: TrueLine, key: LineKey, sides: dict[LineKey, Split], trained: set[LineKey]
) -> CorrectedLine:
    """Return a line with its role in a training."""
    return CorrectedLine(line.image, line.text, sides[key] is Split.HOLDOUT, key in trained)


def simulate(hand: Hand, deadline: float, folder: Path) -> Simulation:
    """Correct pages of a hand until all are done or the time is over."""
    simulation = Simulation(hand, folder, Shipped.load())
    while not simulation.finished and time.time() < deadline:
        simulation.correct_page()
        print(simulation.pages[-1], flush=True)
    return simulation


def figures(hand: Hand, deadline: float, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Simulate a hand; return its pages and its trainings as plain values."""
    simulation = simulate(hand, deadline, folder)
    trainings = [
        asdict(training) | {"hand": hand.name, "first_page": training.first_page}
        for training in simulation.trainings
    ]
    return [asdict(page) for page in simulation.pages], trainings


def run(hands: Sequence[Hand], minutes: float, folder: Path, out: Path) -> None:
    """Simulate two hands at a time for some minutes; write the report of what is done."""
    deadline = time.time() + 60 * minutes
    with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
        results = list(pool.map(figures, hands, repeat(deadline), repeat(folder)))
    pages = [page for hand_pages, _ in results for page in hand_pages]
    write_report(pages, [training for _, trainings in results for training in trainings], out)
    if len(pages) < sum(len(hand.pages) for hand in hands):
        print("The time is over. Run the command again to continue.")


def main() -> None:
    """Read the command line and simulate."""
    parser = argparse.ArgumentParser(description="Simulate the corrections of the first pages of a hand.")
    parser.add_argument("--quick", action="store_true", help="six pages of one composed hand")
    parser.add_argument("--minutes", type=float, default=60, help="time after which no page starts")
    parser.add_argument("--work", type=Path, default=WORK.parent / "effort", help="folder of unfinished work")
    parser.add_argument("--out", type=Path, default=Path("docs/reports"), help="folder of the report")
    arguments = parser.parse_args()
    try:
        bench_data()
    except NoBenchDataError as error:
        print(f"Skipped: {error}")
        return
    hands = [notebook(PAGES), *composed(WRITERS, PAGES)]
    out, work = arguments.out, arguments.work
    if arguments.quick:
        hands = [replace(hand, pages=hand.pages[:6]) for hand in hands[1:2]]
        out = work = arguments.work.with_name("effort-quick")
    run(hands, arguments.minutes, work, out)


if __name__ == "__main__":
    main()
