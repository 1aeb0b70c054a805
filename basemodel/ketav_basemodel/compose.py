"""Put a text down as one line of ink, letter by letter, in display order."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.glyphs import Ink, Instance
from ketav_basemodel.joins import Placed, cross_out, join
from ketav_basemodel.writers import Writer, known
from ketav_engine.recognition.decode import to_display

ABOVE: Final = 1.4
"""Core bands of room above the core band of a drawn line."""
CLOSING: Final = ".,:;?!"
"""Marks that close a word; writers may leave paper before them where the text has no space."""
BELOW: Final = 1.5
"""Core bands of room below it."""
_LEAST_SPACE: Final = 0.28


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
    line = _Line(writer)
    for character in to_display(text):
        if character == " ":
            line.space()
        else:
            line.put(character)
    return line.drawn(text)


@dataclass(slots=True)
class _Line:
    """A line while it is written: what is placed, and how far the ink reaches in each row."""

    writer: Writer
    placed: list[Placed] = field(default_factory=list)
    strokes: list[tuple[Ink, int, int]] = field(default_factory=list)
    cursor: float = 0.0
    before: str = " "
    hop: float = 0.0
    top: int = 0
    edge: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    wave: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Lay out the room and draw the baseline's wave."""
        core, random = self.writer.style.core, self.writer.random
        self.top = round(ABOVE * core)
        self.edge = np.zeros(round((ABOVE + 1 + BELOW) * core), dtype=np.float32)
        self.wave = float(random.uniform(0.5, 2.0)), float(random.uniform(0, 2 * np.pi))

    def space(self) -> None:
        """Leave paper between two words; seldom something struck out stands in it."""
        style, random = self.writer.style, self.writer.random
        spread = float(np.exp(random.normal(0, 0.5 * style.space_spread)))
        wide = max(_LEAST_SPACE, style.space * spread + float(random.normal(0, 0.5 * style.space_spread)))
        self._skip(wide)
        self.hop, self.before = float(random.normal(0, style.hop)) if style.hop else 0.0, " "
        if style.strike and self.placed and random.random() < style.strike:
            ink = cross_out(style, random)
            self.strokes.append((ink, self.top - round(0.15 * style.core), round(self.cursor)))
            self._skip(ink.shape[1] / style.core + wide)

    def put(self, character: str) -> None:
        """Put the next character of the display order down."""
        style, random = self.writer.style, self.writer.random
        if style.apart and (self.before in CLOSING) != (character in CLOSING) and self.before != " ":
            self._skip(float(random.uniform(0, 2.0 if self.before in CLOSING else 0.4)) * style.apart)
        instance = self.writer.form(character)
        sway = np.sin(self.wave[0] * self.cursor / (8 * style.core) + self.wave[1]) * style.wander
        drop = self.hop + sway + self.writer.shift(character) + float(random.normal(0, 0.5 * style.loose))
        height = len(self.edge)
        row = int(np.clip(round(self.top + instance.top + drop * style.core), 0, height - 1))
        rows = slice(row, min(height, row + len(instance.left)))
        count = rows.stop - rows.start
        x = self._place(rows, instance, instance.left[:count])
        placed = Placed(character, instance.ink[:count], row, round(x))
        if self.before != " " and self.writer.joins(character + self.before):
            stroke = join(self.placed[-1], placed, style, self.top, random)
            if stroke is not None:
                self.strokes.append(stroke)
        self.placed.append(placed)
        self.before = character
        self._advance(rows, instance.right[:count] + x)
        self.cursor = max(self.cursor, x + float(instance.ink.shape[1]))

    def _skip(self, wide: float) -> None:
        """Leave so many core bands of paper."""
        core = self.writer.style.core
        self.cursor += wide * core
        self.edge[:] = self.cursor - self.writer.style.gap * core

    def _place(self, rows: slice, instance: Instance, left: NDArray[np.float32]) -> float:
        """Return the column at which a character begins: between its box's place and its outline's."""
        if self.cursor <= 0:
            return 0.0
        style, cursor = self.writer.style, self.cursor
        spread = float(self.writer.random.normal(0, style.gap_spread))
        gap = (style.gap + spread) * style.core + 0.5 * instance.bearing
        box = cursor + gap
        following = float((self.edge[rows] - left).max()) + gap if len(left) else box
        return max(0.0, style.tuck * max(following, cursor - 0.6 * style.core) + (1 - style.tuck) * box)

    def _advance(self, rows: slice, right: NDArray[np.float32]) -> None:
        """Move the written edge past a character, a little also in the rows beside its ink."""
        edge = self.edge.copy()
        edge[rows] = np.maximum(edge[rows], right)
        wider = cv2.dilate(edge.reshape(-1, 1), np.ones((5, 1), np.uint8))
        self.edge = np.asarray(wider.reshape(-1), dtype=np.float32)

    def drawn(self, text: str) -> DrawnLine:
        """Lay the characters' ink and the strokes between them over one another."""
        inks = [(item.ink, item.row, item.x) for item in self.placed] + self.strokes
        width = max((x + ink.shape[1] for ink, _, x in inks), default=1)
        canvas = np.zeros((len(self.edge), width), dtype=np.uint8)
        for ink, row, x in inks:
            part = canvas[row : row + ink.shape[0], x : x + ink.shape[1]]
            np.maximum(part, ink[: part.shape[0], : part.shape[1]], out=part)
        spans = [(item.x, item.x + item.ink.shape[1]) for item in self.placed]
        return DrawnLine(canvas, text, self.writer.style.core, float(self.top), spans)
