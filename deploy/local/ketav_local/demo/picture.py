"""A picture of a letter with its readings before and after a training; wrong letters are red."""

import io
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ketav_local.demo.page import FONT, MARGIN, PITCH

_SIZE = 54
_HEAD = 110
"""Pixels for the headings."""
_COLUMN = 820
"""Width of the column of a reading in pixels."""
_PAPER, _INK, _WRONG, _QUIET = (255, 255, 255), (30, 30, 30), (196, 30, 20), (110, 110, 110)
_GAP = "־"
"""Shown in red where a letter or a space of the line is missing."""
_HEADINGS = ("לפני הלמידה", "אחרי הלמידה")


def marked(written: str, read: str) -> list[tuple[str, bool]]:
    """Return the letters of a reading with whether each is wrong; a missing one is a red hyphen."""
    letters: list[tuple[str, bool]] = []
    for kind, _, _, start, end in SequenceMatcher(None, written, read, autojunk=False).get_opcodes():
        if kind == "delete":
            letters.append((_GAP, True))
        letters += [(letter, kind != "equal") for letter in read[start:end]]
    return letters


def draw(page: bytes, written: Sequence[str], readings: Sequence[Sequence[str]], target: Path) -> None:
    """Draw a page of the demo and its readings in columns left of it, to a file whose name has the format."""
    letter = Image.open(io.BytesIO(page)).convert("RGB")
    picture = Image.new("RGB", (letter.width + _COLUMN * len(readings), letter.height + _HEAD), _PAPER)
    picture.paste(letter, (picture.width - letter.width, _HEAD))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.truetype(FONT, _SIZE)
    for column, (heading, lines) in enumerate(zip(_HEADINGS, readings, strict=True)):
        right = picture.width - letter.width - _COLUMN * column - 40
        _write(pen, font, [(sign, False) for sign in heading], (right, 40), _QUIET)
        for number, (true, read) in enumerate(zip_longest(written, lines, fillvalue="")):
            _write(pen, font, marked(true, read), (right, _HEAD + MARGIN + PITCH * number + 30), _INK)
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS).save(target)


def _write(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont,
    letters: Sequence[tuple[str, bool]],
    at: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    """Write letters from right to left, the first with its right edge at `at` (x, top y)."""
    x, y = at
    for letter, wrong in letters:
        width = font.getlength(letter)
        x -= width
        pen.text((x, y), letter, font=font, fill=_WRONG if wrong else colour)
        if wrong:
            pen.line([(x, y + _SIZE * 1.25), (x + width, y + _SIZE * 1.25)], fill=_WRONG, width=4)
