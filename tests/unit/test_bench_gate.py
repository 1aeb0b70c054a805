"""The simulation of the gate draws what it says, and shows what the gate's evidence is worth."""

import numpy as np
import pytest

from bench.gate import CER, POLICIES, Simulation, Stage, promoted

BEFORE, NOW = POLICIES
TRIALS = 60


def test_drawn_errors_have_the_rates_and_the_correlation_of_real_ones() -> None:
    """Both models have their CER, and their errors on the same lines correlate by about 0.8."""
    errors = Simulation(NOW, seed=1).errors(4000, CER, CER)
    length = sum(line.length for line in errors)
    assert sum(line.serving for line in errors) / length == pytest.approx(CER, rel=0.05)
    assert sum(line.candidate for line in errors) / length == pytest.approx(CER, rel=0.05)
    serving, candidate = zip(*((e.serving / e.length, e.candidate / e.length) for e in errors), strict=True)
    assert np.corrcoef(serving, candidate)[0, 1] == pytest.approx(0.8, abs=0.05)


def test_lines_that_trained_the_parent_hide_an_improvement() -> None:
    """Without them the gate refuses fewer candidates that make a fifth fewer errors."""
    stage = Stage(lines=64, trained=13)
    assert promoted(NOW, stage, 0.2, TRIALS) > promoted(BEFORE, stage, 0.2, TRIALS)


def test_held_out_lines_that_choose_the_epoch_promote_candidates_that_are_no_better() -> None:
    """If they only judge, about one in ten candidates without a gain is promoted."""
    stage = Stage(lines=256, trained=51)
    assert promoted(BEFORE, stage, 0.0, TRIALS) > 0.2
    assert promoted(NOW, stage, 0.0, TRIALS) < 0.2


def test_a_worse_candidate_is_refused() -> None:
    """A fifth more errors pass in at most one run of fifty, with few lines and with many."""
    for stage in (Stage(64, 13), Stage(256, 51)):
        assert promoted(NOW, stage, -0.2, TRIALS) <= 1 / 50
