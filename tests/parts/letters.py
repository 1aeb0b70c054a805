"""Letters without files: filled rectangles, for tests of the synthesis."""

from typing import Final

import numpy as np

from ketav_basemodel.fonts import Fonts
from ketav_basemodel.glyphs import UNIT, Glyph, make_glyph
from ketav_basemodel.letters import CLASSES, LetterCollection

NO_FONTS: Final = Fonts([], [], [], [], [], [])
WORDS: Final = {"שלום": 0.5, "עולם": 0.3, "דבר": 0.1, "ספר": 0.1}


def block(height: int, width: int) -> Glyph:
    """Return a filled rectangle standing on the core band's lower edge."""
    return make_glyph(np.full((height, width), 255, dtype=np.uint8), float(UNIT - height))


def block_collection(writers: int = 3) -> LetterCollection:
    """Return writers whose letters are rectangles of different widths."""
    alphabets = {
        writer: {letter: block(UNIT, 8 + index % 7 + writer) for index, letter in enumerate(CLASSES)}
        for writer in range(writers)
    }
    return LetterCollection(alphabets, {w: [v for v in range(writers) if v != w] for w in range(writers)})
