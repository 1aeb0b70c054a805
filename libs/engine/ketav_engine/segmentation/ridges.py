"""Ridges of blurred ink: the course of a line or of a part of one."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.strips import Piece, band_ink

_LEAST: Final = 0.12
"""Height of a ridge as a share of the page's highest: spaces between words and faint words stay in it."""
_HIGHER: Final = (0.2, 0.3, 0.42, 0.6)
"""Heights at which a ridge that holds two lines is cut: letters that reach a neighbour make a low saddle."""
_WORD: Final = 2.0
"""Letters that two ridges run beside each other at least to be two lines."""

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]


def pieces(ink: PageInk) -> list[Piece]:
    """Follow the ridges of blurred ink: where a row is denser than the rows a letter above and below."""
    letter = ink.letter
    density = cv2.GaussianBlur(ink.mask.astype(np.float32), (0, 0), sigmaX=1.6 * letter, sigmaY=0.3 * letter)
    around = cv2.GaussianBlur(density, (0, 0), sigmaX=1, sigmaY=0.8 * letter)
    ridge = np.asarray(density - around, dtype=np.float32)
    highest = float(np.percentile(ridge[ridge > 0], 97)) if (ridge > 0).any() else 1.0
    ridge /= highest
    count, marks, stats, _ = cv2.connectedComponentsWithStats(
        (ridge > _LEAST).astype(np.uint8), connectivity=4
    )
    found: list[Piece] = []
    for mark in range(1, count):
        left, top, width, height, _ = stats[mark]
        if width < 0.8 * letter:
            continue
        window = slice(top, top + height), slice(left, left + width)
        parts = _apart(ridge[window], marks[window] == mark, letter, _HIGHER)
        found += [_trim(_course(ridge[window], part, int(left), int(top)), ink) for part in parts]
    return [piece for piece in found if len(piece.middles) > 0]


def _apart(ridge: Field, inside: Mask, letter: float, levels: tuple[float, ...]) -> list[Mask]:
    """Part the lines that a ridge holds: above some level each is a ridge of its own."""
    if not levels or inside.shape[0] < 1.2 * letter:
        return [inside]
    higher = (inside & (ridge > levels[0])).astype(np.uint8)
    count, marks, stats, _ = cv2.connectedComponentsWithStats(higher, connectivity=8)
    wide = [mark for mark in range(1, count) if stats[mark, cv2.CC_STAT_WIDTH] >= _WORD * letter]
    columns = [(marks == mark).any(axis=0) for mark in wide]
    if np.sum(columns, axis=0, initial=0, dtype=np.int64).max(initial=0) < 2:
        return _apart(ridge, inside, letter, levels[1:])
    if (np.sum(columns, axis=0) > 1).sum() < _WORD * letter:
        return _apart(ridge, inside, letter, levels[1:])
    seeds = np.where(np.isin(marks, wide), 0, 1).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5)
    parts = [inside & (nearest == nearest[marks == mark][0]) for mark in wide]
    return [deeper for part in parts for deeper in _apart(ridge, part, letter, levels[1:])]


def _course(ridge: Field, inside: Mask, left: int, top: int) -> Piece:
    """Return the middles of a part of a ridge whose window has its corner at (left, top)."""
    columns = np.flatnonzero(inside.any(axis=0))
    weights = np.where(inside, ridge, 0)[:, columns]
    middles = (weights * np.arange(top, top + len(weights))[:, None]).sum(axis=0) / weights.sum(axis=0)
    every = np.arange(columns[0], columns[-1] + 1)
    return Piece(left + int(columns[0]), np.interp(every, columns, middles).astype(np.float32))


def _trim(piece: Piece, ink: PageInk) -> Piece:
    """Cut a piece to the columns where its band holds lettering: blurring lengthened it."""
    inked = np.flatnonzero(band_ink(piece, ink.letters, ink.letter))
    if inked.size == 0:
        return Piece(piece.left, piece.middles[:0])
    return Piece(piece.left + int(inked[0]), piece.middles[inked[0] : inked[-1] + 1])
