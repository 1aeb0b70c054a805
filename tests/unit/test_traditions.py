"""Lines in the fonts of a tradition show the text that they are measured with."""

from pathlib import Path

import numpy as np

from ketav_basemodel.traditions import LINES, set_lines

FONT = Path(__file__).parents[2] / "deploy" / "local" / "ketav_local" / "demo" / "gveret-levin-subset.ttf"
VERSE = ["שלום", "לכל", "אדם", "כותב", "היום", "אחרת", "ולומד", "לקרוא", "מחר"]


def test_set_lines_are_successive_words_of_a_verse_in_black_on_white() -> None:
    """Four to eight words, as wide as their letters need, with paper around them."""
    lines = list(set_lines(FONT, [VERSE], seed=1))
    assert len(lines) == LINES
    for image, text in lines:
        words = text.split()
        assert any(VERSE[start : start + len(words)] == words for start in range(len(VERSE)))
        assert image.min() < 50
        border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert border.min() == 255
    widths = {text: image.shape[1] for image, text in lines}
    assert widths[max(widths, key=len)] > widths[min(widths, key=len)]
