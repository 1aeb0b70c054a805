"""Search in lines: which words of a text match those of a query, and how well.

Texts are compared in the form `searched` (docs/text.md). Hebrew writes seven words as prefixes of the next
one; a match leaves out up to three of them on both sides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ketav_common.error_rates import distance_within
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_QUERY_CODE_POINTS
from ketav_common.text import searched

MAX_QUERY_WORDS: Final = 8
PREFIXES: Final = "והבכלמש"
"""One-letter words that are written together with the next word: and, the, in, like, to, from, that."""
MAX_PREFIXES: Final = 3
_MIN_STEM: Final = 2
"""Letters that stay of a word whose prefixes are left out."""
_PREFIX_COST: Final = 0.05
"""Loss of score for each prefix that only one of two words has: the equal word comes first."""
_TOLERANCE: Final = ((6, 2), (4, 1))
"""Letters of a word from which so many may differ: a model confuses one of ten letters at worst."""
_WORD: Final = re.compile(r"\S+")
_EDGES: Final = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True, slots=True)
class Match:
    """A word of a text that matches one of a query: its code points, and the score above 0 to 1."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """The match of a whole query with a text: its words in the order of the text, and their mean score."""

    matches: tuple[Match, ...]
    score: float


def query_words(query: str) -> list[str]:
    """Return the words of a query as they are compared, the longest first.

    InvalidInput: query-too-long, or empty-query where no word has a letter or a digit.
    """
    if len(query) > MAX_QUERY_CODE_POINTS:
        raise InvalidInput(
            f"The query has more than {MAX_QUERY_CODE_POINTS} code points. Search for a few words.",
            code="query-too-long",
            details={"pointer": "q"},
        )
    words = dict.fromkeys(_EDGES.sub("", word) for word in searched(query).split())
    words.pop("", None)
    if not words:
        raise InvalidInput(
            "The query has no letter and no digit. Send at least one word.",
            code="empty-query",
            details={"pointer": "q"},
        )
    if len(words) > MAX_QUERY_WORDS:
        raise InvalidInput(
            f"The query has more than {MAX_QUERY_WORDS} words. Search for fewer words.",
            code="query-too-long",
            details={"pointer": "q"},
        )
    return sorted(words, key=len, reverse=True)


def find(text: str, words: Sequence[str]) -> Hit | None:
    """Return the best match of each word of a query with a text; None unless every word matches."""
    parts = [
        (match.start(), match.end(), _EDGES.sub("", searched(match[0]))) for match in _WORD.finditer(text)
    ]
    matches = []
    for word in words:
        candidates = [Match(start, end, _score(word, part)) for start, end, part in parts]
        best = max(candidates, key=lambda match: match.score, default=None)
        if best is None or best.score <= 0:
            return None
        matches.append(best)
    score = sum(match.score for match in matches) / len(matches)
    return Hit(tuple(sorted(set(matches), key=lambda match: match.start)), score)


def stems(word: str) -> Iterator[str]:
    """Yield a word, and what remains without one, two and three prefixes."""
    yield word
    for count in range(1, MAX_PREFIXES + 1):
        if word[count - 1 : count] not in PREFIXES or len(word) - count < _MIN_STEM:
            return
        yield word[count:]


def _score(word: str, part: str) -> float:
    """Return how well a word of a query matches one of a text: 1 if they are equal, 0 for no match."""
    if not part:
        return 0.0
    best = 0.0
    for left_out, stem in enumerate(stems(word)):
        allowed = next((edits for letters, edits in _TOLERANCE if len(stem) >= letters), 0)
        for other_left_out, other in enumerate(stems(part)):
            edits = distance_within(stem, other, allowed)
            if edits is not None:
                cost = edits / len(stem) + _PREFIX_COST * abs(left_out - other_left_out)
                # Without the prefixes of both, the words are alike, but these are not the same.
                cost += _PREFIX_COST * min(left_out, other_left_out)
                best = max(best, 1 - cost)
    return best
