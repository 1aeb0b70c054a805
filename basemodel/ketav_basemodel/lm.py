"""Trains the character language model of the beam search from word frequencies and permitted texts."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ketav_basemodel import texts
from ketav_engine.decode import to_display
from ketav_engine.ngram import BITS, Ngram, pack, write

ORDER: Final = 6
"""Longest n-gram, in characters."""
DISCOUNT: Final = 0.75
"""Taken from each count for what was never seen (absolute discounting: Ney, Essen and Kneser 1994)."""
_LEAST: Final = (0, DISCOUNT, DISCOUNT, 2, 3, 4)
"""Counts that n-grams of 1, 2, … characters must pass to be stored."""
_COMMON: Final = 5_000
"""Words that are counted with signs around them, too."""
_UNSEEN: Final = 1e-3
"""Mass shared by all characters whatever was counted."""
_MASS: Final = 4_000_000
"""Word occurrences that the frequencies are scaled to."""
_AFTER: Final = {".": 0.05, ",": 0.06, ":": 0.01, "?": 0.008, "!": 0.004, ";": 0.002, ")": 0.004}
"""How often a sign follows a word."""
_BEFORE: Final = {"(": 0.004, '"': 0.004, "-": 0.01}
"""How often a sign stands before a word."""


Counts = list[defaultdict[int, float]]
"""Packed n-grams with their counts, for each length from 1."""


def train(
    words: Mapping[str, float], lines: Iterable[str], alphabet: str, share: float = 0.15, order: int = ORDER
) -> Ngram:
    """Train on words by frequency (they sum to about 1) and on lines of running text in logical order.

    The lines together weigh `share` of the words. Characters outside `alphabet` drop the word or the line.
    """
    symbols = {character: place for place, character in enumerate(sorted(set(alphabet) | {" "}), start=1)}
    counts: Counts = [defaultdict(float) for _ in range(order)]
    usable_words = {word: part for word, part in words.items() if word and set(word) <= symbols.keys()}
    common = set(sorted(usable_words, key=usable_words.__getitem__, reverse=True)[:_COMMON])
    for word, part in usable_words.items():
        _count_word(counts, to_display(word), part * _MASS, symbols, signed=word in common)
    usable = [line for line in lines if line and set(line) <= symbols.keys()]
    weight = share * _MASS / max(1, sum(len(line.split()) for line in usable))
    for line in usable:
        _count(counts, f" {to_display(line)} ", weight, symbols)
    return _estimate(counts, symbols)


def build(data: Path, bench: Path, path: Path, count: int = 200_000) -> None:
    """Train on modern words and on the Bible's verses under `data`, and write the model to `path`.

    Verses that share three words in a row with a text of the real hands under `bench` are left out, so that
    no evaluation text is learnt by way of its parallels.
    """
    closed = texts.closed_runs(file.read_text() for file in sorted(bench.glob("**/*.gt.txt")))
    verses = [
        " ".join(verse)
        for verse in texts.bible_verses(data / "node_modules/morphhb/wlc")
        if not any(tuple(verse[start : start + 3]) in closed for start in range(len(verse) - 2))
    ]
    write(train(texts.modern_words(count), verses, texts.ALPHABET), path)


def _count_word(
    counts: Counts, display: str, weight: float, symbols: Mapping[str, int], *, signed: bool
) -> None:
    """Count a word in display order, alone and, if `signed`, with the signs that stand around words."""
    forms = {}
    if signed:
        forms = {f"{sign}{display}": part for sign, part in _AFTER.items() if sign in symbols}
        forms |= {f"{display}{sign}": part for sign, part in _BEFORE.items() if sign in symbols}
    forms[display] = 1 - sum(forms.values())
    for text, part in forms.items():
        _count(counts, f" {text} ", weight * part, symbols)


def _count(counts: Counts, text: str, weight: float, symbols: Mapping[str, int]) -> None:
    """Count each n-gram of a text; the first space is only context."""
    codes = tuple(symbols[character] for character in text)
    for end in range(1, len(codes)):
        for length in range(1, min(len(counts), end + 1) + 1):
            counts[length - 1][pack(codes[end - length + 1 : end + 1])] += weight


def _estimate(counts: Counts, symbols: Mapping[str, int]) -> Ngram:
    """Discount the counts and interpolate with shorter contexts; keep what was counted often enough.

    p(c | h) = max(n(h, c) - D, 0) / n(h) + free(h) * p(c | shorter h), where free(h) is the mass that the
    first terms leave; an n-gram that is not kept has the second term alone, so each context sums to 1.
    """
    total = sum(counts[0].values())
    likely = {
        key: (1 - _UNSEEN) * counts[0].get(key, 0.0) / total + _UNSEEN / len(symbols)
        for key in (pack((symbol,)) for symbol in symbols.values())
    }
    backoff: dict[int, float] = {}
    for length in range(2, len(counts) + 1):
        sums: defaultdict[int, float] = defaultdict(float)
        taken: defaultdict[int, float] = defaultdict(float)
        for key, count in counts[length - 1].items():
            sums[key >> BITS] += count
        kept = {key: count for key, count in counts[length - 1].items() if count > _LEAST[length - 1]}
        for key, count in kept.items():
            taken[key >> BITS] += (count - DISCOUNT) / sums[key >> BITS]
        for context, mass in taken.items():
            backoff[context] = 1 - mass
        for key, count in kept.items():
            lower = _probability(_shorter(key, length), length - 1, likely, backoff)
            likely[key] = (count - DISCOUNT) / sums[key >> BITS] + backoff[key >> BITS] * lower
    logs = ({key: math.log(value) for key, value in table.items()} for table in (likely, backoff))
    return Ngram(len(counts), symbols, *logs)


def _probability(key: int, length: int, likely: Mapping[int, float], backoff: Mapping[int, float]) -> float:
    """Return the probability of an n-gram's last character after the others."""
    factor = 1.0
    while length > 1 and key not in likely:
        factor *= backoff.get(key >> BITS, 1.0)
        key, length = _shorter(key, length), length - 1
    return factor * likely[key]


def _shorter(key: int, length: int) -> int:
    """Drop the first character of a packed n-gram."""
    rest = BITS * (length - 1)
    return key & ((1 << rest) - 1) | 1 << rest
