"""Simulate false promotions and false refusals of the gate: `python -m bench.gate`.

Simulates stages of a user's corrections, each many times, with `ketav_trainer.gate` itself. A candidate
changes the true error rate on new lines by a known factor, so that each verdict is known to be right or
wrong. Two policies are compared: the one that serves, and the one before it, which chose among the epochs by
the held-out lines and cross-validated lines that had trained the parent. Only errors are drawn: how a real
candidate of a real hand is judged is measured by `python -m bench.learning_curve`.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ketav_trainer.gate import LineErrors, is_proved_worse, judge

CER: Final = 0.08
"""CER of the base model on an unseen modern hand (docs/reports/evaluation.md)."""
LENGTH: Final = (30.0, 9.0)
"""Mean and spread of a line's code points, those of the validation lines of unseen writers."""
DIFFICULTY_SHAPE: Final = 3.0
"""Shape of the gamma distribution of the lines' difficulties, by the dispersion of their errors."""
SHARED: Final = 0.7
"""Share of the better model's errors that both models make: their errors on these lines correlate by 0.8."""
HOLDOUT_SHARE: Final = 0.2
TRAINED_GAIN: Final = 0.45
"""Share by which a model's CER is lower on lines that it was trained on."""
FOLD_SHARE: Final = 0.6
"""Share of the candidate's gain that a model of a fold reaches: fewer lines, fewer epochs."""
EPOCHS_MEASURED: Final = 5
"""States that the earlier policy chose from."""
EPOCH_CHANGE: Final = 0.5
"""Share of the errors that differ between two of these states, which are equally good."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A user's corrected lines, and how many of them trained the model that serves."""

    lines: int
    trained: int


STAGES: Final = (Stage(16, 0), Stage(64, 13), Stage(256, 51), Stage(1000, 205))
GAINS: Final = (-0.2, -0.1, 0.0, 0.1, 0.2, 0.4)
"""Shares by which a candidate lowers the true CER; negative ones raise it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The evidence of the gate: the errors on held-out lines, and on lines that models of folds left out."""

    name: str
    chooses_epoch: bool
    """Whether the held-out lines choose among the epochs first."""
    folds_below: int
    """Held-out lines below which the training lines are cross-validated."""
    folds_of_trained_lines: bool
    """Whether that includes lines that trained the parent."""


POLICIES: Final = (
    Policy("before", chooses_epoch=True, folds_below=20, folds_of_trained_lines=True),
    Policy("now", chooses_epoch=False, folds_below=64, folds_of_trained_lines=False),
)
_MIN_CHOOSING_LINES: Final = 20
"""Held-out lines from which the earlier policy chose an epoch."""
_CLEAR_LINES: Final = 8
_CLEAR_PROBABILITY: Final = 0.99


class Simulation:
    """Draws runs of one policy."""

    def __init__(self, policy: Policy, seed: int) -> None:
        """Take the policy and the seed of all draws."""
        self._policy = policy
        self._random = np.random.default_rng(seed)

    def errors(self, count: int, serving: float, candidate: float) -> list[LineErrors]:
        """Draw the errors of two models with these CERs on `count` lines."""
        lengths = np.clip(self._random.normal(*LENGTH, count), 5, 80).astype(int)
        difficulties = self._random.gamma(DIFFICULTY_SHAPE, 1 / DIFFICULTY_SHAPE, count)
        drawn = []
        for length, difficulty in zip(lengths, difficulties, strict=True):
            rates = np.minimum(np.array([serving, candidate]) * difficulty, 0.9)
            shared = SHARED * rates.min()
            both = self._random.binomial(length, shared)
            own = self._random.binomial(length - both, (rates - shared) / (1 - shared))
            drawn.append(LineErrors(int(length), int(both + own[0]), int(both + own[1])))
        return drawn

    def promotes(self, stage: Stage, gain: float) -> bool:
        """Return the verdict on one run whose candidate lowers the true CER by the share `gain`."""
        held_out = max(1, round(HOLDOUT_SHARE * stage.lines))
        lines = self.errors(held_out, CER, CER * (1 - gain))
        if self._policy.chooses_epoch and held_out >= _MIN_CHOOSING_LINES:
            lines = self._best_epoch(lines, CER * (1 - gain))
        clear = len(lines) >= _CLEAR_LINES and judge(lines, min_probability=_CLEAR_PROBABILITY).promote
        few = held_out < self._policy.folds_below and not clear and not is_proved_worse(lines)
        folds = self._folds(stage, held_out, gain) if few else []
        return judge(lines, folds=folds, seed=int(self._random.integers(2**31))).promote

    def _best_epoch(self, lines: list[LineErrors], rate: float) -> list[LineErrors]:
        """Return the errors of the state with the fewest, among states of the same true CER."""
        states = [lines]
        for _ in range(EPOCHS_MEASURED - 1):
            redrawn = self.errors(len(lines), rate, rate)
            unchanged = self._random.random(len(lines)) >= EPOCH_CHANGE
            states.append(
                [
                    line if keep else LineErrors(line.length, line.serving, min(other.candidate, line.length))
                    for line, other, keep in zip(lines, redrawn, unchanged, strict=True)
                ]
            )
        return min(states, key=lambda state: sum(line.candidate for line in state))

    def _folds(self, stage: Stage, held_out: int, gain: float) -> list[LineErrors]:
        """Draw the errors on cross-validated lines, where the models of the folds gain less."""
        fold_rate = CER * (1 - FOLD_SHARE * gain)
        folds = self.errors(stage.lines - held_out - stage.trained, CER, fold_rate)
        if self._policy.folds_of_trained_lines and stage.trained:
            known = CER * (1 - TRAINED_GAIN)
            folds += self.errors(stage.trained, known, min(fold_rate, known / 0.9))
        return folds


def promoted(policy: Policy, stage: Stage, gain: float, trials: int, seed: int = 0) -> float:
    """Return the share of simulated runs that are promoted."""
    simulation = Simulation(policy, seed)
    return sum(simulation.promotes(stage, gain) for _ in range(trials)) / trials


def table(trials: int, stages: tuple[Stage, ...] = STAGES, write: Callable[[str], None] = print) -> None:
    """Write the promoted runs of both policies for each stage and gain, in per cent, as a Markdown table."""
    write(
        "| corrected lines | policy | "
        + " | ".join(f"{-100 * gain + 0.0:+.0f} % errors" for gain in GAINS)
        + " |"
    )
    write("|--:|---|" + "--:|" * len(GAINS))
    for stage in stages:
        for policy in POLICIES:
            shares = [promoted(policy, stage, gain, trials) for gain in GAINS]
            cells = " | ".join(f"{100 * share:.0f}" for share in shares)
            write(f"| {stage.lines} ({stage.trained} trained the parent) | {policy.name} | {cells} |")


def main() -> None:
    """Read the number of trials from the command line and write the table."""
    parser = argparse.ArgumentParser(description="Simulates the gate's false promotions and false refusals.")
    parser.add_argument("--trials", type=int, default=400, help="runs of each policy, stage and gain")
    table(parser.parse_args().trials)


if __name__ == "__main__":
    main()
