"""From a network's output to text: best-path CTC decoding and the step from display to logical order."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Extent, Image, Reading
from ketav_engine.recognition.extents import character_extents

Probabilities = NDArray[np.float32]
"""One line's output, shape (labels, steps); each column sums to 1; label 0 is CTC's blank."""


class Label(NamedTuple):
    """A decoded label with its first and last step, and the probability that it is correct.

    Best-path decoding gives the label's greatest probability in one of the steps.
    """

    label: int
    start: int
    end: int
    confidence: float


Decoder = Callable[[Probabilities], list[Label]]
"""Decodes one line's output into labels in display order, left to right."""

EMPTY: Final = Reading("", ())
"""The reading of a line without text."""


def greedy(probabilities: Probabilities) -> list[Label]:
    """Take the likeliest label of each step, join repeats, drop blanks (Graves et al. 2006, section 3.2)."""
    best = probabilities.argmax(axis=0)
    confidences = probabilities.max(axis=0)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    ends = np.append(starts[1:], len(best))
    return [
        Label(int(best[start]), int(start), int(end) - 1, float(confidences[start:end].max()))
        for start, end in zip(starts, ends, strict=True)
        if best[start] != 0
    ]


def to_reading(
    labels: list[Label],
    codec: Any,  # noqa: ANN401  # kraken is untyped
    line: Image | None = None,
    steps: int = 1,
) -> Reading:
    """Translate labels in display order into a reading in logical order, spaces single, ends trimmed.

    With the normalised line that the network has read in `steps` steps, the characters get extents on it.
    """
    decoded: list[tuple[str, int, int, float]] = []
    for item in codec.decode([tuple(label) for label in labels]):
        if item[0] != " " or (decoded and decoded[-1][0] != " "):
            decoded.append(item)
    if decoded and decoded[-1][0] == " ":
        decoded.pop()
    if not decoded:
        return EMPTY
    characters = [character for character, _, _, _ in decoded]
    confidences = [float(confidence) for _, _, _, confidence in decoded]
    if line is None:
        return to_logical("".join(characters), confidences)
    columns_a_step = line.shape[1] / steps
    centres = [(start + end + 1) / 2 * columns_a_step for _, start, end, _ in decoded]
    extents = character_extents(characters, centres, line)
    return to_logical("".join(characters), confidences, extents)


def to_logical(display: str, confidences: list[float], extents: Sequence[Extent] = ()) -> Reading:
    """Reorder a line from display to logical order with base direction right to left (UAX #9)."""
    from kraken.lib.bidi import get_display_map

    logical, order = get_display_map(display, "R")
    permuted = tuple(confidences[index] for index in order)
    text = unicodedata.normalize("NFC", logical)
    if len(text) != len(permuted):
        return Reading(text, (float(np.mean(permuted)),) * len(text) if permuted else ())
    return Reading(text, permuted, tuple(extents[index] for index in order) if extents else ())


def to_display(text: str) -> str:
    """Reorder a line from logical to display order, as networks are trained to write it."""
    from kraken.lib.bidi import get_display

    return str(get_display(text, "R"))
