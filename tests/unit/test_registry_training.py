"""The choice of the script to train, and the figures that a worker may report."""

from datetime import timedelta

import pytest

from ketav_registry.domain.models import Script
from ketav_registry.domain.training import (
    MIN_LINES,
    LastRun,
    Progress,
    RunState,
    has_valid_figures,
    script_to_train,
)


def test_the_script_with_most_new_lines_is_trained_if_it_has_enough() -> None:
    """A script with too few lines is not preferred to one with enough."""
    counts = {Script.SQUARE: 100, Script.RASHI: 40, Script.SEPHARDI: MIN_LINES - 1}
    last_runs = {Script.SQUARE: LastRun(90, timedelta(days=1))}
    assert script_to_train(counts, last_runs) is Script.RASHI
    assert script_to_train(counts, {}) is Script.SQUARE
    assert script_to_train({Script.RASHI: 3, Script.SQUARE: 5}, {}) is Script.SQUARE
    assert script_to_train({}, {}) is Script.MODERN_CURSIVE


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
