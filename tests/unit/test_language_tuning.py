"""The weights of the beam search are fitted on held-out texts, and the search for them ends."""

from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel import sentences, tune
from ketav_basemodel.alphabet import DIGITS


def test_the_search_descends_to_the_lowest_neighbour_and_stops() -> None:
    """From any start it reaches the minimum of a bowl and measures no pair outside the grid."""

    def bowl(weight: float, bonus: float) -> float:
        """Return a cost with one minimum."""
        return (weight - 0.65) ** 2 + (bonus - 0.3) ** 2

    for start in ((0, 0), (7, 7), (3, 2)):
        costs = tune._descend(bowl, start)
        assert min(costs, key=lambda pair: costs[pair]) == (0.65, 0.3)
        assert all(weight in tune.WEIGHTS and bonus in tune.BONUSES for weight, bonus in costs)


def test_running_text_keeps_the_order_of_its_words() -> None:
    """A drawn line is successive words of one sentence or one verse."""
    source = sentences.RunningTexts(["אחת שתיים שלוש ארבע"], [["אבא", "בא"]])
    random = np.random.default_rng(1)
    for biblical, whole in ((0.0, "אחת שתיים שלוש ארבע"), (1.0, "אבא בא")):
        drawn = {source.draw(random, biblical, 3) for _ in range(30)}
        assert all(text in whole and len(text.split()) <= 3 for text in drawn)
        assert len(drawn) > 1 or whole in drawn


def test_random_texts_have_only_their_characters() -> None:
    """Words are of two to seven digits."""
    words = " ".join(sentences.RandomTexts(DIGITS).draw(np.random.default_rng(2)) for _ in range(20)).split()
    assert all(set(word) <= set(DIGITS) and 2 <= len(word) <= 7 for word in words)


def test_without_fetched_sentences_no_weights_are_fitted(tmp_path: Path) -> None:
    """Missing sentences are an error; no other text replaces them."""
    with pytest.raises(FileNotFoundError):
        sentences.read(tmp_path)
