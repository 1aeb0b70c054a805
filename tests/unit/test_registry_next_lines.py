"""Which lines are picked to be corrected next."""

import random
from collections import Counter
from uuid import UUID

import pytest

from ketav_registry.domain.next_lines import Candidate, _Pool, next_lines, uncertainties


def line(number: int, text: str, confidence: float, page: int = 0) -> Candidate:
    """Return a line that was read with one confidence."""
    return Candidate(UUID(int=number), UUID(int=page), number, text, [confidence] * len(text))


def numbers(candidates: list[Candidate], limit: int, verified: tuple[str, ...] = ()) -> list[int]:
    """Return the numbers of the picked lines."""
    return [picked.line.line_id.int for picked in next_lines(candidates, verified, limit)]


def test_the_unsure_line_comes_before_the_sure_one() -> None:
    """Same text, same page: confidence alone decides; of equals the first."""
    same = "שלום לכולם"
    assert numbers([line(1, same, 0.9), line(2, same, 0.4), line(3, same, 0.7)], 3) == [2, 3, 1]
    assert numbers([line(1, same, 0.5), line(2, same, 0.5)], 2) == [1, 2]


def test_a_line_like_one_already_picked_or_corrected_gives_way_to_a_new_one() -> None:
    """Nearly as unsure, but with other letters."""
    lines = [line(1, "שלום לכולם", 0.5), line(2, "שלום לכולם", 0.5), line(3, "גדעון קץ טס", 0.55)]
    assert numbers(lines, 2) == [1, 3]
    assert numbers(lines, 1, verified=("שלום לכולם",)) == [3]


def test_lines_are_spread_over_pages() -> None:
    """Of four alike lines on two pages the second pick is on the other page."""
    lines = [line(number, "אבגדהוזח", 0.5, page=number // 2) for number in range(4)]
    assert numbers(lines, 2) == [0, 2]


def test_a_scrap_does_not_win_by_one_unsure_character() -> None:
    """A single doubtful letter is drawn to the mean; a whole doubtful line stays doubtful."""
    lines = [line(1, "א", 0.1), line(2, "אבגדהוזחטיכלמנסעפצקרשת", 0.5), line(3, "תשרקצפעסנמלכיט", 0.95)]
    scrap, whole, sure = uncertainties(lines)
    assert scrap < whole
    assert sure < scrap


def test_every_line_comes_once_and_each_is_the_best_there_is_then() -> None:
    """However many are asked for; the picks are those of weighing every line anew each time."""
    chance = random.Random(5)
    lines = [
        line(n, "".join(chance.choices("אבגדהוזחטיכ ", k=chance.randint(1, 30))), chance.random(), n % 4)
        for n in range(60)
    ]
    pool, left, order = _Pool(lines, Counter(["א", "ב", "אב"])), set(range(60)), []
    while left:
        best = max(left, key=lambda index: (pool._worth(index), -index))
        left.remove(best)
        pool.take(best)
        order.append(best)
    assert numbers(lines, 100, ("אב",)) == order
    assert numbers(lines, 7, ("אב",)) == order[:7]


def test_nothing_to_pick_from_is_nothing_picked() -> None:
    """An empty project, and a line whose engine gave no confidence."""
    assert next_lines([], (), 5) == []
    assert numbers([Candidate(UUID(int=1), UUID(int=1), 0, "א", [])], 5) == [1]


@pytest.mark.parametrize(
    ("verified", "said", "unsaid"),
    [
        ((), "The model is 50% unsure of its characters", "rarely"),
        (("אבגדהאבגדהאבגדה",), "letters your corrections rarely have: ץ", "new"),
        (("לגמרי אחר",), "most of its letter sequences are new", "ת"),
    ],
)
def test_each_pick_says_why(verified: tuple[str, ...], said: str, unsaid: str) -> None:
    """Uncertainty always, rare letters and new sequences where they are, the page once."""
    first, second = next_lines([line(1, "אבגדהץ", 0.5), line(2, "אבגדה", 0.5)], verified * 3, 2)
    assert said in first.reason
    assert unsaid not in first.reason
    assert "no other line of its page" in first.reason
    assert "no other line of its page" not in second.reason
