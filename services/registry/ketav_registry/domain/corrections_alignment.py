"""Aligning the corrected text of a whole page to the lines that were read on it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Unrelated Hebrew lines of like length lie at 0.75 to 0.85; a badly read line at 0.3 to 0.6.
THRESHOLD = 0.65
# Alignments whose costs differ by less are equally good: to choose one would be a guess.
MARGIN = 0.02

Distance = Callable[[str, str], float]
Matrix = list[list[float]]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Pairs (line index, text index), the lines and texts without a partner, and those with several."""

    pairs: tuple[tuple[int, int], ...]
    lines: tuple[int, ...]
    texts: tuple[int, ...]
    ambiguous_lines: frozenset[int]
    ambiguous_texts: frozenset[int]


def align(lines: Sequence[str], texts: Sequence[str], distance: Distance) -> Alignment:
    """Find the monotone alignment of texts to lines of least cost; report what it leaves out.

    A pair costs its distance (0 equal, 1 nothing in common), a line or text without a partner costs half
    the threshold, so that no pair beyond the threshold is ever worth making. A pair for which another
    alignment is as good is not made. Needleman and Wunsch 1970, with a forward and a backward table.
    """
    costs = [[distance(line, text) for text in texts] for line in lines]
    forward = _table(costs, len(texts))
    backward = _reversed(_table([row[::-1] for row in costs[::-1]], len(texts)))
    best = forward[len(lines)][len(texts)]
    candidates = [
        (i, j)
        for i, row in enumerate(costs)
        for j, cost in enumerate(row)
        if cost <= THRESHOLD and forward[i][j] + cost + backward[i + 1][j + 1] <= best + MARGIN
    ]
    skipped_lines, skipped_texts = _skippable(forward, backward, best)
    pairs = _unrivalled(candidates, skipped_lines, skipped_texts)
    taken_lines, taken_texts = {i for i, _ in pairs}, {j for _, j in pairs}
    return Alignment(
        pairs,
        tuple(i for i in range(len(lines)) if i not in taken_lines),
        tuple(j for j in range(len(texts)) if j not in taken_texts),
        frozenset({i for i, _ in candidates} - taken_lines),
        frozenset({j for _, j in candidates} - taken_texts),
    )


def _table(costs: Matrix, width: int) -> Matrix:
    """Return least costs of aligning the first i lines with the first j texts, (lines+1) x (texts+1)."""
    gap = THRESHOLD / 2
    table = [[gap * j for j in range(width + 1)]]
    for row in costs:
        above, current = table[-1], [table[-1][0] + gap]
        for j, cost in enumerate(row):
            pair = above[j] + cost if cost <= THRESHOLD else float("inf")
            current.append(min(above[j + 1] + gap, current[j] + gap, pair))
        table.append(current)
    return table


def _reversed(table: Matrix) -> Matrix:
    """Turn a table over the reversed sequences into one over what still follows (i, j)."""
    return [row[::-1] for row in table[::-1]]


def _skippable(forward: Matrix, backward: Matrix, best: float) -> tuple[set[int], set[int]]:
    """Find the lines and the texts that some alignment as good as the best leaves out."""
    gap, limit = THRESHOLD / 2, best + MARGIN
    height, width = len(forward) - 1, len(forward[0]) - 1
    lines = {
        i
        for i in range(height)
        if any(forward[i][j] + gap + backward[i + 1][j] <= limit for j in range(width + 1))
    }
    texts = {
        j
        for j in range(width)
        if any(forward[i][j] + gap + backward[i][j + 1] <= limit for i in range(height + 1))
    }
    return lines, texts


def _unrivalled(
    candidates: Sequence[tuple[int, int]], skipped_lines: set[int], skipped_texts: set[int]
) -> tuple[tuple[int, int], ...]:
    """Keep the pairs whose line and text have no other choice in any alignment as good as the best."""
    rows = Counter(i for i, _ in candidates)
    columns = Counter(j for _, j in candidates)
    alone_line = {i for i, choices in rows.items() if choices == 1} - skipped_lines
    alone_text = {j for j, choices in columns.items() if choices == 1} - skipped_texts
    return tuple((i, j) for i, j in candidates if i in alone_line and j in alone_text)
