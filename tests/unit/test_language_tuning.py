"""The beam's weights are chosen on texts nobody trained on, and the search for them ends."""

from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel import sentences, tune
from ketav_basemodel.texts import DIGITS


def test_the_search_walks_to_the_lowest_neighbour_and_stops() -> None:
    """From any start it reaches the bottom of a bowl, trying no pair outside the grid."""

    def bowl(weight: float, bonus: float) -> float:
        """Have one lowest point."""
        return (weight - 0.65) ** 2 + (bonus - 0.3) ** 2

    for start in ((0, 0), (7, 7), (3, 2)):
        tried = tune._descend(bowl, start)
        assert min(tried, key=lambda pair: tried[pair]) == (0.65, 0.3)
        assert all(weight in tune.WEIGHTS and bonus in tune.BONUSES for weight, bonus in tried)


def test_running_text_keeps_the_order_of_its_words() -> None:
    """A drawn line is a run of words of one sentence or one verse."""
    source = sentences.Running(["אחת שתיים שלוש ארבע"], [["אבא", "בא"]])
    random = np.random.default_rng(1)
    for biblical, whole in ((0.0, "אחת שתיים שלוש ארבע"), (1.0, "אבא בא")):
        drawn = {source.draw(random, biblical, 3) for _ in range(30)}
        assert all(text in whole and len(text.split()) <= 3 for text in drawn)
        assert len(drawn) > 1 or whole in drawn


def test_noise_is_made_of_nothing_but_its_characters() -> None:
    """Digits stay digits, in words of two to seven."""
    words = " ".join(sentences.Noise(DIGITS).draw(np.random.default_rng(2)) for _ in range(20)).split()
    assert all(set(word) <= set(DIGITS) and 2 <= len(word) <= 7 for word in words)


def test_without_fetched_sentences_nothing_is_tuned(tmp_path: Path) -> None:
    """The weights are never fitted on other text in silence."""
    with pytest.raises(FileNotFoundError):
        sentences.read(tmp_path)
