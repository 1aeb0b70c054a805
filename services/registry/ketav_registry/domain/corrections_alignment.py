"""Alignment of the corrected text of a whole page to the lines of its transcription."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

MAX_DISTANCE = 0.65
"""Normalized edit distance above which a text and a line are not paired. Unrelated Hebrew lines of similar
length have a distance of 0.75 to 0.85; a line and its poor reading have 0.3 to 0.6."""
MAX_EQUAL_COST = 0.02
"""Difference of total cost up to which two alignments are equally good: choosing one would be a guess."""
_GAP_COST = MAX_DISTANCE / 2
"""Cost of a line or text without a partner: two gaps cost as much as the worst pair that is allowed."""

LineT = TypeVar("LineT")
CostTable = list[list[float]]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Pairs (line index, text index), unpaired lines and texts, and those of them that match several."""

    pairs: tuple[tuple[int, int], ...]
    unpaired_lines: tuple[int, ...]
    unpaired_texts: tuple[int, ...]
    ambiguous_lines: frozenset[int]
    ambiguous_texts: frozenset[int]


def align(lines: Sequence[LineT], texts: Sequence[str], distance: Callable[[LineT, str], float]) -> Alignment:
    """Return the monotone alignment of texts to lines with the lowest cost.

    A pair costs its distance (0: equal, 1: nothing in common), a line or text without a partner costs half of
    MAX_DISTANCE, so that no pair beyond MAX_DISTANCE lowers the cost. A pair is left out if another alignment
    is equally good. Needleman and Wunsch, 1970, with a forward and a backward table.
    """
    costs = [[distance(line, text) for text in texts] for line in lines]
    forward = _cost_table(costs, len(texts))
    backward = _reversed(_cost_table([row[::-1] for row in costs[::-1]], len(texts)))
    limit = forward[len(lines)][len(texts)] + MAX_EQUAL_COST
    candidates = [
        (i, j)
        for i, row in enumerate(costs)
        for j, cost in enumerate(row)
        if cost <= MAX_DISTANCE and forward[i][j] + cost + backward[i + 1][j + 1] <= limit
    ]
    skippable_lines, skippable_texts = _skippable(forward, backward, limit)
    pairs = _unambiguous(candidates, skippable_lines, skippable_texts)
    paired_lines, paired_texts = {i for i, _ in pairs}, {j for _, j in pairs}
    return Alignment(
        pairs,
        tuple(i for i in range(len(lines)) if i not in paired_lines),
        tuple(j for j in range(len(texts)) if j not in paired_texts),
        frozenset({i for i, _ in candidates} - paired_lines),
        frozenset({j for _, j in candidates} - paired_texts),
    )


def _cost_table(costs: CostTable, width: int) -> CostTable:
    """Return the lowest costs of aligning the first i lines with the first j texts, (lines+1) x (texts+1)."""
    table = [[_GAP_COST * j for j in range(width + 1)]]
    for row in costs:
        above, current = table[-1], [table[-1][0] + _GAP_COST]
        for j, cost in enumerate(row):
            pair = above[j] + cost if cost <= MAX_DISTANCE else float("inf")
            current.append(min(above[j + 1] + _GAP_COST, current[j] + _GAP_COST, pair))
        table.append(current)
    return table


def _reversed(table: CostTable) -> CostTable:
    """Turn a table over the reversed sequences into the costs of aligning what follows (i, j)."""
    return [row[::-1] for row in table[::-1]]


def _skippable(forward: CostTable, backward: CostTable, limit: float) -> tuple[set[int], set[int]]:
    """Return the lines and the texts that an alignment of at most `limit` cost leaves unpaired."""
    height, width = len(forward) - 1, len(forward[0]) - 1
    lines = {
        i
        for i in range(height)
        if any(forward[i][j] + _GAP_COST + backward[i + 1][j] <= limit for j in range(width + 1))
    }
    texts = {
        j
        for j in range(width)
        if any(forward[i][j] + _GAP_COST + backward[i][j + 1] <= limit for i in range(height + 1))
    }
    return lines, texts


def _unambiguous(
    candidates: Sequence[tuple[int, int]], skippable_lines: set[int], skippable_texts: set[int]
) -> tuple[tuple[int, int], ...]:
    """Return the pairs whose line and text have the same partner in all equally good alignments."""
    rows = Counter(i for i, _ in candidates)
    columns = Counter(j for _, j in candidates)
    lines = {i for i, count in rows.items() if count == 1} - skippable_lines
    texts = {j for j, count in columns.items() if count == 1} - skippable_texts
    return tuple((i, j) for i, j in candidates if i in lines and j in texts)
