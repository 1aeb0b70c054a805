"""The ends of the words of a line, from the extents of the characters that a network has read on it.

A corrected text is aligned with the reading (Levenshtein): a character that was read keeps its extent, a
substituted one takes the extent of the one that it replaces, and an inserted one the gap where it belongs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rapidfuzz.distance import Levenshtein

Ends = tuple[float, float]
"""The left and the right end, in pixels along a line from the left end of its baseline."""

_MIN_READ_SHARE = 0.5
"""Share of a text's letters that the reading has at least: a text that is unlike it is not aligned."""
_MIN_WIDTH_SHARE = 0.3
"""Width of a word by its letters, as a share of the mean: a narrower one was left out by the network."""
_MARGIN_SHARE = 0.1
"""Margin on both sides of a word, in widths of a letter: strokes reach beyond the columns of their letter."""


@dataclass(frozen=True)
class Span:
    """A word of a text: its first code point, and the one after its last."""

    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """The text that a network has read on a line, with the ends of each code point; without any: unknown."""

    text: str
    extents: Sequence[tuple[int, int]]


UNKNOWN = Reading("", ())
"""The reading of a line whose characters have no known extents."""


def word_ends(text: str, words: Sequence[Span], reading: Reading) -> list[Ends]:
    """Return the ends of the words of a text; an empty list if the reading does not tell them."""
    if not words or not reading.extents or len(reading.extents) != len(reading.text):
        return []
    letters = _aligned([text[word.start : word.end] for word in words], reading)
    if not letters:
        return []
    ends, lengths, start = [], [word.end - word.start for word in words], 0
    for length in lengths:
        lows, highs = zip(*letters[start : start + length], strict=True)
        ends.append((min(lows), max(highs)))
        start += length
    letter_width = sum(high - low for low, high in ends) / sum(lengths)
    _share_room(ends, lengths, letter_width)
    return _with_margins(ends, _MARGIN_SHARE * letter_width)


def _aligned(words: Sequence[str], reading: Reading) -> list[Ends]:
    """Return the ends of each letter of the words; an empty list if they are unlike the reading.

    Spaces are not aligned: they have no ink, and a network often misses or misplaces one.
    """
    letters = "".join(words)
    starts = set(accumulate(map(len, words)))
    read = [index for index, character in enumerate(reading.text) if not character.isspace()]
    extents = [(float(low), float(high)) for low, high in (reading.extents[index] for index in read)]
    aligned: list[Ends | None] = [None] * len(letters)
    equal = 0
    for operation in Levenshtein.opcodes("".join(reading.text[index] for index in read), letters):
        source, start = extents[operation.src_start : operation.src_end], operation.dest_start
        if operation.tag in {"equal", "replace"}:
            aligned[start : operation.dest_end] = source
            equal += len(source) * (operation.tag == "equal")
        elif operation.tag == "delete" and start not in starts:
            _add_left_out(aligned, start, source)
    return _filled(aligned) if equal >= _MIN_READ_SHARE * len(letters) else []


def _add_left_out(aligned: list[Ends | None], position: int, extents: Sequence[Ends]) -> None:
    """Add the extents of read letters that a word does not have to the letter before them."""
    before = aligned[position - 1] if position else None
    if before is not None:
        lows, highs = zip(before, *extents, strict=True)
        aligned[position - 1] = min(lows), max(highs)


def _filled(aligned: Sequence[Ends | None]) -> list[Ends]:
    """Return ends in which inserted characters share the gap between their neighbours equally, right to left.

    With a neighbour on one side they have no width and are at its outer end; without any they are at 0.
    """
    filled: list[Ends] = []
    known = [index for index, ends in enumerate(aligned) if ends is not None]
    for before, after in pairwise([-1, *known, len(aligned)]):
        count = after - before - 1
        low, high = _gap(aligned[before] if before >= 0 else None, _at(aligned, after))
        width = (high - low) / max(count, 1)
        filled += [(high - (number + 1) * width, high - number * width) for number in range(count)]
        following = _at(aligned, after)
        if following is not None:
            filled.append(following)
    return filled


def _at(aligned: Sequence[Ends | None], index: int) -> Ends | None:
    """Return the ends at an index; None after the last one."""
    return aligned[index] if index < len(aligned) else None


def _gap(before: Ends | None, after: Ends | None) -> Ends:
    """Return what is between two characters; a point where they touch, or where there is one of them."""
    if before is None or after is None:
        (low, high) = before or after or (0.0, 0.0)
        return (low, low) if after is None else (high, high)
    low, high = min(before[1], after[1]), max(before[0], after[0])
    return (low, high) if low <= high else ((low + high) / 2, (low + high) / 2)


def _share_room(ends: list[Ends], lengths: Sequence[int], letter_width: float) -> None:
    """Divide the room of words that the network has left out and of their neighbours, right to left."""
    left_out = [
        high - low < _MIN_WIDTH_SHARE * letter_width * length
        for (low, high), length in zip(ends, lengths, strict=True)
    ]
    index = 0
    while index < len(ends):
        if not left_out[index]:
            index += 1
            continue
        first = max(index - 1, 0)
        while index < len(ends) and left_out[index]:
            index += 1
        last = min(index, len(ends) - 1)
        group = range(first, last + 1)
        low, high = min(ends[number][0] for number in group), max(ends[number][1] for number in group)
        unit = (high - low) / (sum(lengths[number] for number in group) + len(group) - 1)
        for number in group:
            ends[number] = high - lengths[number] * unit, high
            high -= (lengths[number] + 1) * unit


def _with_margins(ends: Sequence[Ends], margin: float) -> list[Ends]:
    """Return words with a margin on both sides, up to the middle of the gap to the next word."""
    order = sorted(range(len(ends)), key=lambda index: ends[index])
    widened = [(low - margin, high + margin) for low, high in ends]
    for left, right in pairwise(order):
        middle = (ends[left][1] + ends[right][0]) / 2
        if ends[left][1] <= ends[right][0]:
            widened[left] = widened[left][0], min(widened[left][1], middle)
            widened[right] = max(widened[right][0], middle), widened[right][1]
    return widened
