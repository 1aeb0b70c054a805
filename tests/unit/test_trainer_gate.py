"""The gate promotes what is better beyond chance and says why in words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_trainer.gate import (
    LineErrors,
    cer,
    is_proved_worse,
    judge,
    largest_general_cer,
    probability_better,
)

lines_of_errors = st.lists(
    st.builds(LineErrors, st.integers(0, 80), st.integers(0, 120), st.integers(0, 120)), max_size=40
)


def test_a_clearly_better_candidate_is_promoted_with_the_figures_in_words() -> None:
    """41 of 52 lines improve: the words name both counts and both error rates."""
    lines = [LineErrors(100, 20, 9)] * 41 + [LineErrors(100, 11, 12)] * 11
    verdict = judge(lines)
    assert verdict.promote
    assert verdict.sentence == "Promoted: 41 of 52 held-out lines improved, CER 18.1 % → 9.6 %."
    assert verdict.probability == pytest.approx(1.0)


def test_an_improvement_that_may_be_chance_is_rejected() -> None:
    """One lucky line among many equal ones proves nothing at the demanded certainty."""
    lines = [LineErrors(50, 5, 2)] + [LineErrors(50, 5, 6), LineErrors(50, 6, 5)] * 10
    verdict = judge(lines)
    assert not verdict.promote
    assert verdict.sentence.startswith("Rejected: the improvement may be chance (")


def test_a_worse_candidate_is_rejected_however_sure_the_draws_are() -> None:
    """A candidate that makes more errors is never promoted."""
    verdict = judge([LineErrors(50, 5, 9)] * 30)
    assert not verdict.promote
    assert verdict.probability == 0
    assert verdict.sentence == (
        "Rejected: the new model does not read the held-out lines better, CER 10.0 % → 18.0 %. "
        "Correct more lines."
    )


def test_an_equal_candidate_is_rejected() -> None:
    """Without a single changed line the probability is one half and the old model stays."""
    verdict = judge([LineErrors(50, 5, 5)] * 30)
    assert not verdict.promote
    assert verdict.probability == 0.5


def test_lines_of_folds_are_named_apart_from_those_held_out() -> None:
    """Few held-out lines and the training lines of two folds decide together; the words count each sort."""
    verdict = judge([LineErrors(100, 20, 9)] * 6, folds=[LineErrors(100, 20, 12)] * 10)
    assert verdict.sentence == (
        "Promoted: 16 of 16 (6 held-out, 10 cross-validated) lines improved, CER 20.0 % → 10.9 %."
    )


def test_copies_of_lines_decide_what_the_lines_alone_leave_open() -> None:
    """A line counts with its copies in the probability; the CERs are those of the lines."""
    alone = [LineErrors(50, 5, 4), LineErrors(50, 5, 5), LineErrors(50, 4, 5), LineErrors(50, 6, 5)] * 3
    assert judge(alone).reason == "may-be-chance"
    copied = [replace(line, serving_copies=18, candidate_copies=12) for line in alone]
    verdict = judge(copied)
    assert verdict.promote
    assert (verdict.cer_before, verdict.cer_after) == (judge(alone).cer_before, judge(alone).cer_after)
    assert not judge([replace(line, serving_copies=12, candidate_copies=18) for line in alone]).promote


@pytest.mark.parametrize("lines", [[], [LineErrors(40, 20, 0)] * 4, [LineErrors(0, 3, 0)] * 20])
def test_too_little_held_out_text_promotes_nothing(lines: list[LineErrors]) -> None:
    """No lines, too few of them, or lines without a letter: nothing can be proved."""
    verdict = judge(lines)
    assert not verdict.promote
    assert "too few" in verdict.sentence


def test_a_candidate_that_forgets_other_hands_is_rejected_with_both_figures() -> None:
    """Better on the user's lines but more than a point worse on the general set: the old model stays."""
    verdict = judge([LineErrors(100, 20, 9)] * 30, [LineErrors(100, 3, 5)] * 40)
    assert not verdict.promote
    assert (verdict.general_before, verdict.general_after) == (0.03, 0.05)
    assert verdict.sentence == (
        "Rejected: the new model forgets too much of other writers, 3.0 % → 5.0 % where 4.0 % is allowed, "
        "although 30 of 30 held-out lines improved, CER 20.0 % → 9.0 %. Correct more lines."
    )


def test_a_candidate_may_lose_a_point_on_other_hands() -> None:
    """Exactly the floor is allowed, and the words name what it cost."""
    verdict = judge([LineErrors(100, 20, 9)] * 30, [LineErrors(100, 3, 4)] * 40)
    assert verdict.promote
    assert verdict.sentence.endswith("CER 20.0 % → 9.0 %; other writers 3.0 % → 4.0 %.")


@pytest.mark.parametrize(
    ("serving", "base", "limit"),
    [(0.03, None, 0.04), (0.03, 0.03, 0.04), (0.03, 0.02, 0.03), (0.05, 0.02, 0.05)],
)
def test_the_losses_of_successive_versions_do_not_add_up(
    serving: float, base: float | None, limit: float
) -> None:
    """A point more than the base model is the limit of all versions; a model beyond it loses nothing more."""
    assert largest_general_cer(serving, base) == pytest.approx(limit)
    lines = [LineErrors(100, 20, 9)] * 30
    for candidate, promote in ((limit, True), (limit + 0.01, False)):
        general = [LineErrors(100, round(100 * serving), round(100 * candidate))] * 40
        assert judge(lines, general, general_limit=limit).promote is promote


def test_reading_other_hands_better_promotes_nothing_by_itself() -> None:
    """The general set can only forbid."""
    verdict = judge([LineErrors(50, 5, 5)] * 30, [LineErrors(100, 30, 0)] * 40)
    assert not verdict.promote
    assert verdict.general_after == 0


@given(lines_of_errors, st.integers(0, 5))
def test_the_verdict_follows_from_lines_and_seed_and_stays_in_bounds(
    lines: list[LineErrors], seed: int
) -> None:
    """Equal input gives an equal verdict; a promotion always means fewer errors and figures from 0 to 1."""
    verdict = judge(lines, seed=seed)
    assert verdict == judge(lines, seed=seed)
    assert 0 <= verdict.cer_before <= 1
    assert 0 <= verdict.cer_after <= 1
    if verdict.promote:
        assert sum(line.candidate for line in lines) < sum(line.serving for line in lines)


@given(lines_of_errors.filter(bool))
def test_swapping_the_models_mirrors_the_probability(lines: list[LineErrors]) -> None:
    """What one model wins the other loses, draw by draw."""
    swapped = [LineErrors(line.length, line.candidate, line.serving) for line in lines]
    assert probability_better(lines, draws=500) == pytest.approx(1 - probability_better(swapped, draws=500))


def test_the_error_rate_is_corpus_level() -> None:
    """Edits over code points of all lines together, not a mean of the lines' rates."""
    lines = [LineErrors(10, 10, 0), LineErrors(90, 0, 9)]
    assert cer(lines, serving=True) == pytest.approx(0.1)
    assert cer(lines, serving=False) == pytest.approx(0.09)


def test_a_candidate_that_reads_worse_itself_is_is_proved_worse_and_an_equal_one_is_not() -> None:
    """Lines decide against it as surely as they must decide for it; chance, and no lines, decide nothing."""
    assert is_proved_worse([LineErrors(50, 5, 9)] * 10)
    assert not is_proved_worse([LineErrors(50, 5, 5)] * 10)
    assert not is_proved_worse([LineErrors(50, 5, 6), LineErrors(50, 6, 5)] * 5)
    assert not is_proved_worse([])


def test_some_per_cent_fewer_errors_on_lines_that_are_hardly_read_at_all_promote_nothing() -> None:
    """A model that writes less reads texts of other lines less wrongly; a new script's gain is large."""
    verdict = judge([LineErrors(50, 34, 32)] * 30)
    assert not verdict.promote
    assert verdict.sentence == (
        "Rejected: few errors are gone, CER 68.0 % → 64.0 %. Check that the texts belong to these lines."
    )
    assert judge([LineErrors(50, 45, 26)] * 30).promote
    assert judge([LineErrors(50, 20, 19)] * 30).promote


@pytest.mark.parametrize(
    ("reason", "lines", "general"),
    [
        ("promoted", [LineErrors(100, 20, 9)] * 30, []),
        ("too-few-lines", [LineErrors(100, 20, 9)] * 4, []),
        ("not-better", [LineErrors(50, 5, 9)] * 30, []),
        ("few-errors-gone", [LineErrors(50, 34, 32)] * 30, []),
        ("may-be-chance", [LineErrors(50, 5, 2)] + [LineErrors(50, 5, 6), LineErrors(50, 6, 5)] * 10, []),
        ("forgets-others", [LineErrors(100, 20, 9)] * 30, [LineErrors(100, 3, 5)] * 40),
    ],
)
def test_each_reason_has_a_code_for_programs(
    reason: str, lines: list[LineErrors], general: list[LineErrors]
) -> None:
    """Only one of them promotes; the lines that improved are counted, whatever the decision."""
    verdict = judge(lines, general)
    assert verdict.reason == reason
    assert verdict.promote == (reason == "promoted")
    assert verdict.improved == sum(line.candidate < line.serving for line in lines)


def test_one_line_read_a_letter_worse_refutes_nothing_and_one_that_is_no_longer_read_does() -> None:
    """Every draw of a single line is that line: drawing tells nothing, only how much worse it is."""
    assert not is_proved_worse([LineErrors(50, 1, 2)])
    assert not is_proved_worse([LineErrors(50, 0, 1), LineErrors(40, 2, 3)])
    assert is_proved_worse([LineErrors(50, 1, 45)])
    assert is_proved_worse([LineErrors(50, 5, 9)] * 5)
