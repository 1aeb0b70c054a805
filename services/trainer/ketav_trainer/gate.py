"""The gate: whether a candidate model may serve, decided on lines that the serving model read too.

Both models read as they would serve, with the language model.

Paired bootstrap over lines (Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 16; for
recognition errors Bisani & Ney, ICASSP 2004): lines are drawn again with replacement, and the share of draws
in which the candidate makes fewer errors estimates the probability that it is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

MIN_PROBABILITY: Final = 0.9
"""Probability of being better from which a candidate is promoted."""
MIN_LINES: Final = 5
"""Held-out lines below which nothing can be proved."""
MAX_GENERAL_CER_INCREASE: Final = 0.01
"""Largest allowed increase of the base model's CER on the general set, lines of other writers: one percentage
point."""
SUSPECT_CER: Final = 0.4
"""CER of a candidate above which texts may not belong to their lines, so that only a clear gain counts."""
MIN_CLEAR_GAIN: Final = 0.2
"""Relative reduction of the errors that counts as clear. If texts belong to other lines, a model that writes
less text already gains a few per cent."""
BROKEN_CER_INCREASE: Final = 0.1
"""Increase of the CER on fewer than `MIN_LINES` lines above which a candidate is broken and not unlucky."""
_DRAWS: Final = 10_000
"""Resamples of the lines: the probability's standard error is at most 0.005."""
_DRAWS_AT_ONCE: Final = 1_000
"""Resamples drawn in one array: 1,000 lines take 8 MB."""
_ROUNDING: Final = 1e-9


Reason = Literal[
    "promoted", "too-few-lines", "not-better", "few-errors-gone", "may-be-chance", "forgets-others"
]
"""The gate's reason, for programs that word it in another language."""


@dataclass(frozen=True, slots=True)
class LineErrors:
    """A line that both models read: held out, or of the general set."""

    length: int
    """Code points of the true text."""
    serving: int
    """Edits between the true text and the text that the serving model read."""
    candidate: int
    """Edits between the true text and the text that the candidate read."""
    serving_copies: int = 0
    """Edits of the serving model on distorted copies of the line, summed over them."""
    candidate_copies: int = 0
    """Edits of the candidate on the same copies."""

    @property
    def gain(self) -> int:
        """Edits that the candidate saves, on the line and on its copies."""
        return self.serving + self.serving_copies - self.candidate - self.candidate_copies


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision with its reason."""

    promote: bool
    reason: Reason
    sentence: str
    """Decision, reason and figures for the user."""
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
    general_limit: float | None = None
    """Largest corpus CER that the candidate may have on the general set."""
    improved: int = 0
    """Measured lines on which the candidate makes fewer errors."""


def judge(
    lines: Sequence[LineErrors],
    general: Sequence[LineErrors] = (),
    *,
    folds: Sequence[LineErrors] = (),
    general_limit: float | None = None,
    seed: int = 0,
    min_probability: float = MIN_PROBABILITY,
) -> Verdict:
    """Decide whether a candidate may serve: it reads the held-out lines better and forgets little.

    `lines` has every held-out line once; `folds` has the training lines where the held-out ones were too
    few, each read by a model fitted without it; `general` has the lines of other writers, where the
    candidate's CER may be `general_limit`, by default the serving model's and `MAX_GENERAL_CER_INCREASE`.
    Equal arguments give an equal decision. A CER above 1 (a model that writes more than there is) is
    reported as 1.
    """
    counted = f"{len(lines)} held-out"
    if folds:
        counted = f"{len(lines) + len(folds)} ({counted}, {len(folds)} cross-validated)"
    comparison = _compare([*lines, *folds], counted, seed, min_probability)
    verdict = comparison.verdict()
    if not general:
        return verdict
    before, after = cer(general, serving=True), cer(general, serving=False)
    limit = largest_general_cer(before) if general_limit is None else general_limit
    verdict = replace(verdict, general_before=before, general_after=after, general_limit=limit)
    if not verdict.promote:
        return verdict
    if after > limit:
        sentence = (
            f"Rejected: the new model forgets too much of other writers, {_change(before, after)} where "
            f"{100 * limit:.1f} % is allowed, although {comparison.clause}. Correct more lines."
        )
        forgets: Reason = "forgets-others"
        return replace(verdict, promote=False, reason=forgets, sentence=sentence)
    sentence = f"Promoted: {comparison.clause}; other writers {_change(before, after)}."
    return replace(verdict, sentence=sentence)


def largest_general_cer(serving: float, base: float | None = None) -> float:
    """Return the largest CER that a candidate may have on the general set, from 0 to 1.

    It is the base model's and `MAX_GENERAL_CER_INCREASE`, so that the losses of successive versions do
    not add up; where the serving model has lost more already, it is the serving model's. Without `base`
    the serving model is the base.
    """
    reference = serving if base is None else base
    return max(reference + MAX_GENERAL_CER_INCREASE + _ROUNDING, serving)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The comparison of both models on the measured lines, without the general set."""

    reason: Reason
    clause: str
    """The reason with its figures, without a full stop."""
    probability: float
    cer_before: float
    cer_after: float
    improved: int
    advice: str = "Correct more lines."
    """What the user can do after a rejection."""

    def verdict(self) -> Verdict:
        """Return the verdict of a gate without a general set."""
        promote = self.reason == "promoted"
        sentence = f"Promoted: {self.clause}." if promote else f"Rejected: {self.clause}. {self.advice}"
        return Verdict(
            promote,
            self.reason,
            sentence,
            self.probability,
            self.cer_before,
            self.cer_after,
            improved=self.improved,
        )


def _compare(lines: Sequence[LineErrors], counted: str, seed: int, min_probability: float) -> _Comparison:
    """Compare both models on the measured lines; `counted` says how many lines of which type they are."""
    before, after = cer(lines, serving=True), cer(lines, serving=False)
    improved = sum(line.candidate < line.serving for line in lines)
    if sum(line.length for line in lines) == 0 or len(lines) < MIN_LINES:
        clause = f"too few lines to prove an improvement: {counted}"
        return _Comparison("too-few-lines", clause, 0.0, before, after, improved)
    probability = probability_better(lines, seed)
    figures = f"CER {_change(before, after)}"
    if after >= before:
        clause = f"the new model does not read the held-out lines better, {figures}"
        return _Comparison("not-better", clause, probability, before, after, improved)
    if after > SUSPECT_CER and after > (1 - MIN_CLEAR_GAIN) * before:
        clause, advice = f"few errors are gone, {figures}", "Check that the texts belong to these lines."
        return _Comparison("few-errors-gone", clause, probability, before, after, improved, advice)
    if probability < min_probability:
        clause = f"the improvement may be chance ({round(100 * probability)} % probability), {figures}"
        return _Comparison("may-be-chance", clause, probability, before, after, improved)
    clause = f"{improved} of {counted} lines improved, {figures}"
    return _Comparison("promoted", clause, probability, before, after, improved)


def is_proved_worse(lines: Sequence[LineErrors], seed: int = 0) -> bool:
    """Return whether lines prove a candidate worse with the probability that a promotion needs.

    Fewer than `MIN_LINES` lines prove it only for a broken model: every resample of one line is that line.
    """
    if len(lines) < MIN_LINES:
        return cer(lines, serving=False) - cer(lines, serving=True) > BROKEN_CER_INCREASE
    return probability_better(lines, seed) <= 1 - MIN_PROBABILITY


def probability_better(lines: Sequence[LineErrors], seed: int = 0, draws: int = _DRAWS) -> float:
    """Return the share of `draws` resamples of the lines in which the candidate makes fewer errors.

    A resample in which both make equally many counts half. A line counts with its copies, which show how
    certainly it is read: two models that read it alike by chance differ on some of them.
    """
    gain = np.array([line.gain for line in lines], dtype=np.int64)
    random = np.random.default_rng(seed)
    better = 0.0
    for start in range(0, draws, _DRAWS_AT_ONCE):
        picks = random.integers(0, len(gain), size=(min(_DRAWS_AT_ONCE, draws - start), len(gain)))
        sums = gain[picks].sum(axis=1)
        better += float((sums > 0).sum()) + 0.5 * float((sums == 0).sum())
    return better / draws


def cer(lines: Sequence[LineErrors], *, serving: bool) -> float:
    """Return the corpus CER of one of the models: edits over true code points, at most 1; 0 for no lines."""
    length = sum(line.length for line in lines)
    edits = sum(line.serving if serving else line.candidate for line in lines)
    return min(1.0, edits / length) if length else 0.0


def _change(before: float, after: float) -> str:
    """Return two shares as percentages with one decimal: `18.1 % → 9.6 %`."""
    return f"{100 * before:.1f} % → {100 * after:.1f} %"
