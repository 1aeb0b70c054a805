"""Count the lines found on drawn pages of kinds that were read wrongly in practice.

    python -m bench.drawn_kinds [KIND ...]

Kinds: `tables` (a page on a wooden table), `noise` (noise and wood without writing, grained paper with eight
lines), `arrows` (below seven lines), `notes` (turned, next to nine lines), `gutter` (a word between columns).
Prints for each kind how many pages have exactly their true number of lines, and the lines of the others.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from ketav_engine.segmentation.line_finder import find_lines
from ketav_local.demo.page import FONT, INK, LINES, PAPER

Grey = NDArray[np.uint8]
SEEDS: Final = (1, 2)
SIZE: Final = 52
"""Size of the font in pixels."""
PITCH: Final = 92
"""Distance of two lines in pixels."""
_WORDS: Final = " ".join(LINES).split()
_NOISE: Final = (1400, 1000)
"""Rows and columns of pages without writing."""
_SPECKS: Final = 0.02
"""Share of the pixels that are black on a page of specks."""


@dataclass(frozen=True)
class Drawn:
    """A page, and how many lines it has."""

    name: str
    image: Grey
    lines: int


class Page:
    """A page of paper on which lines of random words are written with a handwriting font."""

    def __init__(self, seed: int, width: int, height: int) -> None:
        """Take the seed of the words, and the size in pixels."""
        self.random = Random(seed)
        self.image = Pillow.new("RGB", (width, height), PAPER)
        self.pen = ImageDraw.Draw(self.image)

    def words(self, count: int) -> str:
        """Return random words."""
        return " ".join(self.random.choices(_WORDS, k=count))

    def write(self, right: float, top: float, text: str, size: int = SIZE) -> None:
        """Write a text whose first letter ends at `right`; the font is drawn from left to right."""
        font = ImageFont.truetype(FONT, size)
        self.pen.text((right, top), text[::-1], font=font, fill=INK, anchor="ra")

    def write_lines(self, count: int, words: int, right: int | None = None) -> None:
        """Write lines from the right margin."""
        edge = self.image.width - 60 if right is None else right
        for number in range(count):
            self.write(edge, 60 + number * PITCH, self.words(words))

    @property
    def grey(self) -> Grey:
        """Return the page in grey."""
        return np.asarray(self.image.convert("L"), dtype=np.uint8)


def clipped(grey: NDArray[Any]) -> Grey:
    """Return grey levels as bytes."""
    return np.asarray(np.clip(grey, 0, 255), dtype=np.uint8)


def grain(random: np.random.Generator, shape: tuple[int, int], cell: tuple[int, int]) -> NDArray[Any]:
    """Return noise of standard deviation 1 that changes every `cell` pixels (rows, columns)."""
    rows, columns = (max(2, size // step) for size, step in zip(shape, cell, strict=True))
    small = random.normal(0, 1, (rows, columns))
    large = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(large / large.std())


def blurred(random: np.random.Generator, shape: tuple[int, int], sigma: float) -> NDArray[Any]:
    """Return blurred noise of standard deviation 1."""
    soft = cv2.GaussianBlur(random.normal(0, 1, shape), (0, 0), sigma)
    return np.asarray(soft / soft.std())


def tables(seed: int) -> Iterator[Drawn]:
    """Yield pages of seven lines on wooden tables of five brightnesses and three strengths of grain."""
    random = np.random.default_rng(seed)
    shape = (1300, 1700)
    for level in (25, 45, 70, 100, 140):
        for strength in (0.15, 0.3, 0.5):
            page = Page(seed, 1100, 800)
            page.write_lines(7, 6)
            table = level * (1 + strength * grain(random, shape, (6, 60)))
            turn = cv2.getRotationMatrix2D((550, 400), random.uniform(-4, 4), 1)
            turn[:, 2] += (300, 250)
            placed = cv2.warpAffine(
                page.grey.astype(np.float32), turn, shape[::-1], flags=cv2.INTER_NEAREST, borderValue=-1
            )
            photograph = cv2.GaussianBlur(np.where(placed < 0, table, placed), (0, 0), 1)
            grey = clipped(photograph + random.normal(0, 4, shape))
            yield Drawn(f"table {level}, grain {strength}", grey, 7)


def noise(seed: int) -> Iterator[Drawn]:
    """Yield pages of noise, specks and wood without a line, and grained paper of eight lines."""
    random = np.random.default_rng(seed)
    for strength in (10, 25, 40, 80):
        yield Drawn(f"noise {strength}", clipped(random.normal(200, strength, _NOISE)), 0)
    for strength in (20, 40):
        for sigma in (1.0, 2.0, 4.0):
            grey = clipped(200 + strength * blurred(random, _NOISE, sigma))
            yield Drawn(f"noise {strength}, blurred {sigma}", grey, 0)
    yield Drawn("specks", clipped(np.where(random.random(_NOISE) < _SPECKS, 20, 235)), 0)
    yield Drawn("wood", clipped(120 + 25 * grain(random, _NOISE, (3, 25))), 0)
    page = Page(seed, 1400, 900)
    page.write_lines(8, 8)
    shape = (900, 1400)
    for strength in (12, 20, 30):
        for sigma in (0.7, 1.5, 3.0):
            grey = clipped(page.grey * 0.85 + strength * blurred(random, shape, sigma))
            yield Drawn(f"paper, grain {strength}, blurred {sigma}", grey, 8)
    yield Drawn("paper with fibres", clipped(page.grey * 0.85 + 12 * grain(random, shape, (3, 40))), 8)


def arrows(seed: int) -> Iterator[Drawn]:
    """Yield pages of seven lines with an arrow below them."""
    ends = {
        "level": ((900, 740), (500, 740)),
        "rising": ((600, 830), (980, 740)),
        "down": ((700, 740), (720, 900)),
        "short": ((800, 760), (700, 760)),
        "steep": ((700, 890), (800, 740)),
    }
    for name, (start, end) in ends.items():
        for width in (3, 6):
            page = Page(seed, 1400, 950)
            page.write_lines(7, 7)
            grey = page.grey.copy()
            cv2.arrowedLine(grey, start, end, 30, width, cv2.LINE_AA, tipLength=0.15)
            yield Drawn(f"arrow {name}, {width} pixels", grey, 7)


def notes(seed: int) -> Iterator[Drawn]:
    """Yield pages of nine lines with a turned note of one to three lines in a margin."""
    for side in ("left", "right"):
        for degrees in (90, 270):
            for lines, size in ((1, 52), (2, 40), (3, 44), (1, 36)):
                page = Page(seed + lines, 1500, 1100)
                page.write_lines(9, 6, 1260 if side == "right" else 1440)
                note = Page(seed, 800, round(lines * size * 1.6 + 30))
                for number in range(lines):
                    note.write(790, 8 + number * size * 1.6, note.words(4 + number % 2), size)
                turned = note.image.rotate(degrees, expand=True)
                page.image.paste(turned, (20 if side == "left" else 1480 - turned.width, 150))
                yield Drawn(f"note {side}, {degrees}°, {lines} × {size}", page.grey, 9 + lines)


def gutter(seed: int) -> Iterator[Drawn]:
    """Yield two columns of seven lines with a word in the gutter between them."""
    word, width, right = "נב", 640, 1540
    font = ImageFont.truetype(FONT, SIZE)
    for gap in (60, 100, 160):
        for row in (0, 1, 3):
            page = Page(seed, 1600, 900)
            left_column = right - width - 60 - gap
            for edge in (right, left_column):
                for number in range(7):
                    text = page.words(1)
                    while font.getlength(f"{text} שלום") < width:
                        text += f" {page.words(1)}"
                    page.write(edge, 60 + number * PITCH, text)
            page.write(left_column + (gap + font.getlength(word)) / 2, 60 + row * PITCH, word)
            yield Drawn(f"gutter of {gap} pixels, line {row + 1}", page.grey, 15)


KINDS: Final[dict[str, Callable[[int], Iterator[Drawn]]]] = {
    "tables": tables,
    "noise": noise,
    "arrows": arrows,
    "notes": notes,
    "gutter": gutter,
}


def main() -> None:
    """Print a row for each kind."""
    parser = argparse.ArgumentParser(description="Count the lines found on drawn pages of difficult kinds.")
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], metavar="KIND", help=", ".join(KINDS))
    for kind in parser.parse_args().kinds or KINDS:
        pages = [page for seed in SEEDS for page in KINDS[kind](seed)]
        wrong = [(page, len(find_lines(page.image, "page"))) for page in pages]
        wrong = [(page, count) for page, count in wrong if count != page.lines]
        print(f"{kind:<8} {len(pages) - len(wrong)} of {len(pages)} pages exact", flush=True)
        for page, count in wrong:
            print(f"           {page.name}: {count} of {page.lines} lines")


if __name__ == "__main__":
    main()
