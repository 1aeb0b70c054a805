"""Words get the ends of their characters; corrected ones are aligned with the reading."""

import pytest

from ketav_gateway.transcriptions.word_boxes import spans
from ketav_gateway.transcriptions.word_ends import UNKNOWN, Ends, Reading, word_ends

READING = Reading("אבג דהו", [(60, 70), (50, 60), (40, 50), (30, 40), (20, 30), (10, 20), (0, 10)])
"""Two words of three letters: 40 to 70 and 0 to 30."""


def ends(text: str, reading: Reading = READING) -> list[Ends]:
    """Return the ends of the words of a text."""
    return word_ends(text, spans(text), reading)


CORRECTIONS = {
    "as it was read": ("אבג דהו", [(40, 70), (0, 30)]),
    "substituted letters": ("אקג קהו", [(40, 70), (0, 30)]),
    "an inserted letter": ("אבבג דהו", [(40, 70), (0, 30)]),
    "a letter left out": ("אג דהו", [(40, 70), (0, 30)]),
    "a letter left out at the end of a word": ("אב דהו", [(50, 70), (0, 30)]),
    "a space left out": ("אבגדהו", [(0, 70)]),
    "an inserted space": ("אב ג דהו", [(50, 70), (40, 50), (0, 30)]),
    "only the first word": ("אבג", [(40, 70)]),
}


@pytest.mark.parametrize(("text", "expected"), CORRECTIONS.values(), ids=CORRECTIONS)
def test_a_corrected_word_is_where_its_letters_were_read(text: str, expected: list[Ends]) -> None:
    """With a margin of a tenth of a letter that does not reach into the next word."""
    assert ends(text) == [pytest.approx(word, abs=1.5) for word in expected]


def test_a_word_that_the_network_left_out_shares_the_room_of_its_neighbours() -> None:
    """It has no place of its own; all words have a width, from right to left."""
    first, inserted, last = ends("אבג חט דהו")
    assert first[1] > first[0] >= inserted[1] > inserted[0] >= last[1] > last[0]


def test_a_text_unlike_the_reading_and_a_reading_without_extents_tell_nothing() -> None:
    """The words are then estimated."""
    assert ends("זזזז חחחח") == []
    assert ends("אבג דהו", UNKNOWN) == []
    assert ends("אבג דהו", Reading("אבג דהו", [(0, 1)])) == []


def test_the_words_of_a_latin_run_are_where_they_were_read() -> None:
    """The first Latin word is to the left of the second."""
    text = "א bc de"
    extents = [(60, 70), (50, 60), (0, 10), (10, 20), (20, 30), (30, 40), (40, 50)]
    assert ends(text, Reading(text, extents)) == [
        pytest.approx(word, abs=1.5) for word in [(60, 70), (0, 20), (30, 50)]
    ]
