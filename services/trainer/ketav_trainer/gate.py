"""The gate: whether a candidate model may serve, decided on lines that the serving model read too.

Both models read as they would serve, with the language model.

Paired bootstrap over lines (Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 16; for
recognition errors Bisani & Ney, ICASSP 2004): lines are drawn again with replacement, and the share of draws
in which the candidate makes fewer errors estimates the probability that it is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

ENOUGH: Final = 0.9
"""Probability of being better at which a candidate is promoted."""
FEWEST_LINES: Final = 5
"""Held-out lines below which nothing can be said."""
FLOOR: Final = 0.01
"""CER that a candidate may lose on the general set: lines of other hands."""
MOST: Final = 0.4
"""CER of a candidate above which texts may not belong to their lines, so that only a plain gain counts."""
PLAIN_GAIN: Final = 0.2
"""Share of the errors that is such a gain: on texts of other lines some per cent are won by writing less."""
_BROKEN: Final = 0.1
"""CER that a candidate must lose on fewer lines before they speak against it: no chance, a broken model."""
_DRAWS: Final = 10_000
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class LineErrors:
    """A line read by both models: held out, or of the general set."""

    length: int
    """Code points of the true text."""
    serving: int
    """Edits between the true text and what the serving model read."""
    candidate: int
    """Edits between the true text and what the candidate read."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided, and why in words a user understands."""

    promote: bool
    words: str
    probability: float
    """Estimated probability that the candidate is better."""
    cer_before: float
    """Corpus CER of the serving model, 0 to 1."""
    cer_after: float
    """Corpus CER of the candidate, 0 to 1."""
    general_before: float | None = None
    """Corpus CER of the serving model on the general set; None where there is none."""
    general_after: float | None = None
    """Corpus CER of the candidate on the general set."""


def judge(
    lines: Sequence[LineErrors],
    general: Sequence[LineErrors] = (),
    *,
    folds: Sequence[LineErrors] = (),
    seed: int = 0,
    enough: float = ENOUGH,
) -> Verdict:
    """Decide whether a candidate may serve: it reads the held-out lines better and forgets little.

    `lines` holds every held-out line once, `folds` the training lines where those were too few, each read by
    a model fitted without it, `general` the lines of other hands. The decision follows from the arguments
    alone. CER above 1 (a model that writes more than there is) is reported as 1.
    """
    counted = f"{len(lines)} held-out"
    if folds:
        counted = f"{len(lines) + len(folds)} ({counted}, {len(folds)} cross-validated)"
    verdict = _compare([*lines, *folds], counted, seed, enough)
    if not general:
        return verdict
    before, after = cer(general, serving=True), cer(general, serving=False)
    verdict = replace(verdict, general_before=before, general_after=after)
    if not verdict.promote:
        return verdict
    figures = f"other hands {_percent(before)} → {_percent(after)}"
    if forgets(general):
        found = verdict.words.removeprefix("promoted: ")
        words = f"rejected: the new model forgets too much, {figures}, although {found}"
        return replace(verdict, promote=False, words=words)
    return replace(verdict, words=f"{verdict.words}; {figures}")


def forgets(general: Sequence[LineErrors]) -> bool:
    """Tell whether a candidate reads lines of other hands more than `FLOOR` worse."""
    return cer(general, serving=False) - cer(general, serving=True) > FLOOR + _ROUNDING


def _compare(lines: Sequence[LineErrors], counted: str, seed: int, enough: float) -> Verdict:
    """Decide on the measured lines alone; `counted` says how many of which sort they are."""
    before, after = cer(lines, serving=True), cer(lines, serving=False)
    if sum(line.length for line in lines) == 0 or len(lines) < FEWEST_LINES:
        words = f"rejected: too few lines to prove an improvement: {counted}"
        return Verdict(promote=False, words=words, probability=0.0, cer_before=before, cer_after=after)
    probability = probability_better(lines, seed)
    unlike = after > MOST and after > (1 - PLAIN_GAIN) * before
    promote = after < before and probability >= enough and not unlike
    figures = f"CER {_percent(before)} → {_percent(after)}"
    if after < before and unlike:
        words = f"rejected: little is read better, {figures}: do the texts belong to these lines?"
    elif promote:
        improved = sum(line.candidate < line.serving for line in lines)
        words = f"promoted: {improved} of {counted} lines improved, {figures}"
    elif after < before:
        words = f"rejected: the improvement may be chance ({round(100 * probability)} % sure), {figures}"
    else:
        words = f"rejected: the new model does not read the held-out lines better, {figures}"
    return Verdict(promote, words, probability, before, after)


def refuted(lines: Sequence[LineErrors], seed: int = 0) -> bool:
    """Tell whether lines show a candidate to be worse as surely as the gate wants improvements shown.

    A line or two that are read a letter worse show nothing, however often they are drawn.
    """
    if len(lines) < FEWEST_LINES:
        return cer(lines, serving=False) - cer(lines, serving=True) > _BROKEN
    return probability_better(lines, seed) <= 1 - ENOUGH


def probability_better(lines: Sequence[LineErrors], seed: int = 0, draws: int = _DRAWS) -> float:
    """Return the share of `draws` resamples of the lines in which the candidate makes fewer errors.

    A draw in which both make equally many counts half.
    """
    gain = np.array([line.serving - line.candidate for line in lines], dtype=np.int64)
    random = np.random.default_rng(seed)
    better = 0.0
    for start in range(0, draws, 1000):
        picks = random.integers(0, len(gain), size=(min(1000, draws - start), len(gain)))
        sums = gain[picks].sum(axis=1)
        better += float((sums > 0).sum()) + 0.5 * float((sums == 0).sum())
    return better / draws


def cer(lines: Sequence[LineErrors], *, serving: bool) -> float:
    """Return the corpus CER of one of the models: edits over true code points, at most 1; 0 for nothing."""
    length = sum(line.length for line in lines)
    edits = sum(line.serving if serving else line.candidate for line in lines)
    return min(1.0, edits / length) if length else 0.0


def _percent(share: float) -> str:
    """Write a share as a percentage with one decimal."""
    return f"{100 * share:.1f} %"
