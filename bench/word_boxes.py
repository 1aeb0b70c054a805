"""Measure the boxes of words on drawn pages, whose true boxes are known.

    python -m bench.word_boxes [--pages 6] [--seed 0]

Prints for boxes estimated from the number of characters, and for boxes from the steps of the network: the
share of words whose box covers 95 % of the width of the word's ink, the share whose box has at least 70 % of
the union of both widths in common with it, and the mean of that share. The words are those of the true
text, as after a correction of each line. Words are drawn letter by letter in the font of the demo, with
slopes up to 2 %.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageFont

from ketav_engine.domain import ReadLine
from ketav_engine.engines import make_engine
from ketav_gateway.transcriptions.word_boxes import extent, outlines, spans
from ketav_gateway.transcriptions.word_ends import UNKNOWN, Reading
from ketav_local.demo import page as demo

LINES: Final = 6
WORDS_A_LINE: Final = (3, 6)
MIN_COVERED: Final = 0.95
MIN_COMMON: Final = 0.7
_INK: Final = 200
"""Grey level below which a pixel of a drawn word is ink."""
_VOCABULARY: Final = sorted({word for line in demo.LINES for word in line.split()} | {"לא", "של", "תל", "אב"})

Columns = tuple[int, int]


@dataclass(frozen=True)
class DrawnLine:
    """The text of a line, and the columns of the ink of each of its words."""

    text: str
    columns: list[Columns]


def draw(random: Random) -> tuple[NDArray[np.uint8], list[DrawnLine]]:
    """Draw a page and return it with its lines."""
    size = round(demo.SIZE * random.uniform(0.75, 1.0))
    page = Image.new("RGB", (demo.WIDTH, 2 * demo.MARGIN + demo.PITCH * LINES), demo.PAPER)
    lines = [
        draw_line(page, demo.MARGIN + demo.PITCH * (number + 1) - 30, size, random) for number in range(LINES)
    ]
    return np.asarray(page.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.uint8), lines


def draw_line(page: Image.Image, baseline: int, size: int, random: Random) -> DrawnLine:
    """Draw random words from the right margin leftwards; `baseline` is their y and `size` the font's."""
    texts, columns = random.choices(_VOCABULARY, k=random.randint(*WORDS_A_LINE)), []
    drift, slant = random.uniform(-0.02, 0.02), random.uniform(-0.12, 0.05)
    x = demo.WIDTH - demo.MARGIN - random.uniform(0, 40)
    for text in texts:
        alone = Image.new("RGB", page.size, "white")
        for letter in text:
            font = ImageFont.truetype(demo.FONT, round(size * random.uniform(0.95, 1.05)))
            x -= font.getlength(letter)
            at = x, baseline + drift * (demo.WIDTH - x) + random.uniform(-2.5, 2.5)
            shear = slant + random.uniform(-0.04, 0.04)
            demo.stamp(page, letter, font, at, shear)
            demo.stamp(alone, letter, font, at, shear)
            x -= random.uniform(0.5, 4.0)
        inked = np.flatnonzero((np.asarray(alone.convert("L")) < _INK).any(axis=0))
        columns.append((int(inked[0]), int(inked[-1]) + 1))
        x -= size * random.uniform(0.25, 0.5)
    return DrawnLine(" ".join(texts), columns)


def shares(line: ReadLine, drawn: DrawnLine, reading: Reading) -> list[tuple[float, float]]:
    """Return for each word the share of its columns that its box covers, and the share of the union."""
    result = []
    words = spans(drawn.text)
    for (first, end), outline in zip(
        drawn.columns, outlines(line.baseline, line.boundary, drawn.text, words, reading), strict=True
    ):
        left, _, right, _ = extent(outline)
        common = max(0, min(right, end) - max(left, first))
        result.append((common / (end - first), common / (max(right, end) - min(left, first))))
    return result


def report(name: str, words: Sequence[tuple[float, float]]) -> str:
    """Return the row of one kind of boxes."""
    covered, common = np.array(words).T
    return (
        f"{name:10} {len(words):4} words  covered {np.mean(covered >= MIN_COVERED):.3f}  "
        f"common {np.mean(common >= MIN_COMMON):.3f}  mean common {np.mean(common):.3f}"
    )


def main() -> None:
    """Read the pages and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    engine = make_engine("kraken", Path("models/hebrew_lm.npz"))
    content = Path("models/hebrew_base.safetensors").read_bytes()
    model = engine.load_model(content, hashlib.sha256(content).hexdigest())
    estimated, placed = [], []
    for number in range(arguments.pages):
        page, drawn_lines = draw(Random(arguments.seed + number))
        read_lines = engine.read_page(page, "page", model).lines
        if len(read_lines) != len(drawn_lines):
            print(f"page {number}: {len(read_lines)} lines found of {len(drawn_lines)}, left out")
            continue
        for line, drawn in zip(read_lines, drawn_lines, strict=True):
            estimated += shares(line, drawn, UNKNOWN)
            placed += shares(line, drawn, Reading(line.text, line.extents))
    print(report("estimated", estimated))
    print(report("network", placed))


if __name__ == "__main__":
    main()
