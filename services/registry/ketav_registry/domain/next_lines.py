"""Which uncorrected lines would teach most: unsure readings, unlike each other and unlike what is corrected.

Uncertainty sampling weighted by diversity, picked greedily (Settles, "Active Learning Literature Survey",
2009, sections 3.1 and 3.5). The measure of uncertainty was chosen on synthetic lines: of those compared, the
mean of 1 - confidence follows a line's true CER best, and drawing short lines to the mean keeps the list from
filling with scraps. `bench/next_lines.py` measures the outcome.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from uuid import UUID

_LENGTHS = (1, 2, 3)
_PRIOR = 8
_FLOOR = 0.5
_RARE = 3
_SHOWN = 3
_MOSTLY = 0.5
_HEBREW = ("\u05d0", "\u05ea")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An uncorrected line: what was read, and the confidence of each code point, 0 to 1."""

    line_id: UUID
    page_id: UUID
    order: int
    text: str
    confidences: Sequence[float]


@dataclass(frozen=True, slots=True)
class NextLine:
    """A line worth correcting: how unsure its reading is, how much of it is new, both 0 to 1, and why."""

    line: Candidate
    uncertainty: float
    novelty: float
    reason: str


def next_lines(candidates: Sequence[Candidate], verified: Iterable[str], limit: int) -> list[NextLine]:
    """Pick at most `limit` lines, best first; equal arguments give equal picks.

    Each pick is the line of the highest uncertainty x novelty, less for each line of its page that was picked
    before. Novelty is the mean over the line's distinct n-grams of 1 / (1 + how often one was seen) in the
    verified texts and the picks so far.
    """
    seen: Counter[str] = Counter()
    for text in verified:
        seen.update(_ngrams(text))
    known = Counter({gram: count for gram, count in seen.items() if len(gram) == 1})
    pool = _Pool(candidates, seen)
    picked = []
    for _ in range(min(limit, len(candidates))):
        index = pool.best()
        line = candidates[index]
        uncertainty, novelty = pool.uncertainty[index], pool.novelty(index)
        fresh = pool.pages[line.page_id] == 0
        picked.append(NextLine(line, uncertainty, novelty, _reason(line, novelty, known, fresh=fresh)))
        pool.take(index)
    return picked


class _Pool:
    """The lines not picked yet. Its worth only falls while others are picked, so few are weighed anew."""

    def __init__(self, candidates: Sequence[Candidate], seen: Counter[str]) -> None:
        """Weigh every line against the n-grams seen so far."""
        self.candidates = candidates
        self.uncertainty = uncertainties(candidates)
        self.pages: Counter[UUID] = Counter()
        self._grams = [frozenset(_ngrams(line.text)) for line in candidates]
        self._seen = seen
        self._heap = [(-self._worth(index), index) for index in range(len(candidates))]
        heapq.heapify(self._heap)

    def best(self) -> int:
        """Take out the line that is worth most now; of equals the first."""
        while True:
            _, index = heapq.heappop(self._heap)
            now = (-self._worth(index), index)
            if not self._heap or now <= self._heap[0]:
                return index
            heapq.heappush(self._heap, now)

    def take(self, index: int) -> None:
        """Count a line as picked."""
        self._seen.update(self._grams[index])
        self.pages[self.candidates[index].page_id] += 1

    def novelty(self, index: int) -> float:
        """Return how much of a line is new, 0 to 1."""
        grams = self._grams[index]
        return sum(1 / (1 + self._seen[gram]) for gram in grams) / max(1, len(grams))

    def _worth(self, index: int) -> float:
        """Return what a line is worth now."""
        new = _FLOOR + (1 - _FLOOR) * self.novelty(index)
        return self.uncertainty[index] * new / sqrt(1 + self.pages[self.candidates[index].page_id])


def uncertainties(candidates: Sequence[Candidate]) -> list[float]:
    """Return for each line the mean of 1 - confidence, a short line's drawn to the mean of all lines."""
    sums = [sum(1 - value for value in line.confidences) for line in candidates]
    lengths = [len(line.confidences) for line in candidates]
    overall = sum(sums) / max(1, sum(lengths))
    return [
        min(1.0, max(0.0, (total + _PRIOR * overall) / (length + _PRIOR)))
        for total, length in zip(sums, lengths, strict=True)
    ]


def _ngrams(text: str) -> set[str]:
    """Return the distinct runs of one to three characters of a text."""
    return {text[start : start + length] for length in _LENGTHS for start in range(len(text) - length + 1)}


def _reason(line: Candidate, novelty: float, known: Counter[str], *, fresh: bool) -> str:
    """Return why a line was picked in words a user understands."""
    unsure = sum(1 - value for value in line.confidences) / max(1, len(line.confidences))
    parts = [f"the model is {unsure:.0%} unsure of its characters"]
    first, last = _HEBREW
    rare = sorted({sign for sign in line.text if first <= sign <= last and known[sign] < _RARE})
    if rare and known:
        parts.append(f"it may hold letters your corrections rarely have: {', '.join(rare[:_SHOWN])}")
    if novelty >= _MOSTLY:
        parts.append("most of its letter sequences are new")
    if fresh:
        parts.append("no other line of its page is listed before it")
    words = "; ".join(parts)
    return words[0].upper() + words[1:] + "."
