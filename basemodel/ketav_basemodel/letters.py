"""Letters of real writers: the HHD collection of modern cursive letters, cleaned and brought to one scale."""

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

from ketav_basemodel.glyphs import UNIT, Glyph, Ink, crop_ink, make_glyph
from ketav_basemodel.texts import Part

CLASSES: Final = "אבגדהוזחטיכךלמםנןסעפףצץקרשת"
"""The letter of each class folder, in order."""
CORE_LETTERS: Final = "אבדהחטכמסרשת"
"""Letters whose height is the core band in modern cursive."""
HANGING: Final = "קךןי"
"""Letters that hang from the core band's upper edge whatever their height."""
RISING: Final = "לףץט"
"""Letters that stand on the lower edge and rise above the core band."""
IN_PARTS: Final = "אהקת"
"""Letters of several strokes that need not touch."""
MISLABELLED: Final = frozenset({41, 101})
"""Writers whose files carry the wrong letters from nun onward (41) or here and there (101)."""
_HELD_OUT: Final = 0.1
"""Share of the writers that is held out."""
_NEIGHBOURS: Final = 15
_LEAST_AGREEING: Final = 2
_MOST_AGAINST: Final = 8
_TALL: Final = 1.3
_HOG_SIDE: Final = 32


@dataclass(frozen=True, slots=True)
class Hands:
    """The alphabets of real writers.

    `alphabets[writer][letter]` is that writer's glyph; a letter can be missing. `similar[writer]` lists the
    other writers, the most similar hand first.
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
    """Tell whether a writer is held out for validation: about one in ten, by a hash that never changes."""
    return hashlib.sha256(f"writer {writer}".encode()).digest()[0] < _HELD_OUT * 256


def load_hands(folders: Sequence[Path], part: Part | None = "training") -> Hands:
    """Read the collection's folders: FOLDER/CLASS/CLASS_WRITER.png, a writer's number the same in all.

    Raises FileNotFoundError when there is no letter in any. `MISLABELLED` writers are left out.

    The writers of one part alone: letters, what they are cleaned and scaled by, and who lends to whom never
    cross from one to the other. Of both parts where none is named, which is for a last training only.
    Misfiled images are left out: those with eight or more of the fifteen nearest shapes of one other letter
    and at most one of their own.
    """
    found = (
        item
        for folder in folders
        for index in range(len(CLASSES))
        for item in _read_class(folder, index)
        if item.writer not in MISLABELLED
    )
    letters = [
        item for item in found if part in (None, "validation" if held_out(item.writer) else "training")
    ]
    if not letters:
        raise FileNotFoundError(f"no letters under {' or '.join(map(str, folders))}")
    kept = _agreeing(letters)
    by_writer: dict[int, dict[str, _Letter]] = {}
    for item in kept:
        by_writer.setdefault(item.writer, {})[item.letter] = item
    writers = {writer: own for writer, own in by_writer.items() if len(own) >= 12}
    typical = _typical_heights(writers)
    alphabets = {writer: _alphabet(own, typical) for writer, own in sorted(writers.items())}
    return Hands(alphabets, _similar(writers))


def _read_class(folder: Path, index: int) -> list[_Letter]:
    """Read one class folder, in a stable order."""
    found = []
    for path in sorted((folder / str(index)).glob("*.png")):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            continue
        ink = crop_ink(_ink(np.asarray(grey, dtype=np.uint8)), 110)
        if min(ink.shape) >= 3 and max(ink.shape) >= 10:
            ink = _without_debris(ink, CLASSES[index])
            found.append(_Letter(CLASSES[index], int(path.stem.split("_")[1]), ink, _features(ink)))
    return found


def _without_debris(ink: Ink, letter: str) -> Ink:
    """Take away pieces of neighbouring letters: a letter of one stroke keeps its largest piece."""
    if letter in IN_PARTS:
        return ink
    _, pieces, stats, _ = cv2.connectedComponentsWithStats((ink > 60).astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if len(areas) < 2 or areas.max() < 0.6 * areas.sum():
        return ink
    return crop_ink(np.asarray(np.where(pieces == 1 + int(areas.argmax()), ink, 0), dtype=np.uint8), 110)


def _ink(grey: Ink) -> Ink:
    """Turn dark strokes on light paper into ink from 0 to 255."""
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


def _agreeing(letters: list[_Letter]) -> list[_Letter]:
    """Leave out letters whose nearest shapes all but agree on another letter; rare forms of a letter stay."""
    shapes = np.stack([item.features for item in letters])
    names = np.array([item.letter for item in letters])
    _, nearest = NearestNeighbors(n_neighbors=_NEIGHBOURS + 1).fit(shapes).kneighbors(shapes)
    kept = []
    for item, around in zip(letters, names[nearest[:, 1:]], strict=True):
        others = max(Counter(around[around != item.letter].tolist()).values(), default=0)
        if (around == item.letter).sum() >= _LEAST_AGREEING or others < _MOST_AGAINST:
            kept.append(item)
    return kept


def _core_height(own: dict[str, _Letter]) -> float:
    """Return a writer's core band in pixels of the collection."""
    heights = [own[letter].ink.shape[0] for letter in CORE_LETTERS if letter in own]
    return float(np.median(heights or [item.ink.shape[0] for item in own.values()]))


def _typical_heights(writers: dict[int, dict[str, _Letter]]) -> dict[str, float]:
    """Return each letter's median height over the writers, in core bands."""
    seen: dict[str, list[float]] = {}
    for own in writers.values():
        core = _core_height(own)
        for letter, item in own.items():
            seen.setdefault(letter, []).append(item.ink.shape[0] / core)
    return {letter: float(np.median(heights)) for letter, heights in seen.items()}


def _alphabet(own: dict[str, _Letter], typical: dict[str, float]) -> dict[str, Glyph]:
    """Scale one writer's letters to the common core band and put them on the line."""
    core = _core_height(own)
    glyphs = {}
    for letter, item in own.items():
        height = item.ink.shape[0] / core
        usual = typical[letter]
        wanted = float(np.clip(height, 0.65 * usual, 1.5 * usual)) ** 0.75 * usual**0.25
        scale = UNIT * wanted / item.ink.shape[0]
        size = (max(2, round(item.ink.shape[1] * scale)), max(2, round(item.ink.shape[0] * scale)))
        ink = cv2.resize(item.ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        glyphs[letter] = make_glyph(np.asarray(ink, dtype=np.uint8), _top(letter, wanted) * UNIT)
    return glyphs


def _top(letter: str, height: float) -> float:
    """Return where a letter of this height begins, in core bands below the core band's upper edge."""
    if letter in HANGING:
        return 0.0
    if letter in RISING or height < _TALL:
        return 1.0 - height
    return -0.15


def _similar(writers: dict[int, dict[str, _Letter]]) -> dict[int, list[int]]:
    """Order the writers by the mean distance of the shapes they share with each."""
    order: dict[int, list[int]] = {}
    for writer, own in writers.items():
        far = {}
        for other, theirs in writers.items():
            shared = own.keys() & theirs.keys()
            if other != writer and shared:
                gaps = [np.linalg.norm(own[letter].features - theirs[letter].features) for letter in shared]
                far[other] = float(np.mean(gaps))
        order[writer] = sorted(far, key=lambda other: far[other])
    return order
