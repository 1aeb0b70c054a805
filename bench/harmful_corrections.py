"""Count the trainings on harmful corrections that the gate promotes.

    python -m bench.harmful_corrections [--trials 200] [--minutes 9] [--out docs/reports]

Every trial is a user of 16 to 20 lines of a composed hand that no model was trained on. All corrections of
the user, held-out ones too, are harmful in the same way. The training process and the gate are the product's.
Two parts that stop models are left out: the quarantine, which holds back most of these texts, and the
limit on other writers, which costs half of the time. A promotion is counted as harmful if the model reads
other, true lines of the writer worse than the base model, or if no text belonged to its line. Finished trials
are kept in a JSON file, so that a later call continues.
"""

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import beta

from bench.hand_pages import TrueLine, composed
from bench.trainings import CorrectedLine, Shipped, read, train
from ketav_basemodel.alphabet import LETTERS
from ketav_basemodel.paths import NoBenchDataError, bench_data
from ketav_common.error_rates import cer
from ketav_engine.domain import Engine

NAME: Final = "harmful-corrections"
WRITERS: Final = 61
_LINES: Final = (16, 20)
"""Corrected lines of a trial at least and at most."""
_MEASURED: Final = 12
"""Further true lines that a promoted model is measured with."""
_PAGES: Final = 4
"""Pages that a hand writes: enough for both."""
_SEED: Final = 100
_HOLDOUT_EVERY: Final = 5
_EPOCHS: Final = 8
"""Epochs of a trial: a quarter of what so few lines get, so that a trial takes seconds. Models that have
learned less are nearer to the base model: chance promotes them more easily."""
_ALTERED: Final = 0.3
"""Share of the letters that a careless user replaces."""


def _shuffled(lines: list[TrueLine], random: np.random.Generator) -> list[str]:
    """Return the texts, each at the line of another one."""
    order = random.permutation(len(lines))
    texts = {int(own): lines[int(other)].text for own, other in zip(order, np.roll(order, 1), strict=True)}
    return [texts[index] for index in range(len(lines))]


def _shifted(lines: list[TrueLine], random: np.random.Generator) -> list[str]:
    """Return the text of the line after each, as if the user had left out the first one."""
    del random
    return [lines[(index + 1) % len(lines)].text for index in range(len(lines))]


def _half_shuffled(lines: list[TrueLine], random: np.random.Generator) -> list[str]:
    """Return the texts, those of every second line shuffled among each other."""
    texts = [line.text for line in lines]
    texts[::2] = _shuffled(lines[::2], random)
    return texts


def _altered(lines: list[TrueLine], random: np.random.Generator) -> list[str]:
    """Return the texts with random letters in place of a third of the letters."""
    return ["".join(_other(character, random) for character in line.text) for line in lines]


def _other(character: str, random: np.random.Generator) -> str:
    """Return a random letter or the character itself."""
    is_changed = character != " " and random.random() < _ALTERED
    return LETTERS[int(random.integers(len(LETTERS)))] if is_changed else character


def _random_words(lines: list[TrueLine], random: np.random.Generator) -> list[str]:
    """Return random letters in place of all letters."""
    return [
        "".join(c if c == " " else LETTERS[int(random.integers(len(LETTERS)))] for c in line.text)
        for line in lines
    ]


Harm = Callable[[list[TrueLine], np.random.Generator], list[str]]
HARMS: Final[dict[str, Harm]] = {
    "shuffled": _shuffled,
    "shifted by one line": _shifted,
    "half of them shuffled": _half_shuffled,
    "three letters in ten replaced": _altered,
    "random letters": _random_words,
}
UNRELATED: Final = ("shuffled", "shifted by one line", "random letters")
"""Harms after which no text belongs to its line: every promotion is wrong."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One training on harmful corrections."""

    number: int
    harm: str
    hand: str
    lines: int
    seconds: float
    promoted: bool
    verdict: str
    base_cer: float | None = None
    """CER of other, true lines of the writer with the base model, 0 to 1; None unless promoted."""
    cer: float | None = None
    """The same with the promoted model."""

    @property
    def harmful(self) -> bool:
        """Return whether a model was promoted that should not have been."""
        worse = self.cer is not None and self.base_cer is not None and self.cer > self.base_cer
        return self.promoted and (self.harm in UNRELATED or worse)


class Trials:
    """Runs trials with the shipped files."""

    def __init__(self) -> None:
        """Load the files and the language model."""
        self._shipped = replace(Shipped.load(epochs=_EPOCHS), general=None)
        self._engine = self._shipped.make_engine()

    def run(self, number: int) -> Trial:
        """Train on harmful corrections of a hand; the number determines the harm and all random choices."""
        random = np.random.default_rng([_SEED, number])
        harm = list(HARMS)[number % len(HARMS)]
        (hand,) = composed(WRITERS, _PAGES, _SEED + number // WRITERS, only=number % WRITERS)
        lines = hand.lines[: int(random.integers(_LINES[0], _LINES[1] + 1))]
        held_out = set(random.choice(len(lines), len(lines) // _HOLDOUT_EVERY, replace=False).tolist())
        texts = HARMS[harm](lines, random)
        pages = [
            [CorrectedLine(line.image, text, index in held_out)]
            for index, (line, text) in enumerate(zip(lines, texts, strict=True))
        ]
        began = time.monotonic()
        trained = train(pages, self._shipped.base, self._shipped)
        seconds, verdict = round(time.monotonic() - began, 1), trained.verdict
        trial = Trial(number, harm, hand.name, len(lines), seconds, verdict.promote, verdict.sentence)
        if not trial.promoted:
            return trial
        others = hand.lines[_LINES[1] : _LINES[1] + _MEASURED]
        before, after = (_cer(others, self._engine, model) for model in (self._shipped.base, trained.content))
        return replace(trial, base_cer=before, cer=after)


def _cer(lines: list[TrueLine], engine: Engine, content: bytes) -> float:
    """Return the CER of lines with a model."""
    readings = read(engine, content, [line.image for line in lines])
    return cer(zip([line.text for line in lines], readings, strict=True)).rate


def upper_bound(count: int, trials: int) -> float:
    """Return the upper end of the 95 % interval of a share (Clopper & Pearson 1934, one-sided)."""
    return 1.0 if count >= trials else float(beta.ppf(0.95, count + 1, trials - count))


def as_markdown(trials: list[Trial]) -> str:
    """Return the counts of each harm as a Markdown table."""
    rows = ["| corrections | trials | promoted | harmful promotions |", "|---|--:|--:|--:|"]
    groups = {harm: [trial for trial in trials if trial.harm == harm] for harm in HARMS} | {"all": trials}
    for name, group in groups.items():
        promoted, harmful = sum(t.promoted for t in group), sum(t.harmful for t in group)
        rows.append(f"| {name} | {len(group)} | {promoted} | {harmful} |")
    harmful = sum(trial.harmful for trial in trials)
    bound = upper_bound(harmful, len(trials)) if trials else 1.0
    rows += ["", f"Harmful promotions: {harmful} of {len(trials)}, with 95 % confidence at most {bound:.1%}."]
    return "\n".join(rows).replace("%", " %").replace("  %", " %") + "\n"


def run(count: int, minutes: float, out: Path, processes: int) -> None:
    """Run the trials that are missing in the file, as many as the time allows."""
    path, deadline = out / f"{NAME}.json", time.monotonic() + 60 * minutes
    stored: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    trials = [Trial(**item) for item in stored]
    missing = range(len(trials), count)
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_start) as pool:
        for start in range(0, len(missing), processes):
            if time.monotonic() > deadline:
                break
            trials += pool.map(_run, missing[start : start + processes])
            text = json.dumps([asdict(trial) for trial in trials], indent=1, ensure_ascii=False)
            path.write_text(text + "\n", "utf-8")
            print(trials[-1], flush=True)
    print(as_markdown(trials))


_trials: Trials
"""The trials of a process of the pool."""


def _start() -> None:
    """Load what the trials of this process need, once."""
    global _trials  # noqa: PLW0603  # a process of the pool has no other place
    _trials = Trials()


def _run(number: int) -> Trial:
    """Run a trial in a process of the pool."""
    return _trials.run(number)


def main() -> None:
    """Read the command line and run the trials."""
    parser = argparse.ArgumentParser(description="Count promoted trainings on harmful corrections.")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60, help="time after which no trial starts")
    parser.add_argument("--processes", type=int, default=2, help="trials that run at the same time")
    parser.add_argument("--out", type=Path, default=Path("docs/reports"), help="folder of the JSON file")
    arguments = parser.parse_args()
    try:
        bench_data()
    except NoBenchDataError as error:
        print(f"Skipped: {error}")
        return
    run(arguments.trials, arguments.minutes, arguments.out, arguments.processes)


if __name__ == "__main__":
    main()
