"""The demo's page: what is written is what the list says, in a hand that the seed decides."""

import io

import numpy as np
from PIL import Image, ImageFont

from ketav_local.demo.page import FONT, LINES, PAPER, PITCH, render


def pixels(image: bytes) -> np.ndarray:
    """Decode a page to grey values, shape (height, width)."""
    return np.asarray(Image.open(io.BytesIO(image)).convert("L"))


def test_the_font_has_every_letter_that_is_written() -> None:
    """A missing letter would be drawn as a box and read as nonsense."""
    font = ImageFont.truetype(FONT, 60)
    missing = bytes(font.getmask("\u05f4"))
    for letter in sorted(set("".join(LINES)) - {" "}):
        assert bytes(font.getmask(letter)) != missing, letter


def test_each_line_of_text_is_ink_on_its_own_rule_and_begins_on_the_right() -> None:
    """Six lines of ink, a pitch apart, the right half inked before the left."""
    page = pixels(render(seed=3))
    dark = page < np.asarray(Image.new("RGB", (1, 1), PAPER).convert("L"))[0, 0] // 2
    rows = np.flatnonzero(dark.any(axis=1))
    bands = 1 + np.count_nonzero(np.diff(rows) > 1)
    assert bands >= len(LINES)
    assert len(LINES) * PITCH < page.shape[0]
    assert dark[:, page.shape[1] // 2 :].sum() > dark[:, : page.shape[1] // 2].sum()
    assert not dark[:, -60:].any()


def test_one_seed_is_one_hand() -> None:
    """The same seed gives the same bytes, another one another page."""
    assert render(seed=5) == render(seed=5)
    assert render(seed=5) != render(seed=6)
