"""When runs are queued by themselves, and what a user is told about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isclose
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_registry.domain.ground_truth import LineCounts
from ketav_registry.domain.models import Script
from ketav_registry.domain.training import RunState
from ketav_registry.domain.training_policy import TrainingPolicy, gap_in_words, in_words, is_due
from ketav_registry.domain.training_readiness import (
    Calendar,
    GainBasis,
    PastRun,
    Standing,
    WaitReason,
    published_gain,
    readiness,
)

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FREE = Calendar(NOW, TrainingPolicy(), None, None)
NEW = Standing(Script.MODERN_CURSIVE, LineCounts(0, 0, 0), 0, None, (), "hebrew_base-1")


@pytest.mark.parametrize(
    ("have", "tried", "age", "due"),
    [
        (15, 0, None, False),
        (16, 0, None, True),
        (31, 16, DAY, False),
        (32, 16, DAY, True),
        (63, 40, DAY, False),
        (64, 40, DAY, True),
        (255, 128, DAY, False),
        (256, 128, DAY, True),
        (383, 256, DAY, False),
        (384, 256, DAY, True),
        (427, 300, DAY, False),
        (428, 300, DAY, True),
        (17, 16, 7 * DAY, True),
        (15, 0, 7 * DAY, False),
        (16, 0, DAY, True),
        (15, 16, 70 * DAY, False),
        (16, 16, 70 * DAY, False),
        (17, 16, 7 * DAY - timedelta(seconds=1), False),
    ],
)
def test_runs_are_due_at_sixteen_at_each_doubling_then_every_128_lines_or_weekly(
    have: int, tried: int, age: timedelta | None, due: bool
) -> None:
    """The ladder of the design, at both sides of each rung."""
    last = None if age is None else (tried, age)
    assert is_due(have, last, TrainingPolicy()) is due


def test_the_minimum_gap_holds_a_due_run_back_and_counts_from_the_last_run_of_any_script() -> None:
    """Not a second before; another script's run counts, too."""
    policy = TrainingPolicy(minimum_gap=timedelta(minutes=5))
    assert not is_due(32, (16, timedelta(seconds=299)), policy, timedelta(seconds=299))
    assert is_due(32, (16, timedelta(seconds=300)), policy, timedelta(seconds=300))
    assert not is_due(16, None, policy, timedelta(seconds=299))
    assert is_due(16, None, policy, None)


def test_nothing_is_due_when_automatic_training_is_off() -> None:
    """However many lines, however old the last run."""
    assert not is_due(5000, (16, 300 * DAY), TrainingPolicy(automatic=False), 300 * DAY)


@given(
    st.integers(0, 2000),
    st.one_of(
        st.none(),
        st.tuples(st.one_of(st.just(0), st.integers(16, 1000)), st.timedeltas(timedelta(0), 20 * DAY)),
    ),
    st.booleans(),
    st.timedeltas(timedelta(0), 7 * DAY),
)
def test_what_a_user_is_told_is_what_the_sweep_does(
    have: int, last: tuple[int, timedelta] | None, automatic: bool, gap: timedelta
) -> None:
    """No reason to wait exactly when a run is due; once the told time has come, it is due."""
    policy = TrainingPolicy(automatic, gap)
    when = None if last is None else NOW - last[1]
    standing = replace(
        NEW, counts=LineCounts(have, 0, 0), last_run_lines=last[0] if last else 0, last_run_time=when
    )
    told = readiness(standing, Calendar(NOW, policy, None, when))
    since = None if last is None else last[1]
    assert (told.wait_reason is None) == is_due(have, last, policy, since)
    assert told.reason
    if told.not_before is not None:
        later = told.not_before - NOW
        then = None if last is None else (last[0], last[1] + later)
        assert is_due(have, then, policy, None if since is None else since + later)


@pytest.mark.parametrize(
    ("standing", "calendar", "reason", "words"),
    [
        (NEW, FREE, WaitReason.TOO_FEW_LINES, "The first run needs 16 verified lines: 16 to go."),
        (
            replace(NEW, counts=LineCounts(15, 0, 0)),
            FREE,
            WaitReason.TOO_FEW_LINES,
            "The first run needs 16 verified lines: 1 to go",
        ),
        (replace(NEW, counts=LineCounts(16, 0, 0)), FREE, None, "A run is due"),
        (
            replace(NEW, counts=LineCounts(21, 0, 0), last_run_lines=16, last_run_time=NOW - DAY),
            replace(FREE, last_any=NOW - DAY),
            WaitReason.TOO_FEW_NEW_LINES,
            "The next run waits for 11 more verified lines, or until 2026-11-29 09:30 UTC.",
        ),
        (
            replace(NEW, counts=LineCounts(16, 0, 0), last_run_lines=16, last_run_time=NOW - DAY),
            replace(FREE, last_any=NOW - DAY),
            WaitReason.TOO_FEW_NEW_LINES,
            "The next run waits for 16 more verified lines.",
        ),
        (
            replace(NEW, counts=LineCounts(40, 0, 0)),
            replace(FREE, last_any=NOW - timedelta(minutes=1)),
            WaitReason.MINIMUM_GAP,
            "At least 5 minutes lie between two automatic runs: not before 09:34:00 UTC.",
        ),
        (
            replace(NEW, counts=LineCounts(40, 0, 0)),
            replace(FREE, active_run=uuid4()),
            WaitReason.RUN_ACTIVE,
            "A train",
        ),
        (
            replace(NEW, counts=LineCounts(40, 0, 0)),
            replace(FREE, policy=TrainingPolicy(automatic=False)),
            WaitReason.AUTOMATIC_OFF,
            "You have switched automatic training off",
        ),
    ],
)
def test_why_no_run_starts_now_is_said_in_words(
    standing: Standing, calendar: Calendar, reason: WaitReason | None, words: str
) -> None:
    """Each reason, with its numbers and times."""
    told = readiness(standing, calendar)
    assert told.wait_reason is reason
    assert told.reason.startswith(words)


def test_the_policy_is_said_in_words() -> None:
    """Every number of it stands there."""
    words = in_words(TrainingPolicy(minimum_gap=timedelta(hours=2)))
    assert "at 16 verified lines, then at 32, 64, 128, 256, then every 128 lines" in words
    assert "a week after" in words
    assert "2 hours" in words
    assert "off" in in_words(TrainingPolicy(automatic=False))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (90, "90 seconds"), (300, "5 minutes"), (86_400, "1 day")],
)
def test_a_gap_is_said_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    """No fractions, no rounding."""
    assert gap_in_words(timedelta(seconds=seconds)) == words


def test_the_published_curve_goes_through_its_published_points() -> None:
    """25 % at 16 lines, 50 % at 256; it never falls and never promises more than 65 %."""
    assert published_gain(0) == 0
    assert isclose(published_gain(16), 0.25)
    assert isclose(published_gain(64), 0.375)
    assert isclose(published_gain(256), 0.5)
    gains = [published_gain(lines) for lines in range(0, 20_000, 7)]
    assert gains == sorted(gains)
    assert gains[-1] == 0.65


def ran(state: RunState, before: float, after: float, lines: int = 13) -> PastRun:
    """Return a run whose model is called after it and started from the base."""
    return PastRun(state, lines, before, after, "mine", "hebrew_base-1")


def test_a_user_without_runs_gets_the_published_curve_and_its_name() -> None:
    """16 verified lines are 13 training lines: a fifth; nothing was measured, so no CER is claimed."""
    gain = readiness(replace(NEW, counts=LineCounts(3, 0, 0)), FREE).gain
    assert (gain.basis, gain.own_runs) == (GainBasis.PUBLISHED_CURVE, 0)
    assert isclose(gain.relative_gain, 0.25 * 13 / 16)
    assert (gain.cer_now, gain.cer_expected) == (None, None)
    assert "arXiv 2302.06308" in gain.source
    assert gain.source.startswith("An estimate")


def test_a_users_own_runs_scale_the_estimate() -> None:
    """Who gained twice what was published is told more than who gained half; the CER starts from theirs."""
    later = replace(NEW, counts=LineCounts(20, 0, 0), last_run_lines=16, last_run_time=NOW, serving="mine")
    promised = published_gain(13)
    twice, half = [
        readiness(replace(later, past_runs=(ran(RunState.SUCCEEDED, 0.2, 0.2 * left),)), FREE).gain
        for left in ((1 - promised) ** 2, (1 - promised) ** 0.5)
    ]
    assert twice.basis is half.basis is GainBasis.OWN_RUNS
    assert twice.relative_gain > published_gain(26) - promised > half.relative_gain > 0
    assert twice.cer_now == 0.2 * (1 - promised) ** 2
    assert twice.cer_expected is not None
    assert 0 < twice.cer_expected < twice.cer_now
    assert "scaled by 2.00: by what your 1 run gained" in twice.source


def test_a_rejected_run_promises_nothing() -> None:
    """One refused run and no other: the estimate is nought, and the CER is that of the model that stayed."""
    standing = replace(
        NEW,
        counts=LineCounts(20, 0, 0),
        last_run_lines=16,
        last_run_time=NOW,
        past_runs=(ran(RunState.REJECTED, 0.1, 0.12),),
    )
    gain = readiness(standing, FREE).gain
    assert (gain.relative_gain, gain.cer_now, gain.cer_expected) == (0, 0.1, 0.1)


def test_a_cer_is_claimed_only_of_the_model_that_serves() -> None:
    """After a return to a model that the last runs did not measure, nothing is claimed."""
    standing = replace(NEW, past_runs=(ran(RunState.SUCCEEDED, 0.2, 0.1),), serving="another")
    assert readiness(standing, FREE).gain.cer_now is None
    back = replace(standing, serving="hebrew_base-1")
    assert readiness(back, FREE).gain.cer_now == 0.2


def test_past_the_published_range_the_estimate_says_so() -> None:
    """From 256 to 512 lines the curve is extended, in plain words."""
    standing = replace(NEW, counts=LineCounts(500, 0, 0), last_run_lines=400, last_run_time=NOW)
    assert "extended to 422 lines" in readiness(standing, FREE).gain.source
