"""Reading order of Hebrew: lines from top to bottom, columns from right to left."""

from collections.abc import Sequence

from ketav_engine.domain import Point


def reading_order(boundaries: Sequence[Sequence[Point]]) -> list[int]:
    """Return the indices of lines in reading order (`horizontal-rl`).

    Two rules order pairs (Breuel, High Performance Document Layout Analysis, 2003, section 4): a line above
    another precedes it when they overlap horizontally; a line wholly to the right of another precedes it when
    no line between them in height reaches over both. The pairs are then sorted topologically.
    """
    boxes = [
        (min(xs), min(ys), max(xs), max(ys))
        for xs, ys in (zip(*boundary, strict=True) for boundary in boundaries)
    ]
    count = len(boxes)
    before = [[_precedes(a, b, boxes) for b in range(count)] for a in range(count)]
    order: list[int] = []
    left = sorted(range(count), key=lambda index: (boxes[index][1] + boxes[index][3], -boxes[index][2]))
    while left:
        free = [b for b in left if not any(before[a][b] for a in left if a != b)]
        chosen = free[0] if free else left[0]
        order.append(chosen)
        left.remove(chosen)
    return order


def _precedes(a: int, b: int, boxes: list[tuple[int, int, int, int]]) -> bool:
    """Tell whether line a must be read before line b."""
    if a == b:
        return False
    one, other = boxes[a], boxes[b]
    if _overlap(one, other):
        return _middle(one) < _middle(other)
    if one[0] < other[2]:
        return False
    low, high = sorted((_middle(one), _middle(other)))
    return not any(
        low < _middle(box) < high and _overlap(box, one) and _overlap(box, other)
        for index, box in enumerate(boxes)
        if index not in (a, b)
    )


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Tell whether two boxes share a noticeable range of columns."""
    shared = min(one[2], other[2]) - max(one[0], other[0])
    return shared > 0.05 * min(one[2] - one[0], other[2] - other[0])


def _middle(box: tuple[int, int, int, int]) -> float:
    """Return a box's vertical middle."""
    return (box[1] + box[3]) / 2
