"""Put a text down as one line of ink, letter by letter, in display order."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.glyphs import Ink
from ketav_basemodel.writers import Writer, known
from ketav_engine.decode import to_display

ABOVE: Final = 1.4
"""Core bands of room above the core band of a drawn line."""
CLOSING: Final = ".,:;?!"
"""Marks that close a word; writers may leave paper before them where the text has no space."""
BELOW: Final = 1.5
"""Core bands of room below it."""


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line of ink, shape (height, width).

    `text` is in logical order; `core` is the core band's height and `top` its upper edge in pixels; `spans`
    are the first and last column of each inked character in display order.
    """

    ink: Ink
    text: str
    core: float
    top: float
    spans: list[tuple[int, int]]


def draw_line(text: str, writer: Writer) -> DrawnLine:
    """Let a writer put a text down. Characters the writer cannot form are left out of ink and text alike."""
    text = " ".join("".join(c for c in text if known(c, writer)).split())
    style, random = writer.style, writer.random
    top, height = round(ABOVE * style.core), round((ABOVE + 1 + BELOW) * style.core)
    edge = np.zeros(height, dtype=np.float32)
    placed: list[tuple[Ink, int, int]] = []
    wave = random.uniform(0.5, 2.0), random.uniform(0, 2 * np.pi)
    cursor, hop, before = 0.0, 0.0, " "
    for character in to_display(text):
        if character == " ":
            wide = max(0.28, style.space + float(random.normal(0, style.space_spread)))
            cursor += wide * style.core
            edge[:] = cursor - style.gap * style.core
            hop, before = float(random.normal(0, style.hop)) if style.hop else 0.0, character
            continue
        if style.apart and (before in CLOSING) != (character in CLOSING) and before != " ":
            near = 2.0 if before in CLOSING else 0.4
            cursor += float(random.uniform(0, near)) * style.apart * style.core
            edge[:] = cursor - style.gap * style.core
        before = character
        instance = writer.form(character)
        sway = np.sin(wave[0] * cursor / (8 * style.core) + wave[1]) * style.wander
        drop = hop + sway + writer.shift(character) + float(random.normal(0, 0.5 * style.loose))
        row = int(np.clip(round(top + instance.top + drop * style.core), 0, height - 1))
        rows = slice(row, min(height, row + len(instance.left)))
        count = rows.stop - rows.start
        x = _place(edge[rows], cursor, instance.left[:count], writer, instance.bearing)
        placed.append((instance.ink[:count], row, round(x)))
        edge = _advance(edge, rows, instance.right[:count] + x)
        cursor = max(cursor, x + float(instance.ink.shape[1]))
    return _assemble(placed, text, style.core, float(top), height)


def _place(
    edge: NDArray[np.float32], cursor: float, left: NDArray[np.float32], writer: Writer, bearing: float
) -> float:
    """Return the column at which the next character begins: between its box's place and its outline's."""
    style = writer.style
    gap = (style.gap + float(writer.random.normal(0, style.gap_spread))) * style.core + 0.5 * bearing
    box = cursor + gap
    following = float((edge - left).max()) + gap if cursor > 0 and len(left) else box
    x = style.tuck * max(following, cursor - 0.6 * style.core) + (1 - style.tuck) * box
    return max(0.0, x) if cursor > 0 else 0.0


def _advance(edge: NDArray[np.float32], rows: slice, right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move the written edge past a character, a little also in the rows beside its ink."""
    edge = edge.copy()
    edge[rows] = np.maximum(edge[rows], right)
    return np.asarray(
        cv2.dilate(edge.reshape(-1, 1), np.ones((5, 1), np.uint8)).reshape(-1), dtype=np.float32
    )


def _assemble(
    placed: list[tuple[Ink, int, int]], text: str, core: float, top: float, height: int
) -> DrawnLine:
    """Lay the characters' ink over one another."""
    width = max((x + ink.shape[1] for ink, _, x in placed), default=1)
    canvas = np.zeros((height, width), dtype=np.uint8)
    spans = []
    for ink, row, x in placed:
        part = canvas[row : row + ink.shape[0], x : x + ink.shape[1]]
        np.maximum(part, ink, out=part)
        spans.append((x, x + ink.shape[1]))
    return DrawnLine(canvas, text, core, top, spans)
