"""The choice of the hand to train, and the figures that a worker may report."""

from datetime import timedelta
from uuid import uuid4

import pytest

from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.training import (
    MIN_LINES,
    LastRun,
    Progress,
    RunState,
    hand_to_train,
    has_valid_figures,
)


def test_the_hand_with_most_new_lines_is_trained_if_it_has_enough() -> None:
    """A hand with too few lines is not preferred to one with enough; a hand with a name counts as well."""
    square, rashi, sephardi = Hand(Script.SQUARE), Hand(Script.RASHI), Hand(Script.SEPHARDI)
    counts = {square: 100, rashi: 40, sephardi: MIN_LINES - 1}
    last_runs = {square: LastRun(90, timedelta(days=1))}
    assert hand_to_train(counts, last_runs) == rashi
    assert hand_to_train(counts, {}) == square
    assert hand_to_train({rashi: 3, square: 5}, {}) == square
    assert hand_to_train({}, {}) == Hand(Script.MODERN_CURSIVE)
    grandmother = Hand(Script.SQUARE, uuid4(), "Grandmother")
    assert hand_to_train(counts | {grandmother: 50}, last_runs) == grandmother


@pytest.mark.parametrize(
    ("progress", "valid"),
    [
        (Progress(RunState.RUNNING, 1, 10, 0.5, 0.1, 0.2), True),
        (Progress(RunState.RUNNING, -1, 10), False),
        (Progress(RunState.RUNNING, 1, 10, float("nan")), False),
        (Progress(RunState.RUNNING, 1, 10, None, float("inf")), False),
        (Progress(RunState.RUNNING, 1, 10, None, None, -0.1), False),
    ],
)
def test_only_finite_figures_from_zero_are_stored(progress: Progress, valid: bool) -> None:
    """A diverged training cannot store NaN."""
    assert has_valid_figures(progress) is valid
