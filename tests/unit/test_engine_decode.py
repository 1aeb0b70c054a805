"""From labels to readings."""

import numpy as np
import pytest

from ketav_engine.recognition import decode

pytestmark = pytest.mark.kraken


class Codec:
    """A codec of single labels."""

    def __init__(self, alphabet: str) -> None:
        """Take the alphabet."""
        self.alphabet = alphabet

    def decode(self, labels: list[tuple[int, int, int, float]]) -> list[tuple[str, int, int, float]]:
        """Translate labels from 1 on."""
        return [(self.alphabet[label - 1], start, end, share) for label, start, end, share in labels]


def labels(text: str, alphabet: str) -> list[decode.Label]:
    """Return the labels of a text in display order, one step and a falling confidence each."""
    return [decode.Label(alphabet.index(c) + 1, i, i, 0.9 - 0.01 * i) for i, c in enumerate(text)]


def test_repeats_are_joined_and_blanks_separate() -> None:
    """A run of one label is one label with its greatest probability; after a blank it can repeat."""
    outputs = np.zeros((3, 7), np.float32)
    for step, (label, share) in enumerate([(1, 0.6), (1, 0.9), (0, 1), (1, 0.7), (2, 0.8), (0, 1), (2, 0.5)]):
        outputs[label, step] = share
    decoded = decode.greedy(outputs)
    assert [(label.label, label.start, label.end) for label in decoded] == [
        (1, 0, 1),
        (1, 3, 3),
        (2, 4, 4),
        (2, 6, 6),
    ]
    assert decoded[0].confidence == pytest.approx(0.9)


@pytest.mark.parametrize("text", ["שלום עולם", 'בשנת 1948 (תש"ח), כן', "12.3.24", "א) ב", "", "abc שלום 7%"])
def test_display_order_is_converted_back_to_logical_order(text: str) -> None:
    """The text that was reordered for the network is restored, digits and brackets included."""
    display = decode.to_display(text)
    assert decode.to_logical(display, [1.0] * len(display)).text == text


def test_confidences_follow_their_characters_into_logical_order() -> None:
    """The rightmost letter on the image is the first of the text and keeps its own confidence."""
    reading = decode.to_reading(labels("גבא", "אבג"), Codec("אבג"))
    assert reading.text == "אבג"
    assert reading.confidences == pytest.approx((0.88, 0.89, 0.9))


def test_spaces_are_single_and_never_at_the_ends() -> None:
    """Several spaces and spaces at the ends of a line are not written."""
    reading = decode.to_reading(labels("  א  ב ", "אב "), Codec("אב "))
    assert reading.text == "ב א"
    assert len(reading.confidences) == 3


def test_nothing_decoded_is_an_empty_reading() -> None:
    """No labels, or spaces alone, give no text and no confidence."""
    assert decode.to_reading([], Codec("א")) == decode.EMPTY
    assert decode.to_reading(labels("  ", "א "), Codec("א ")) == decode.EMPTY
    assert decode.EMPTY.confidence == 0
    assert decode.EMPTY.words == ()
