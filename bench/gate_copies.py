"""Measure what distorted copies of lines add to the gate's evidence: `python -m bench.gate_copies`.

Composed hands (letters that no model was trained on), newspaper sentences. A model is trained on 16 lines of
a hand; it and models between the base and it are compared on draws of 16 other lines, with and without the
copies that `ketav_trainer.fit_measurements` reads. Two trainings with different seeds are no better than each
other, so that their promotions are false.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from bench.hand_pages import composed
from bench.trainings import CorrectedLine, Shipped, normalised
from ketav_engine.domain import Engine, FitOptions, Model, TrainingLine
from ketav_engine.training import replay
from ketav_trainer.fit_measurements import MAX_COPIED_LINES, compare, read_texts
from ketav_trainer.gate import LineErrors, cer, judge

LINES: Final = 16
"""Corrected lines of a training, and lines of a draw."""
PAGES: Final = 10
SHARES: Final = (0.1, 0.2, 1.0)
"""Ways from the base to the trained model that are compared with the base."""


def errors_of(engine: Engine, lines: Sequence[TrainingLine], one: Model, other: Model) -> list[LineErrors]:
    """Return the errors of two models on lines and on their copies."""
    errors: list[LineErrors] = []
    for start in range(0, len(lines), MAX_COPIED_LINES):
        part = lines[start : start + MAX_COPIED_LINES]
        before, after = (read_texts(engine, model, part) for model in (one, other))
        errors += compare([line.text for line in part], before, after)
    return errors


def promoted(errors: Sequence[LineErrors], draws: int, random: np.random.Generator) -> float:
    """Return the share of draws of 16 lines that the gate promotes."""
    picks = [random.choice(len(errors), LINES, replace=False) for _ in range(draws)]
    return sum(judge([errors[index] for index in pick]).promote for pick in picks) / draws


def print_row(name: str, errors: Sequence[LineErrors], draws: int) -> None:
    """Print the CERs of two models and the shares promoted by the lines alone and with copies."""
    random = np.random.default_rng(0)
    alone = [replace(line, serving_copies=0, candidate_copies=0) for line in errors]
    shares = [promoted(lines, draws, random) for lines in (alone, errors)]
    rates = [100 * cer(errors, serving=serving) for serving in (True, False)]
    print(
        f"| {name} | {rates[0]:.1f} → {rates[1]:.1f} % | {100 * shares[0]:.0f} | {100 * shares[1]:.0f} |",
        flush=True,
    )


def loaded(engine: Engine, content: bytes) -> Model:
    """Load a model's file."""
    return engine.load_model(content, hashlib.sha256(content).hexdigest())


def measure(lines: Sequence[CorrectedLine], name: str, draws: int) -> None:
    """Train on the first lines of a hand and compare models on the others."""
    shipped = Shipped.load()
    engine = shipped.make_engine()
    base = loaded(engine, shipped.base)
    samples = normalised(engine, shipped.base, lines)
    others = replay.read(shipped.replay, base.info.height) if shipped.replay else []
    models = [
        loaded(
            engine,
            engine.fit(base, samples[:LINES], [], others, FitOptions(seed=seed), lambda _: True).content,
        )
        for seed in (0, 1)
    ]
    for share in SHARES:
        nearer = loaded(engine, engine.blend(base, models[0], share))
        print_row(f"{name}, {share:.0%} of the way", errors_of(engine, samples[LINES:], base, nearer), draws)
    print_row(f"{name}, another seed", errors_of(engine, samples[LINES:], *models), draws)
    print_row(f"{name}, the seeds exchanged", errors_of(engine, samples[LINES:], *models[::-1]), draws)


def main() -> None:
    """Read the command line and print a table."""
    parser = argparse.ArgumentParser(description="Measures the power of distorted copies in the gate.")
    parser.add_argument("--hands", type=int, default=4)
    parser.add_argument("--draws", type=int, default=200, help="draws of 16 lines for each pair of models")
    arguments = parser.parse_args()
    print("| models | CER | promoted by the lines, % | with copies, % |\n|---|---|--:|--:|")
    for hand in composed(arguments.hands, PAGES, seed=1):
        measure([CorrectedLine(line.image, line.text) for line in hand.lines], hand.name, arguments.draws)


if __name__ == "__main__":
    main()
