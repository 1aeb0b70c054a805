"""Character and word error rate, corpus-level: edits of all lines divided by the length of all references."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from ketav_common.text import measured

Pair = tuple[str, str]


@dataclass(frozen=True)
class ErrorRate:
    """Edits (substitutions, insertions, deletions) against a reference length, in the same unit."""

    edits: int
    length: int

    @property
    def rate(self) -> float:
        """Edits divided by length; may exceed 1. An empty reference counts 0 without edits, 1 with."""
        if self.length == 0:
            return float(self.edits > 0)
        return self.edits / self.length


def edits(reference: str, hypothesis: str) -> int:
    """Levenshtein distance in code points of the texts as they are measured."""
    return Levenshtein.distance(measured(reference), measured(hypothesis))


def distance_within(first: str, second: str, limit: int) -> int | None:
    """Levenshtein distance in code points of two texts as they are; None if it is greater than a limit."""
    distance = Levenshtein.distance(first, second, score_cutoff=limit)
    return distance if distance <= limit else None


def cer(pairs: Iterable[Pair]) -> ErrorRate:
    """Character error rate over (reference, hypothesis) pairs, in code points of measured texts."""
    return _error_rate([(measured(ref), measured(hyp)) for ref, hyp in pairs])


def wer(pairs: Iterable[Pair]) -> ErrorRate:
    """Word error rate over (reference, hypothesis) pairs; white space separates words."""
    return _error_rate([(measured(ref).split(), measured(hyp).split()) for ref, hyp in pairs])


def _error_rate(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> ErrorRate:
    """Sum the edits and the reference lengths of all pairs."""
    distance = sum(Levenshtein.distance(reference, hypothesis) for reference, hypothesis in pairs)
    return ErrorRate(distance, sum(len(reference) for reference, _ in pairs))


def letters_only(text: str) -> str:
    """Keep the Hebrew letters (U+05D0 to U+05EA) and single spaces between words."""
    letters = "".join(c for c in measured(text) if "\u05d0" <= c <= "\u05ea" or c.isspace())
    return " ".join(letters.split())
