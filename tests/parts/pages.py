"""Pages of a made-up script that the tiny engine can find, and learns from corrections."""

import io
import random

from PIL import Image, ImageDraw

LETTERS = "אבגדה"
"""The letters that can be drawn."""
_STEP = 44
_LINE = 80
_GAP = 8
_SHAPES = {"א": (28, 0, 40), "ב": (10, 0, 40), "ג": (28, 20, 40), "ד": (10, 28, 40), "ה": (36, 0, 18)}
"""Width, top and bottom of each letter's bar in pixels."""


def random_lines(count: int, length: int = 8, seed: int = 0) -> list[str]:
    """Return so many texts of so many letters, in logical order."""
    source = random.Random(seed)
    return ["".join(source.choice(LETTERS) for _ in range(length)) for _ in range(count)]


def random_words(count: int, seed: int = 0) -> list[str]:
    """Return so many texts of three words of four letters."""
    source = random.Random(seed)
    words = ["".join(source.choice(LETTERS) for _ in range(4)) for _ in range(3 * count)]
    return [" ".join(words[start : start + 3]) for start in range(0, len(words), 3)]


def draw_page(lines: list[str]) -> bytes:
    """Draw lines from right to left, one below the other, and return the page as PNG."""
    width = 60 + _STEP * max(map(len, lines), default=1)
    image = Image.new("L", (width, 40 + _LINE * len(lines)), 255)
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(lines):
        right = width - 30
        for letter in text:
            if letter == " ":
                right -= _STEP
                continue
            wide, top, bottom = _SHAPES[letter]
            y = 20 + _LINE * row
            draw.rectangle((right - wide, y + top, right, y + bottom), fill=0)
            right -= wide + _GAP
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def place_of(row: int, lines: list[str]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return baseline and boundary of one of the lines of a drawn page."""
    width = 60 + _STEP * max(map(len, lines), default=1)
    top, bottom = 10 + _LINE * row, 70 + _LINE * row
    baseline = [(10, top + 10), (width - 10, top + 10)]
    return baseline, [(10, top), (width - 10, top), (width - 10, bottom), (10, bottom)]
