"""Train the character language model of the beam search from word frequencies and permitted texts."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel import corpora, texts
from ketav_basemodel.alphabet import ALPHABET
from ketav_basemodel.number_forms import number_words
from ketav_engine.recognition import ngram
from ketav_engine.recognition.decode import to_display
from ketav_engine.recognition.ngram import BITS, Ngram

ORDER: Final = 6
"""Longest n-gram, in characters."""
_MASS: Final = 1e7
"""Word occurrences that the frequencies are scaled to: a word in ten million counts once."""
_POWER: Final = 0.9
"""Modern words count as their frequency to this power: a new page has more rare words than the whole web."""
_SHARES: Final = {"modern": 0.77, "biblical": 0.20, "numbers": 0.02, "abbreviations": 0.01}
"""Share of each source in the words."""
_UNSEEN: Final = 1e-3
"""Probability that is distributed evenly over all characters, for those that were not counted."""
_BEFORE: Final = {"(": 0.004, '"': 0.006, "-": 0.01}
"""Signs before a word for each word."""
_AFTER: Final = {
    ".": 0.05,
    ",": 0.06,
    ":": 0.01,
    "?": 0.008,
    "!": 0.004,
    ";": 0.002,
    ")": 0.004,
    '"': 0.006,
    "'": 0.008,
}
"""Signs after a word for each word: in display order they come first."""
_DETACHED: Final = 0.02
"""Share of those signs that are separated from the word by a space."""

Keys = NDArray[np.uint64]
Counts = tuple[Keys, NDArray[np.float64]]
"""Packed n-grams of one length in ascending order, and their counts."""


def build(data: Path, bench: Path, path: Path) -> Ngram:
    """Train on the training part of the texts under `data`, write the model to `path` and return it.

    Verses that have three successive words of a transcription under `bench` are left out, so that no
    evaluation text is learnt from its parallels.
    """
    forbidden = corpora.forbidden_triples(file.read_text() for file in sorted(bench.glob("**/*.gt.txt")))
    verses = corpora.bible_verses(data / corpora.BIBLE)
    sources = {
        "modern": {word: share**_POWER for word, share in corpora.modern_words(600_000).items()},
        "biblical": biblical_words(verses, forbidden),
        "numbers": number_words(20_000),
        "abbreviations": dict.fromkeys(texts.ABBREVIATIONS, 1.0),
    }
    model = train(mixed(sources), ALPHABET)
    ngram.write(model, path)
    return model


def biblical_words(verses: Iterable[list[str]], forbidden: Collection[tuple[str, ...]]) -> dict[str, float]:
    """Count the words of the verses without a forbidden triple; held-out words are left out."""
    known = corpora.modern_words(600_000, "validation")
    counts = Counter(
        word
        for verse in verses
        if not any(tuple(verse[start : start + 3]) in forbidden for start in range(len(verse) - 2))
        for word in verse
    )
    return {w: float(n) for w, n in counts.items() if not corpora.is_held_out(w, known.get(w, 0.0))}


def mixed(sources: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Mix word counts by the shares of `_SHARES`."""
    words: defaultdict[str, float] = defaultdict(float)
    for name, counts in sources.items():
        total = sum(counts.values())
        for word, count in counts.items():
            words[word] += _SHARES[name] * count / total
    return dict(words)


def train(words: Mapping[str, float], alphabet: str, order: int = ORDER) -> Ngram:
    """Train on words in logical order and their shares, which sum to about 1.

    Words with characters outside `alphabet` are left out.
    """
    symbols = {character: symbol for symbol, character in enumerate(sorted(set(alphabet) | {" "}), start=1)}
    signs = {sign for sign in symbols if sign in _BEFORE or sign in _AFTER}
    cores: defaultdict[str, float] = defaultdict(float)
    for word, share in words.items():
        if set(word) <= symbols.keys():
            cores[to_display(word).strip("".join(signs))] += share * _MASS
    cores.pop("", None)
    counts = _with_signs(_count(cores, symbols, order), symbols)
    likely, backoff = _estimate(counts, len(symbols))
    tables = [
        ngram.table(
            np.concatenate([keys for keys, _ in part]), np.log(np.concatenate([v for _, v in part])), "d"
        )
        for part in (likely, backoff)
    ]
    return Ngram(order, symbols, frozenset(symbols[sign] for sign in signs), tables[0], tables[1])


def bits(model: Ngram, lines: Iterable[str]) -> float:
    """Return the cross-entropy of lines in bits per character, line ends included."""
    total, count = 0.0, 0
    for line in lines:
        context = model.start()
        for character in to_display(line) + " ":
            symbol = model.symbols.get(character, 0)
            total -= model.score(context, symbol)
            context = model.extend(context, symbol)
            count += 1
    return total / max(1, count) / math.log(2)


def _count(words: Mapping[str, float], symbols: Mapping[str, int], order: int) -> list[Counts]:
    """Count the n-grams of words between spaces, all words of one length at once."""
    space = symbols[" "]
    by_length: defaultdict[int, list[str]] = defaultdict(list)
    for word in words:
        by_length[len(word)].append(word)
    by_order: list[list[Counts]] = [[] for _ in range(order)]
    for length, group in by_length.items():
        codes = np.array([[space, *(symbols[c] for c in word), space] for word in group], dtype=np.uint64)
        weights = np.array([words[word] for word in group])
        for end in range(1, length + 2):
            for n in range(1, min(order, end + 1) + 1):
                keys = np.ones(len(group), dtype=np.uint64)
                for index in range(end - n + 1, end + 1):
                    keys = keys << np.uint64(BITS) | codes[:, index]
                by_order[n - 1].append((keys, weights))
    return [_joined(parts) for parts in by_order if parts]


def _joined(parts: list[Counts]) -> Counts:
    """Add up the counts of equal n-grams."""
    keys, indices = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
    sums = np.bincount(indices, np.concatenate([counts for _, counts in parts]))
    return keys, sums.astype(np.float64)


def _with_signs(counts: list[Counts], symbols: Mapping[str, int]) -> list[Counts]:
    """Add the signs around the words: those before a word in logical order follow it in display order."""
    space = symbols[" "]
    after = {symbols[sign]: share for sign, share in _AFTER.items() if sign in symbols}
    before = {symbols[sign]: share for sign, share in _BEFORE.items() if sign in symbols}
    pairs = dict(zip(*(values.tolist() for values in counts[1]), strict=True))
    firsts = {
        key & ngram.MAX_SYMBOLS: count for key, count in pairs.items() if key >> BITS == 1 << BITS | space
    }
    total = sum(firsts.values())
    extra: list[dict[int, float]] = [{}, {}, {}]
    for sign, share in after.items():
        extra[0][ngram.pack((sign,))] = share * total
        extra[1] |= {ngram.pack((sign, first)): share * count for first, count in firsts.items()}
        extra[1][ngram.pack((space, sign))] = share * total
        extra[1][ngram.pack((sign, space))] = _DETACHED * share * total
    for sign, share in before.items():
        extra[0][ngram.pack((sign,))] = share * total + extra[0].get(ngram.pack((sign,)), 0.0)
        key = ngram.pack((sign, space))
        extra[1][key] = share * total + extra[1].get(key, 0.0)
    for length in range(2, min(3, len(counts)) + 1):
        keys, sums = counts[length - 1]
        ends = keys[(keys & np.uint64(ngram.MAX_SYMBOLS)) == space]
        weights = sums[(keys & np.uint64(ngram.MAX_SYMBOLS)) == space]
        for sign, share in before.items():
            opened = (ends & ~np.uint64(ngram.MAX_SYMBOLS) | np.uint64(sign)).tolist()
            for key, weight in zip(opened, (weights * share).tolist(), strict=True):
                extra[length - 1][key] = weight + extra[length - 1].get(key, 0.0)
    return [_joined([part, _as_counts(extra[n])]) if n < 3 else part for n, part in enumerate(counts)]


def _as_counts(counts: Mapping[int, float]) -> Counts:
    """Return a mapping's n-grams and counts as arrays."""
    return np.array(list(counts), dtype=np.uint64), np.array(list(counts.values()), dtype=np.float64)


def _discount(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the discount of each count, which goes to unseen n-grams.

    Absolute discounting (Ney, Essen and Kneser 1994) with a proportional part, because the frequencies are
    from a far larger text than the counts; these two figures had the fewest bits on held-out sentences.
    """
    return np.minimum(counts, 0.5 + 0.15 * counts)


def _estimate(counts: list[Counts], characters: int) -> tuple[list[Counts], list[Counts]]:
    """Interpolate discounted counts with shorter contexts; return probabilities and backing-off weights.

    p(c | h) = (n(h, c) - D) / n(h) + free(h) * p(c | shorter h), where free(h) is the remaining mass of the
    first terms, so that each context sums to 1.
    """
    keys = np.arange(1, characters + 1, dtype=np.uint64) | np.uint64(1 << BITS)
    counted, sums = counts[0]
    shares = np.zeros(characters)
    shares[(counted & np.uint64(ngram.MAX_SYMBOLS)).astype(int) - 1] = sums / sums.sum()
    likely: list[Counts] = [(keys, (1 - _UNSEEN) * shares + _UNSEEN / characters)]
    backoff: list[Counts] = []
    for length, (counted, sums) in enumerate(counts[1:], start=2):
        contexts, indices = np.unique(counted >> np.uint64(BITS), return_inverse=True)
        shares = (sums - _discount(sums)) / np.bincount(indices, sums)[indices]
        free = np.maximum(1 - np.bincount(indices, shares), 1e-9)
        likely.append((counted, shares + free[indices] * _lower(counted, length, likely, backoff)))
        backoff.append((contexts, free))
    return likely, backoff


def _lower(keys: Keys, length: int, likely: list[Counts], backoff: list[Counts]) -> NDArray[np.float64]:
    """Return the probabilities of n-grams' last characters after contexts without the first character."""
    room = np.uint64(BITS * (length - 1))
    keys = keys & ((np.uint64(1) << room) - np.uint64(1)) | np.uint64(1) << room
    stored, chances = likely[length - 2]
    indices = np.minimum(np.searchsorted(stored, keys), len(stored) - 1)
    result = np.asarray(chances[indices])
    absent = stored[indices] != keys
    if absent.any():
        contexts, free = backoff[length - 3]
        absent_contexts = keys[absent] >> np.uint64(BITS)
        indices = np.minimum(np.searchsorted(contexts, absent_contexts), len(contexts) - 1)
        factor = np.where(contexts[indices] == absent_contexts, free[indices], 1.0)
        result[absent] = factor * _lower(keys[absent], length - 1, likely, backoff)
    return result
