"""Measure what the words of a user's corrected lines save when the beam search prefers them.

    python -m bench.user_words [--writers 6] [--minutes 60] [--out docs/reports]

Synthetic writers with letters that no model was trained on write successive sentences of a newspaper that
the language model has not counted. A model is trained on the first 16, 64 and 256 lines (four of five of
them, without a gate, each from the one before), and reads 160 later lines with its user's words and without
them. The words' shares of the notebook are counted, too; no notebook line is read. Finished writers are kept
in user-words.json, so that a later call continues.
"""

import argparse
import hashlib
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.trainings import Shipped
from ketav_basemodel import sentences
from ketav_basemodel.alphabet import plain
from ketav_basemodel.evaluate import line_images
from ketav_basemodel.paths import MATERIAL, NoBenchDataError, bench_data
from ketav_common.error_rates import edits
from ketav_engine import models
from ketav_engine.domain import Engine, FitOptions, Model, TrainingLine
from ketav_engine.lines import normalise
from ketav_engine.recognition.user_words import count_words
from ketav_engine.training import replay

if TYPE_CHECKING:
    from ketav_basemodel.synthesis import Material

NAME: Final = "user-words"
STAGES: Final = (16, 64, 256)
"""Corrected lines of the trainings."""
_MEASURED: Final = 160
"""Lines that each model reads."""
_HOLDOUT_EVERY: Final = 5
"""One line of so many is held out, as the registry does."""
_WORDS: Final = (4, 8)
"""Words of a line at least and at most."""
_MIN_CHARACTERS: Final = 8
_DEGRADATION: Final = 0.35
"""Degradation of the synthetic lines, 0 to 1."""
_SEED: Final = 4711
_TEXT_SEED: Final = 5
_FIRST_LINE: Final = 700
_LINES_APART: Final = 1500
"""Lines of text from one writer's first line to the next writer's."""
_DRAWS: Final = 2_000
"""Resamples of the lines for an interval."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The readings of one writer's lines after one training."""

    writer: int
    corrected: int
    words: int
    """Different words of the training lines."""
    known: float
    """Share of the words of the measured lines that are among them."""
    characters: int
    without: list[int]
    """Edits of each measured line, read without the user's words."""
    with_words: list[int]


def write_lines(material: "Material", texts: Sequence[str], number: int, height: int) -> list[TrainingLine]:
    """Draw texts in the letters of a synthetic writer; each line is photographed between its neighbours."""
    from ketav_basemodel.compose import draw_line
    from ketav_basemodel.degrade import Neighbours, photograph
    from ketav_basemodel.writers import make_writer

    rng = np.random.default_rng(_SEED + number)
    writer = make_writer("hand", material.collection, material.fonts, rng)
    drawn = [draw_line(text, writer) for text in texts]
    lines = []
    for above, line, below in zip(drawn, drawn[1:], drawn[2:], strict=False):
        neighbours = Neighbours(above, below, writer.style.line_distance * line.core)
        image = photograph(line, neighbours, _DEGRADATION, rng)
        lines.append(TrainingLine(normalise(image, height), line.text))
    return lines


def texts_of_lines() -> list[str]:
    """Return the newspaper's sentences cut into lines of 4 to 8 words, always the same."""
    draw = random.Random(_TEXT_SEED)
    lines = []
    for sentence in sentences.read(MATERIAL):
        words = sentence.split()
        while words:
            count = draw.randint(*_WORDS)
            lines.append(" ".join(words[:count]))
            words = words[count:]
    return lines


def measure_writer(number: int, material: "Material", shipped: Shipped, engine: Engine) -> list[Stage]:
    """Train a writer's models stage by stage and read the measured lines with each."""
    model = _loaded(engine, shipped.base)
    start = _LINES_APART * number + _FIRST_LINE
    some = [plain(text) for text in texts_of_lines()[start : start + _LINES_APART // 3]]
    texts = [text for text in some if len(text) >= _MIN_CHARACTERS][: STAGES[-1] + _MEASURED + 2]
    lines = write_lines(material, texts, number, model.info.height)
    measured = lines[STAGES[-1] :]
    others = replay.read(shipped.replay, model.info.height) if shipped.replay else []
    stages = []
    for corrected in STAGES:
        training = [line for index, line in enumerate(lines[:corrected]) if (index + 1) % _HOLDOUT_EVERY]
        content = engine.fit(model, training, [], others, FitOptions(seed=0), lambda _: True).content
        model = _loaded(engine, content)
        words = count_words(line.text for line in training)
        stages.append(
            Stage(
                number,
                corrected,
                len(words),
                round(_known(words, [line.text for line in measured]), 3),
                sum(len(line.text) for line in measured),
                _edits(engine, _without_words(engine, model), measured),
                _edits(engine, model, measured),
            )
        )
    return stages


def _loaded(engine: Engine, content: bytes) -> Model:
    """Load a model's file."""
    return engine.load_model(content, hashlib.sha256(content).hexdigest())


def _without_words(engine: Engine, model: Model) -> Model:
    """Return a model without its user's words; raises TypeError for one of another engine than Kraken."""
    if not isinstance(model, models.LoadedModel):
        raise TypeError(f"{type(model).__name__} is not a model of Kraken. Measure with Kraken's models.")
    metadata = {key: value for key, value in model.metadata.items() if key != models.WORDS_KEY}
    return _loaded(engine, models.save(model.net, metadata))


def _edits(engine: Engine, model: Model, lines: Sequence[TrainingLine]) -> list[int]:
    """Return the edits of each line."""
    readings = engine.read_lines([line.image for line in lines], model)
    return [edits(line.text, reading.text) for line, reading in zip(lines, readings, strict=True)]


def _known(words: dict[str, int], texts: Sequence[str]) -> float:
    """Return the share of the words of texts that are among others, each occurrence counted."""
    counted = [(word, count) for text in texts for word, count in count_words([text]).items()]
    return sum(count for word, count in counted if word in words) / sum(count for _, count in counted)


def shares_of_notebook() -> dict[str, dict[str, float]]:
    """Return for each text of the notebook the share of a page's words that stand on its other pages.

    `each` counts every occurrence, `different` every word once a page.
    """
    shares = {}
    for folder in sorted(path for path in (bench_data() / "notebook").iterdir() if path.is_dir()):
        pages: dict[str, list[str]] = defaultdict(list)
        for path in line_images(folder):
            text = plain(path.with_suffix(".gt.txt").read_text(encoding="utf-8"))
            pages[path.stem.partition("_seg")[0]].append(text)
        counts = {page: count_words(texts) for page, texts in pages.items()}
        occurrences, different = np.zeros(2), np.zeros(2)
        for page, words in counts.items():
            others = {word for other, known in counts.items() if other != page for word in known}
            occurrences += (
                sum(count for word, count in words.items() if word in others),
                sum(words.values()),
            )
            different += (len(words.keys() & others), len(words))
        shares[folder.name] = {
            "each": round(float(occurrences[0] / occurrences[1]), 3),
            "different": round(float(different[0] / different[1]), 3),
        }
    return shares


def table(stages: Sequence[Stage]) -> str:
    """Return a Markdown table: CER without and with words, and the errors saved with their interval."""
    rows = [
        "| corrected lines | writers | words known | CER without | with words | fewer errors (95 %) |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for corrected in STAGES:
        these = [stage for stage in stages if stage.corrected == corrected]
        if not these:
            continue
        without = np.concatenate([stage.without for stage in these])
        saved = without - np.concatenate([stage.with_words for stage in these])
        characters = sum(stage.characters for stage in these)
        picks = np.random.default_rng(0).integers(0, len(saved), (_DRAWS, len(saved)))
        gains = 100 * saved[picks].sum(axis=1) / without.sum()
        low, high = np.percentile(gains, (2.5, 97.5))
        known = np.mean([stage.known for stage in these])
        rows.append(
            f"| {corrected} | {len(these)} | {100 * known:.0f} % | {100 * without.sum() / characters:.2f} % "
            f"| {100 * (without - saved).sum() / characters:.2f} % "
            f"| {100 * saved.sum() / without.sum():.1f} % ({low:.1f} to {high:.1f}) |"
        )
    return "\n".join(rows)


def run(writers: int, minutes: float, out: Path) -> None:
    """Measure writers until all are done or the time is over; print the table of those that are done."""
    from ketav_basemodel.synthesis import load_material

    file, deadline = out / f"{NAME}.json", time.monotonic() + 60 * minutes
    content: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {"stages": []}
    stages = [Stage(**stage) for stage in content["stages"]]
    shipped = Shipped.load()
    engine = shipped.make_engine()
    material = load_material(MATERIAL, bench_data(), "validation")
    for number in range(writers):
        if any(stage.writer == number for stage in stages) or time.monotonic() > deadline:
            continue
        stages += measure_writer(number, material, shipped, engine)
        content = {"notebook": shares_of_notebook(), "stages": [asdict(stage) for stage in stages]}
        file.write_text(json.dumps(content) + "\n", "utf-8")
    print(table(stages))
    for name, share in shares_of_notebook().items():
        print(f"notebook/{name}: {share}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="Measure what a user's own words save.")
    parser.add_argument("--writers", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=60, help="time after which no writer starts")
    parser.add_argument("--out", type=Path, default=Path("docs/reports"), help="folder of the JSON file")
    arguments = parser.parse_args()
    try:
        bench_data()
    except NoBenchDataError as error:
        print(f"Skipped: {error}")
        return
    if not (MATERIAL / "sentences.txt").exists():
        print(
            f"Skipped: {MATERIAL} has no sentences.txt. Fetch the material: python -m ketav_basemodel fetch"
        )
        return
    run(arguments.writers, arguments.minutes, arguments.out)


if __name__ == "__main__":
    main()
