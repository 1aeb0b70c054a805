"""Letters of real writers: the HHD collection of modern cursive letters, cleaned and brought to one scale.

Rabaev et al., The HHD Dataset, 2020. Constants without a measurement of their own were chosen by eye on the
collection.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import hog
from sklearn.neighbors import NearestNeighbors  # type: ignore[import-untyped]

from ketav_basemodel.corpora import Part
from ketav_basemodel.glyphs import UNIT, Glyph, Ink, crop_ink, make_glyph

CLASSES: Final = "אבגדהוזחטיכךלמםנןסעפףצץקרשת"
"""The letter of each class folder, in order."""
CORE_LETTERS: Final = "אבדהחטכמסרשת"
"""Letters whose height is the core band in modern cursive."""
HANGING: Final = "קךןי"
"""Letters that hang from the core band's upper edge whatever their height."""
RISING: Final = "לףץט"
"""Letters that have their foot on the core band's lower edge and rise above the band."""
IN_PARTS: Final = "אהקת"
"""Letters of several strokes that need not touch."""
MISLABELLED: Final = frozenset({41, 101})
"""Writers whose files have the wrong letters from nun onward (41) or in several places (101)."""
_HELD_OUT: Final = 0.1
"""Share of the writers that is held out."""
_MIN_LETTERS: Final = 12
"""Letters that a writer's alphabet has at least."""
_NEIGHBOURS: Final = 15
"""Nearest shapes that a letter is compared with."""
_MIN_OWN_NEIGHBOURS: Final = 2
"""Neighbours of its own letter from which a letter is kept."""
_MIN_OTHER_NEIGHBOURS: Final = 8
"""Otherwise a letter is removed if this many neighbours are one other letter."""
_TALL: Final = 1.3
"""Height in core bands from which a letter reaches below and above the core band."""
_HOG_SIDE: Final = 32
"""Pixels of the square in which a shape is described."""
_INK_THRESHOLD: Final = 110
"""Ink from which a pixel belongs to a letter when its image is cropped."""


@dataclass(frozen=True, slots=True)
class LetterCollection:
    """The alphabets of real writers.

    `alphabets[writer][letter]` is that writer's glyph; a letter can be missing. `similar[writer]` lists the
    other writers, the one with the most similar letters first.
    """

    alphabets: dict[int, dict[str, Glyph]]
    similar: dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class _Letter:
    """One image of the collection: its letter, its writer, the cropped ink and its shape features."""

    letter: str
    writer: int
    ink: Ink
    features: NDArray[np.float32]


def held_out(writer: int) -> bool:
    """Return whether a writer is held out for validation: about one in ten, by a hash that never changes."""
    return hashlib.sha256(f"writer {writer}".encode()).digest()[0] < _HELD_OUT * 256


def load_collection(folders: Sequence[Path], part: Part | None = "training") -> LetterCollection:
    """Read the collection's folders: FOLDER/CLASS/CLASS_WRITER.png, a writer's number the same in all.

    Only the writers of one part are read: their letters, the shapes they are cleaned by, and the writers that
    lend letters to each other never cross from one part to the other. `part` None reads both parts, for a
    last training. `MISLABELLED` writers and misfiled images are left out. Raises FileNotFoundError when the
    folders have no letter.
    """
    images = (
        item
        for folder in folders
        for index in range(len(CLASSES))
        for item in _read_class(folder, index)
        if item.writer not in MISLABELLED
    )
    letters = [
        item for item in images if part in (None, "validation" if held_out(item.writer) else "training")
    ]
    if not letters:
        raise FileNotFoundError(f"no letters under {' or '.join(map(str, folders))}")
    by_writer: dict[int, dict[str, _Letter]] = {}
    for item in _without_misfiled(letters):
        by_writer.setdefault(item.writer, {})[item.letter] = item
    writers = {writer: own for writer, own in by_writer.items() if len(own) >= _MIN_LETTERS}
    typical = _typical_heights(writers)
    alphabets = {writer: _alphabet(own, typical) for writer, own in sorted(writers.items())}
    return LetterCollection(alphabets, _similar(writers))


def _read_class(folder: Path, index: int) -> list[_Letter]:
    """Read one class folder, in a stable order."""
    letters = []
    for path in sorted((folder / str(index)).glob("*.png")):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            continue
        ink = crop_ink(_ink(np.asarray(grey, dtype=np.uint8)), _INK_THRESHOLD)
        if min(ink.shape) >= 3 and max(ink.shape) >= 10:
            ink = _without_debris(ink, CLASSES[index])
            letters.append(_Letter(CLASSES[index], int(path.stem.split("_")[1]), ink, _features(ink)))
    return letters


def _without_debris(ink: Ink, letter: str) -> Ink:
    """Remove pieces of neighbouring letters: of a letter of one stroke only the largest piece stays."""
    if letter in IN_PARTS:
        return ink
    _, labels, boxes, _ = cv2.connectedComponentsWithStats((ink > 60).astype(np.uint8), connectivity=8)
    areas = boxes[1:, cv2.CC_STAT_AREA]
    if len(areas) < 2 or areas.max() < 0.6 * areas.sum():
        return ink
    largest = np.where(labels == 1 + int(areas.argmax()), ink, 0)
    return crop_ink(np.asarray(largest, dtype=np.uint8), _INK_THRESHOLD)


def _ink(grey: Ink) -> Ink:
    """Convert dark strokes on light paper into ink from 0 to 255."""
    dark, light = np.percentile(grey, (2, 85))
    return np.asarray(
        np.clip((light - grey.astype(np.float32) - 12) * (255 / max(light - dark - 24, 20)), 0, 255), np.uint8
    )


def _features(ink: Ink) -> NDArray[np.float32]:
    """Describe a shape by histograms of gradients of its centred image (Dalal and Triggs 2005)."""
    scale = (_HOG_SIDE - 2) / max(ink.shape)
    small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    square = np.zeros((_HOG_SIDE, _HOG_SIDE), np.uint8)
    top, left = (_HOG_SIDE - small.shape[0]) // 2, (_HOG_SIDE - small.shape[1]) // 2
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.asarray(hog(square, 9, (8, 8), (2, 2)), dtype=np.float32)


def _without_misfiled(letters: list[_Letter]) -> list[_Letter]:
    """Leave out letters whose nearest shapes almost all are another letter; rare forms of a letter stay."""
    shapes = np.stack([item.features for item in letters])
    names = np.array([item.letter for item in letters])
    _, nearest = NearestNeighbors(n_neighbors=_NEIGHBOURS + 1).fit(shapes).kneighbors(shapes)
    correct = []
    for item, neighbours in zip(letters, names[nearest[:, 1:]], strict=True):
        most_frequent_other = max(Counter(neighbours[neighbours != item.letter].tolist()).values(), default=0)
        own = int((neighbours == item.letter).sum())
        if own >= _MIN_OWN_NEIGHBOURS or most_frequent_other < _MIN_OTHER_NEIGHBOURS:
            correct.append(item)
    return correct


def _core_height(own: dict[str, _Letter]) -> float:
    """Return a writer's core band in pixels of the collection."""
    heights = [own[letter].ink.shape[0] for letter in CORE_LETTERS if letter in own]
    return float(np.median(heights or [item.ink.shape[0] for item in own.values()]))


def _typical_heights(writers: dict[int, dict[str, _Letter]]) -> dict[str, float]:
    """Return each letter's median height over the writers, in core bands."""
    heights: dict[str, list[float]] = {}
    for own in writers.values():
        core = _core_height(own)
        for letter, item in own.items():
            heights.setdefault(letter, []).append(item.ink.shape[0] / core)
    return {letter: float(np.median(values)) for letter, values in heights.items()}


def _alphabet(own: dict[str, _Letter], typical: dict[str, float]) -> dict[str, Glyph]:
    """Scale one writer's letters to the common core band and position them on the line.

    A letter's height is moved a quarter of the way (in logarithms) to the typical one.
    """
    core = _core_height(own)
    glyphs = {}
    for letter, item in own.items():
        height = item.ink.shape[0] / core
        usual = typical[letter]
        target = float(np.clip(height, 0.65 * usual, 1.5 * usual)) ** 0.75 * usual**0.25
        scale = UNIT * target / item.ink.shape[0]
        size = (max(2, round(item.ink.shape[1] * scale)), max(2, round(item.ink.shape[0] * scale)))
        ink = cv2.resize(item.ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        glyphs[letter] = make_glyph(np.asarray(ink, dtype=np.uint8), _top(letter, target) * UNIT)
    return glyphs


def _top(letter: str, height: float) -> float:
    """Return where a letter of this height begins, in core bands below the core band's upper edge."""
    if letter in HANGING:
        return 0.0
    if letter in RISING or height < _TALL:
        return 1.0 - height
    return -0.15


def _similar(writers: dict[int, dict[str, _Letter]]) -> dict[int, list[int]]:
    """Order for each writer the others by the mean distance of the shapes of the letters that both have."""
    order: dict[int, list[int]] = {}
    for writer, own in writers.items():
        distances = {}
        for other, others_own in writers.items():
            common = sorted(own.keys() & others_own.keys())  # sums of floats depend on their order
            if other != writer and common:
                differences = [
                    np.linalg.norm(own[letter].features - others_own[letter].features) for letter in common
                ]
                distances[other] = float(np.mean(differences))
        order[writer] = sorted(distances, key=lambda other: distances[other])
    return order
