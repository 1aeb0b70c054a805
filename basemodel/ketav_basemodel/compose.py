"""Compose a text into one line of ink, letter by letter, in display order."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.glyphs import Ink, Instance
from ketav_basemodel.joins import PlacedInk, cross_out, join
from ketav_basemodel.writers import Writer, can_write
from ketav_engine.recognition.decode import to_display

ABOVE: Final = 1.4
"""Core bands of room above the core band of a drawn line."""
CLOSING: Final = ".,:;?!"
"""Marks that close a word; writers may leave paper before them where the text has no space."""
BELOW: Final = 1.5
"""Core bands of room below it."""
_MIN_SPACE: Final = 0.28
"""Core bands between two words at least."""


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
    """Draw a text as a writer writes it; characters without a form are left out of ink and text."""
    text = " ".join("".join(c for c in text if can_write(c, writer)).split())
    line = _Line(writer)
    for character in to_display(text):
        if character == " ":
            line.space()
        else:
            line.put(character)
    return line.drawn(text)


@dataclass(slots=True)
class _Line:
    """A line that is being composed."""

    writer: Writer
    characters: list[PlacedInk] = field(default_factory=list)
    strokes: list[PlacedInk] = field(default_factory=list)
    """Joining strokes and struck-out words."""
    cursor: float = 0.0
    """Column after the last character's box."""
    before: str = " "
    """The character before the next one, in display order."""
    word_shift: float = 0.0
    """Shift of the present word downwards, in core bands."""
    top: int = 0
    """Row of the core band's upper edge."""
    edge: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    """Column that the ink reaches in each row."""
    wave: tuple[float, float] = (0.0, 0.0)
    """Frequency and phase of the baseline's wave."""

    def __post_init__(self) -> None:
        """Reserve the rows of the line and draw the baseline's wave."""
        core, random = self.writer.style.core, self.writer.random
        self.top = round(ABOVE * core)
        self.edge = np.zeros(round((ABOVE + 1 + BELOW) * core), dtype=np.float32)
        self.wave = float(random.uniform(0.5, 2.0)), float(random.uniform(0, 2 * np.pi))

    def space(self) -> None:
        """Leave paper between two words, and rarely a struck-out word in it."""
        style, random = self.writer.style, self.writer.random
        spread = float(np.exp(random.normal(0, 0.5 * style.space_spread)))
        width = max(_MIN_SPACE, style.space * spread + float(random.normal(0, 0.5 * style.space_spread)))
        self._skip(width)
        self.word_shift = float(random.normal(0, style.word_shift)) if style.word_shift else 0.0
        self.before = " "
        if style.strike_chance and self.characters and random.random() < style.strike_chance:
            ink = cross_out(style, random)
            self.strokes.append(PlacedInk(ink, self.top - round(0.15 * style.core), round(self.cursor)))
            self._skip(ink.shape[1] / style.core + width)

    def put(self, character: str) -> None:
        """Add the next character of the display order."""
        style, random = self.writer.style, self.writer.random
        if style.mark_gap and (self.before in CLOSING) != (character in CLOSING) and self.before != " ":
            self._skip(float(random.uniform(0, 2.0 if self.before in CLOSING else 0.4)) * style.mark_gap)
        instance = self.writer.form(character)
        wave = np.sin(self.wave[0] * self.cursor / (8 * style.core) + self.wave[1]) * style.wave
        drop = self.word_shift + wave + self.writer.shift(character)
        drop += float(random.normal(0, 0.5 * style.looseness))
        height = len(self.edge)
        row = int(np.clip(round(self.top + instance.top + drop * style.core), 0, height - 1))
        rows = slice(row, min(height, row + len(instance.left)))
        count = rows.stop - rows.start
        x = self._column(rows, instance, instance.left[:count])
        placed = PlacedInk(instance.ink[:count], row, round(x), character)
        if self.before != " " and self.writer.joins(character + self.before):
            stroke = join(self.characters[-1], placed, style, self.top, random)
            if stroke is not None:
                self.strokes.append(stroke)
        self.characters.append(placed)
        self.before = character
        self._advance(rows, instance.right[:count] + x)
        self.cursor = max(self.cursor, x + float(instance.ink.shape[1]))

    def _skip(self, width: float) -> None:
        """Leave `width` core bands of paper."""
        core = self.writer.style.core
        self.cursor += width * core
        self.edge[:] = self.cursor - self.writer.style.gap * core

    def _column(self, rows: slice, instance: Instance, left: NDArray[np.float32]) -> float:
        """Return the first column of a character: between that of its box and that of its outline."""
        if self.cursor <= 0:
            return 0.0
        style, cursor = self.writer.style, self.cursor
        spread = float(self.writer.random.normal(0, style.gap_spread))
        gap = (style.gap + spread) * style.core + 0.5 * instance.bearing
        box = cursor + gap
        following = float((self.edge[rows] - left).max()) + gap if len(left) else box
        return max(0.0, style.kerning * max(following, cursor - 0.6 * style.core) + (1 - style.kerning) * box)

    def _advance(self, rows: slice, right: NDArray[np.float32]) -> None:
        """Move the edge past a character, a little also in the rows above and below its ink."""
        edge = self.edge.copy()
        edge[rows] = np.maximum(edge[rows], right)
        wider = cv2.dilate(edge.reshape(-1, 1), np.ones((5, 1), np.uint8))
        self.edge = np.asarray(wider.reshape(-1), dtype=np.float32)

    def drawn(self, text: str) -> DrawnLine:
        """Return the finished line: the ink of the characters and of the strokes between them."""
        pieces = [*self.characters, *self.strokes]
        width = max((piece.column + piece.ink.shape[1] for piece in pieces), default=1)
        canvas = np.zeros((len(self.edge), width), dtype=np.uint8)
        for piece in pieces:
            bottom, right = piece.row + piece.ink.shape[0], piece.column + piece.ink.shape[1]
            part = canvas[piece.row : bottom, piece.column : right]
            np.maximum(part, piece.ink[: part.shape[0], : part.shape[1]], out=part)
        spans = [(piece.column, piece.column + piece.ink.shape[1]) for piece in self.characters]
        return DrawnLine(canvas, text, self.writer.style.core, float(self.top), spans)
