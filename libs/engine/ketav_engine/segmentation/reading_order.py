"""Reading order of Hebrew: lines from top to bottom, columns from right to left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from ketav_engine.domain import Point

_MIN_OVERLAP: Final = 0.05
"""Share of the narrower line's width that two lines of one column have in common at least."""


@dataclass(frozen=True, slots=True)
class _Box:
    """The box around a line's boundary, in pixels of the image."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, boundary: Sequence[Point]) -> Self:
        """Return the box around a polygon."""
        xs, ys = zip(*boundary, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    @property
    def middle(self) -> float:
        """Return the vertical middle."""
        return (self.top + self.bottom) / 2

    def overlaps(self, other: "_Box") -> bool:
        """Return whether two boxes share a noticeable range of columns."""
        shared = min(self.right, other.right) - max(self.left, other.left)
        return shared > _MIN_OVERLAP * min(self.right - self.left, other.right - other.left)


def reading_order(boundaries: Sequence[Sequence[Point]]) -> list[int]:
    """Return the indices of lines in reading order (`horizontal-rl`).

    Two rules order pairs (Breuel, High Performance Document Layout Analysis, 2003, section 4): a line above
    another precedes it when they overlap horizontally; a line wholly to the right of another precedes it when
    no line between them in height overlaps both. The pairs are then sorted topologically.
    """
    boxes = [_Box.around(boundary) for boundary in boundaries]
    count = len(boxes)
    before = [[_precedes(a, b, boxes) for b in range(count)] for a in range(count)]
    order: list[int] = []
    left = sorted(
        range(count), key=lambda index: (boxes[index].top + boxes[index].bottom, -boxes[index].right)
    )
    while left:
        free = [b for b in left if not any(before[a][b] for a in left if a != b)]
        following = free[0] if free else left[0]
        order.append(following)
        left.remove(following)
    return order


def _precedes(a: int, b: int, boxes: list[_Box]) -> bool:
    """Return whether line a must be read before line b."""
    if a == b:
        return False
    one, other = boxes[a], boxes[b]
    if one.overlaps(other):
        return one.middle < other.middle
    if one.left < other.right:
        return False
    low, high = sorted((one.middle, other.middle))
    return not any(
        low < box.middle < high and box.overlaps(one) and box.overlaps(other)
        for index, box in enumerate(boxes)
        if index not in (a, b)
    )
