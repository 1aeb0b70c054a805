"""The ranking of uncorrected lines."""

import random
from collections import Counter
from uuid import UUID

import pytest

from ketav_registry.domain.next_lines import Candidate, CandidatePool, rank_lines, uncertainties


def line(number: int, text: str, confidence: float, page: int = 0) -> Candidate:
    """Return a line whose characters have the same confidence."""
    return Candidate(UUID(int=number), UUID(int=page), number, text, [confidence] * len(text))


def numbers(candidates: list[Candidate], limit: int, verified: tuple[str, ...] = ()) -> list[int]:
    """Return the numbers of the ranked lines."""
    return [ranked.line.line_id.int for ranked in rank_lines(candidates, verified, limit)]


def test_an_uncertain_line_ranks_before_a_certain_one() -> None:
    """With the same text and page, only confidence counts; of equal lines the first is first."""
    text = "שלום לכולם"
    assert numbers([line(1, text, 0.9), line(2, text, 0.4), line(3, text, 0.7)], 3) == [2, 3, 1]
    assert numbers([line(1, text, 0.5), line(2, text, 0.5)], 2) == [1, 2]


def test_a_line_like_a_ranked_or_corrected_one_ranks_after_a_new_one() -> None:
    """Even if the new one is slightly less uncertain."""
    lines = [line(1, "שלום לכולם", 0.5), line(2, "שלום לכולם", 0.5), line(3, "גדעון קץ טס", 0.55)]
    assert numbers(lines, 2) == [1, 3]
    assert numbers(lines, 1, verified=("שלום לכולם",)) == [3]


def test_ranked_lines_are_spread_over_pages() -> None:
    """Of four similar lines on two pages the second ranked one is on the other page."""
    lines = [line(number, "אבגדהוזח", 0.5, page=number // 2) for number in range(4)]
    assert numbers(lines, 2) == [0, 2]


def test_the_uncertainty_of_a_short_line_is_shrunk_to_the_mean() -> None:
    """A single uncertain letter does not rank before a whole uncertain line."""
    lines = [line(1, "א", 0.1), line(2, "אבגדהוזחטיכלמנסעפצקרשת", 0.5), line(3, "תשרקצפעסנמלכיט", 0.95)]
    short, uncertain, certain = uncertainties(lines)
    assert short < uncertain
    assert certain < short


def test_the_heap_gives_the_same_order_as_scoring_every_line_in_each_step() -> None:
    """Every line is ranked once, for any limit."""
    chance = random.Random(5)
    lines = [
        line(n, "".join(chance.choices("אבגדהוזחטיכ ", k=chance.randint(1, 30))), chance.random(), n % 4)
        for n in range(60)
    ]
    pool, left, order = CandidatePool(lines, Counter(["א", "ב", "אב"])), set(range(60)), []
    while left:
        best = max(left, key=lambda index: (pool.score(index), -index))
        left.remove(best)
        pool.select(best)
        order.append(best)
    assert numbers(lines, 100, ("אב",)) == order
    assert numbers(lines, 7, ("אב",)) == order[:7]


def test_an_empty_project_and_a_line_without_confidences_can_be_ranked() -> None:
    """An engine need not return confidences."""
    assert rank_lines([], (), 5) == []
    assert numbers([Candidate(UUID(int=1), UUID(int=1), 0, "א", [])], 5) == [1]


@pytest.mark.parametrize(
    ("verified", "contained", "absent"),
    [
        ((), "The mean confidence of its characters is 50%.", "rare"),
        (("אבגדהאבגדהאבגדה",), "letters that are rare in your corrections: ץ", "new"),
        (("לגמרי אחר",), "Most of its letter sequences are new.", "ת"),
    ],
)
def test_each_ranked_line_has_a_reason(verified: tuple[str, ...], contained: str, absent: str) -> None:
    """Always the confidence; rare letters and new sequences if there are any; the page once."""
    first, second = rank_lines([line(1, "אבגדהץ", 0.5), line(2, "אבגדה", 0.5)], verified * 3, 2)
    assert contained in first.reason
    assert absent not in first.reason
    assert "first line of its page" in first.reason
    assert "first line of its page" not in second.reason
