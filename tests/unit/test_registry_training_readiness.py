"""The readiness of a hand: due date, reason to wait and expected gain of its next run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isclose
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_registry.domain.ground_truth import LineCounts
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.training import LastRun, RunState
from ketav_registry.domain.training_policy import TrainingPolicy, is_due
from ketav_registry.domain.training_readiness import (
    GainBasis,
    HandStatus,
    PastRun,
    UserStatus,
    WaitReason,
    published_gain,
    readiness,
)

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
USER = UserStatus(NOW, TrainingPolicy(), None, None)
NEW = HandStatus(Hand(Script.MODERN_CURSIVE), LineCounts(0, 0, 0), None, (), "hebrew_base-1")


def with_lines(verified: int, last_run: LastRun | None = None) -> HandStatus:
    """Return a script with verified lines and a last run."""
    return replace(NEW, counts=LineCounts(verified, 0, 0), last_run=last_run)


@given(
    st.integers(0, 2000),
    st.one_of(
        st.none(),
        st.builds(
            LastRun, st.one_of(st.just(0), st.integers(16, 1000)), st.timedeltas(timedelta(0), 20 * DAY)
        ),
    ),
    st.booleans(),
    st.timedeltas(timedelta(0), 7 * DAY),
)
def test_readiness_agrees_with_the_sweep(
    lines: int, last_run: LastRun | None, automatic: bool, gap: timedelta
) -> None:
    """There is no reason to wait exactly when a run is due, and at `not_before` a run is due."""
    policy = TrainingPolicy(automatic, gap)
    age = last_run.age if last_run else None
    user = UserStatus(NOW, policy, None, None if age is None else NOW - age)
    ready = readiness(with_lines(lines, last_run), user)
    assert (ready.wait_reason is None) == is_due(lines, last_run, policy, age)
    assert ready.reason
    if ready.not_before is not None:
        wait = ready.not_before - NOW
        later_run = None if last_run is None else LastRun(last_run.lines, last_run.age + wait)
        assert is_due(lines, later_run, policy, None if age is None else age + wait)


@pytest.mark.parametrize(
    ("script", "user", "reason", "text"),
    [
        (
            NEW,
            USER,
            WaitReason.TOO_FEW_LINES,
            "A training run needs 16 corrected lines and this script has 0. Correct 16 more lines.",
        ),
        (
            with_lines(15),
            USER,
            WaitReason.TOO_FEW_LINES,
            "A training run needs 16 corrected lines and this script has 15. Correct 1 more line.",
        ),
        (with_lines(16), USER, None, "A run is due"),
        (
            with_lines(21, LastRun(16, DAY)),
            replace(USER, last_run_time=NOW - DAY),
            WaitReason.TOO_FEW_NEW_LINES,
            "The next run needs 11 more corrected lines. Without them it starts at 2026-11-29 09:30 UTC.",
        ),
        (
            with_lines(16, LastRun(16, DAY)),
            replace(USER, last_run_time=NOW - DAY),
            WaitReason.TOO_FEW_NEW_LINES,
            "The next run needs 16 more corrected lines.",
        ),
        (
            with_lines(40),
            replace(USER, last_run_time=NOW - timedelta(minutes=1)),
            WaitReason.MINIMUM_GAP,
            "Automatic runs start at least 5 minutes apart. The next one starts at 09:34:00 UTC.",
        ),
        (
            with_lines(40),
            replace(USER, active_run=uuid4()),
            WaitReason.RUN_ACTIVE,
            "One of your training runs is active",
        ),
        (
            with_lines(40),
            replace(USER, policy=TrainingPolicy(automatic=False)),
            WaitReason.AUTOMATIC_OFF,
            "You have switched automatic training off",
        ),
    ],
)
def test_each_reason_why_no_run_starts_has_a_text(
    script: HandStatus, user: UserStatus, reason: WaitReason | None, text: str
) -> None:
    """With its numbers and times."""
    ready = readiness(script, user)
    assert ready.wait_reason is reason
    assert ready.reason.startswith(text)


def test_the_curve_goes_through_its_published_points() -> None:
    """25 % at 16 lines, 50 % at 256; it never decreases and never exceeds 65 %."""
    assert published_gain(0) == 0
    assert isclose(published_gain(16), 0.25)
    assert isclose(published_gain(64), 0.375)
    assert isclose(published_gain(256), 0.5)
    gains = [published_gain(lines) for lines in range(0, 20_000, 7)]
    assert gains == sorted(gains)
    assert gains[-1] == 0.65


def past_run(state: RunState, cer_base: float, cer_candidate: float) -> PastRun:
    """Return a run over 13 lines that started from the base model."""
    return PastRun(state, 13, cer_base, cer_candidate, "own", "hebrew_base-1")


def test_a_user_without_runs_gets_the_estimate_of_the_published_curve() -> None:
    """16 verified lines are 13 training lines. No CER was measured, so none is returned."""
    gain = readiness(with_lines(3), USER).gain
    assert (gain.basis, gain.own_runs) == (GainBasis.PUBLISHED_CURVE, 0)
    assert isclose(gain.relative_gain, 0.25 * 13 / 16)
    assert (gain.cer_now, gain.cer_expected) == (None, None)
    assert "arXiv 2302.06308" in gain.source
    assert gain.source.startswith("The estimate is from a published curve")


def test_a_users_own_runs_scale_the_estimate() -> None:
    """A user with twice the published gain gets a higher estimate than one with half of it."""
    script = replace(with_lines(20, LastRun(16, timedelta())), serving_version="own")
    published = published_gain(13)
    twice, half = [
        readiness(replace(script, past_runs=(past_run(RunState.SUCCEEDED, 0.2, 0.2 * left),)), USER).gain
        for left in ((1 - published) ** 2, (1 - published) ** 0.5)
    ]
    assert twice.basis is half.basis is GainBasis.OWN_RUNS
    assert twice.relative_gain > published_gain(26) - published > half.relative_gain > 0
    assert twice.cer_now == 0.2 * (1 - published) ** 2
    assert twice.cer_expected is not None
    assert 0 < twice.cer_expected < twice.cer_now
    assert "scaled by 2.00, the measured gain of your 1 run" in twice.source


def test_after_a_single_rejected_run_no_gain_is_expected() -> None:
    """The CER is that of the model that serves on."""
    script = replace(
        with_lines(20, LastRun(16, timedelta())), past_runs=(past_run(RunState.REJECTED, 0.1, 0.12),)
    )
    gain = readiness(script, USER).gain
    assert (gain.relative_gain, gain.cer_now, gain.cer_expected) == (0, 0.1, 0.1)


def test_the_current_cer_is_only_that_of_the_serving_model() -> None:
    """After a rollback to a model that no run has measured, there is none."""
    script = replace(NEW, past_runs=(past_run(RunState.SUCCEEDED, 0.2, 0.1),), serving_version="another")
    assert readiness(script, USER).gain.cer_now is None
    base_serves = replace(script, serving_version="hebrew_base-1")
    assert readiness(base_serves, USER).gain.cer_now == 0.2


def test_the_source_says_when_the_curve_is_extended() -> None:
    """Beyond 256 training lines."""
    script = with_lines(500, LastRun(400, timedelta()))
    assert "extended to 422 lines" in readiness(script, USER).gain.source
