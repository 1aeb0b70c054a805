"""Ranking of uncorrected lines: first uncertain readings unlike corrected lines and unlike each other.

Uncertainty sampling weighted by diversity, selected greedily (Settles, "Active Learning Literature Survey",
2009, sections 3.1 and 3.5). Of the measures of uncertainty that were compared on synthetic lines, the mean of
1 - confidence correlates best with a line's CER. Shrinking the value of short lines to the mean keeps very
short lines from filling the list. `bench/next_lines.py` measures the CER after correcting the ranked lines.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from uuid import UUID

_NGRAM_LENGTHS = (1, 2, 3)
"""Lengths of n-grams in characters."""
_PRIOR_CHARACTERS = 8
"""Weight of the mean uncertainty of all lines, in characters: a line of 8 characters is halfway to it."""
_MIN_NOVELTY_WEIGHT = 0.5
"""Factor of a line without any novelty: an uncertain line counts even if all its n-grams are known."""
_RARE_COUNT = 3
"""Occurrences in verified texts below which a letter counts as rare."""
_MAX_LISTED_LETTERS = 3
"""Rare letters that a reason lists."""
_MOSTLY_NEW = 0.5
"""Novelty from which a reason says that most of a line's letter sequences are new."""
_FIRST_LETTER, _LAST_LETTER = "\u05d0", "\u05ea"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An uncorrected line: its reading, and the confidence of each code point, 0 to 1."""

    line_id: UUID
    page_id: UUID
    order: int
    text: str
    confidences: Sequence[float]


@dataclass(frozen=True, slots=True)
class NextLine:
    """A ranked line with its uncertainty and its novelty, both 0 to 1, and the reason for the user."""

    line: Candidate
    uncertainty: float
    novelty: float
    reason: str


def rank_lines(candidates: Sequence[Candidate], verified: Iterable[str], limit: int) -> list[NextLine]:
    """Return at most `limit` lines, best first; equal arguments give equal results.

    Each step selects the line with the highest uncertainty x novelty, reduced for each line of its page that
    was selected before. Novelty is the mean of 1 / (1 + count) over the line's distinct n-grams, where
    `count` is the number of verified texts and selected lines that contain the n-gram.
    """
    ngram_counts: Counter[str] = Counter()
    for text in verified:
        ngram_counts.update(_ngrams(text))
    verified_letters = Counter({gram: count for gram, count in ngram_counts.items() if len(gram) == 1})
    pool = CandidatePool(candidates, ngram_counts)
    ranked = []
    for _ in range(min(limit, len(candidates))):
        index = pool.pop_best()
        line = candidates[index]
        novelty = pool.novelty(index)
        first_of_page = pool.selected_of_page[line.page_id] == 0
        reason = _reason_text(line, novelty, verified_letters, first_of_page=first_of_page)
        ranked.append(NextLine(line, pool.uncertainty[index], novelty, reason))
        pool.select(index)
    return ranked


class CandidatePool:
    """The lines that are not selected yet, with their scores.

    A selection only lowers the scores of the other lines. Therefore a line whose current score is still the
    highest in the heap is the best one, and few scores are computed in each step.
    """

    def __init__(self, candidates: Sequence[Candidate], ngram_counts: Counter[str]) -> None:
        """Compute the scores of all lines; `ngram_counts` are those of the verified texts, and is updated."""
        self.candidates = candidates
        self.uncertainty = uncertainties(candidates)
        self.selected_of_page: Counter[UUID] = Counter()
        self._grams = [frozenset(_ngrams(line.text)) for line in candidates]
        self._ngram_counts = ngram_counts
        self._heap = [(-self.score(index), index) for index in range(len(candidates))]
        heapq.heapify(self._heap)

    def pop_best(self) -> int:
        """Remove the line with the highest score and return its index; the lowest index of equal scores."""
        while True:
            _, index = heapq.heappop(self._heap)
            current = (-self.score(index), index)
            if not self._heap or current <= self._heap[0]:
                return index
            heapq.heappush(self._heap, current)

    def select(self, index: int) -> None:
        """Count the n-grams and the page of a selected line."""
        self._ngram_counts.update(self._grams[index])
        self.selected_of_page[self.candidates[index].page_id] += 1

    def novelty(self, index: int) -> float:
        """Return the novelty of a line, 0 to 1: see `rank_lines`."""
        grams = self._grams[index]
        return sum(1 / (1 + self._ngram_counts[gram]) for gram in grams) / max(1, len(grams))

    def score(self, index: int) -> float:
        """Return the current score of a line: uncertainty x novelty, less for selected lines of its page."""
        weight = _MIN_NOVELTY_WEIGHT + (1 - _MIN_NOVELTY_WEIGHT) * self.novelty(index)
        selected = self.selected_of_page[self.candidates[index].page_id]
        return self.uncertainty[index] * weight / sqrt(1 + selected)


def uncertainties(candidates: Sequence[Candidate]) -> list[float]:
    """Return the mean of 1 - confidence of each line, shrunk to the mean of all lines; 0 to 1."""
    sums = [sum(1 - value for value in line.confidences) for line in candidates]
    lengths = [len(line.confidences) for line in candidates]
    mean = sum(sums) / max(1, sum(lengths))
    return [
        min(1.0, max(0.0, (total + _PRIOR_CHARACTERS * mean) / (length + _PRIOR_CHARACTERS)))
        for total, length in zip(sums, lengths, strict=True)
    ]


def _ngrams(text: str) -> set[str]:
    """Return the distinct sequences of one to three characters of a text."""
    return {
        text[start : start + length] for length in _NGRAM_LENGTHS for start in range(len(text) - length + 1)
    }


def _reason_text(
    line: Candidate, novelty: float, verified_letters: Counter[str], *, first_of_page: bool
) -> str:
    """Return why a line was selected, as sentences for the user."""
    confidence = 1 - sum(1 - value for value in line.confidences) / max(1, len(line.confidences))
    sentences = [f"The mean confidence of its characters is {confidence:.0%}."]
    rare = sorted(
        {
            sign
            for sign in line.text
            if _FIRST_LETTER <= sign <= _LAST_LETTER and verified_letters[sign] < _RARE_COUNT
        }
    )
    if rare and verified_letters:
        listed = ", ".join(rare[:_MAX_LISTED_LETTERS])
        sentences.append(f"It may contain letters that are rare in your corrections: {listed}.")
    if novelty >= _MOSTLY_NEW:
        sentences.append("Most of its letter sequences are new.")
    if first_of_page:
        sentences.append("It is the first line of its page in this list.")
    return " ".join(sentences)
