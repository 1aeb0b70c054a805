"""The policy of automatic training."""

from datetime import timedelta

import pytest

from ketav_registry.domain.training import LastRun
from ketav_registry.domain.training_policy import TrainingPolicy, duration_text, is_due, policy_text

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("lines", "last_lines", "age", "due"),
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
def test_runs_are_due_at_16_lines_at_each_doubling_then_every_128_lines_or_after_a_week(
    lines: int, last_lines: int, age: timedelta | None, due: bool
) -> None:
    """Just below and at each number of lines."""
    last_run = None if age is None else LastRun(last_lines, age)
    assert is_due(lines, last_run, TrainingPolicy()) is due


def test_the_minimum_gap_delays_a_due_run_and_counts_from_the_last_run_of_any_script() -> None:
    """To the second."""
    policy = TrainingPolicy(minimum_gap=timedelta(minutes=5))
    early, late = timedelta(seconds=299), timedelta(seconds=300)
    assert not is_due(32, LastRun(16, early), policy, early)
    assert is_due(32, LastRun(16, late), policy, late)
    assert not is_due(16, None, policy, early)
    assert is_due(16, None, policy, None)


def test_no_run_is_due_when_automatic_training_is_off() -> None:
    """However many lines there are, however old the last run is."""
    last_run = LastRun(16, 300 * DAY)
    assert not is_due(5000, last_run, TrainingPolicy(automatic=False), last_run.age)


def test_the_policy_text_has_every_number_of_the_policy() -> None:
    """As sentences for the user."""
    text = policy_text(TrainingPolicy(minimum_gap=timedelta(hours=2)))
    assert "at 16 corrected lines, then at 32, 64, 128, 256, then every 128 lines" in text
    assert "a week after" in text
    assert "2 hours" in text
    assert "off" in policy_text(TrainingPolicy(automatic=False))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 seconds"), (1, "1 second"), (90, "90 seconds"), (300, "5 minutes"), (86_400, "1 day")],
)
def test_a_duration_is_written_in_its_largest_whole_unit(seconds: int, text: str) -> None:
    """Without fractions or rounding."""
    assert duration_text(timedelta(seconds=seconds)) == text
