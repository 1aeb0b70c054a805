"""Lines of unseen writers, whose letters no model was trained on, for validation.

`letters_jce` of KETAV_BENCH_DATA has up to ten instances of each letter of 61 writers, native pixels on white
paper. A line is a text of letters side by side, each an unchanged random instance: it differs from a line of
the writer by its spacing, and no letters are joined.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.letters import CLASSES, CORE_LETTERS

Grey = NDArray[np.uint8]
_PAPER: Final = 200
"""Pixels at least this light are paper."""
_GAP: Final = (0.13, 0.04)
"""Mean and spread of the paper between the letters of a word, in core heights."""
_SPACE: Final = (0.75, 0.1)
"""Mean and spread of the paper between words, in core heights."""
_MIN_SPACE: Final = 0.4
"""Core heights of paper between words at least."""
_ABOVE: Final = 2.5
"""Core heights of paper above the baseline."""
_HEIGHT: Final = 4.0
"""Core heights of a line's image."""
_MARGIN: Final = 0.5
"""Core heights of paper at both ends of the line."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One written letter: its image, cropped to the ink, and its top in pixels below the baseline."""

    image: Grey
    top: float


@dataclass(frozen=True, slots=True)
class UnseenWriter:
    """A writer: the height in pixels of the letters without ascenders, and the instances of each letter."""

    name: str
    core: float
    letters: dict[str, list[Instance]]


@dataclass(frozen=True, slots=True)
class UnseenLine:
    """A line: its writer, its text in logical order, its image (height, width), dark on white."""

    writer: str
    text: str
    image: Grey


def load_writers(folder: Path) -> list[UnseenWriter]:
    """Read `folder`/letters.tsv and its images. Raises FileNotFoundError when they do not exist."""
    rows: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    with (folder / "letters.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            rows[row["writer"]].append(row)
    return [_writer(name, rows[name], folder) for name in sorted(rows)]


def _writer(name: str, rows: Iterable[dict[str, str]], folder: Path) -> UnseenWriter:
    """Return a writer's letters: all instances of a letter end at the median of their lower edges."""
    by_letter: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_letter[CLASSES[int(row["class"])]].append(row)
    heights = [float(row["ink_h"]) for letter in CORE_LETTERS for row in by_letter[letter]]
    bottoms = {
        letter: float(np.median([float(row["ink_y"]) + float(row["ink_h"]) for row in group]))
        for letter, group in by_letter.items()
        if group
    }
    baseline = float(np.median([bottoms[letter] for letter in CORE_LETTERS if letter in bottoms]))
    letters = {
        letter: [_instance(folder / row["file"], bottoms[letter] - baseline) for row in group]
        for letter, group in by_letter.items()
        if group
    }
    return UnseenWriter(name, float(np.median(heights)), letters)


def _instance(path: Path, bottom: float) -> Instance:
    """Read one letter; `bottom` is its lower edge in pixels below the baseline."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(path)
    rows, columns = np.nonzero(image < _PAPER)
    ink = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return Instance(np.asarray(ink, dtype=np.uint8), bottom - ink.shape[0])


def write_line(writer: UnseenWriter, text: str, random: np.random.Generator) -> UnseenLine:
    """Return a line of letters and spaces; letters that the writer lacks are left out of image and text."""
    text = " ".join("".join(c for c in text if c == " " or c in writer.letters).split())
    core, cursor = writer.core, _MARGIN * writer.core
    placed: list[tuple[Instance, int]] = []
    for character in reversed(text):
        if character == " ":
            cursor += core * max(_MIN_SPACE, float(random.normal(*_SPACE)))
            continue
        forms = writer.letters[character]
        instance = forms[int(random.integers(len(forms)))]
        placed.append((instance, int(cursor)))
        cursor += instance.image.shape[1] + core * float(random.normal(*_GAP))
    page = np.full((int(_HEIGHT * core), int(cursor + _MARGIN * core)), 255, dtype=np.uint8)
    for instance, left in placed:
        _draw(page, instance, left, round(_ABOVE * core + instance.top))
    return UnseenLine(writer.name, text, page)


def _draw(page: Grey, instance: Instance, left: int, top: int) -> None:
    """Draw an instance on the page, ink over ink, clipped at the edges."""
    ink = instance.image[max(0, -top) :, max(0, -left) :]
    top, left = max(0, top), max(0, left)
    part = page[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.minimum(part, ink[: part.shape[0], : part.shape[1]], out=part)
