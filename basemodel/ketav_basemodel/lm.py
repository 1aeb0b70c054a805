"""Trains the character language model of the beam search from word frequencies and permitted texts."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel import texts
from ketav_engine.recognition import ngram
from ketav_engine.recognition.decode import to_display
from ketav_engine.recognition.ngram import BITS, Ngram

ORDER: Final = 6
"""Longest n-gram, in characters."""
_MASS: Final = 1e7
"""Word occurrences that the frequencies are scaled to: a word in ten million counts once."""
_POWER: Final = 0.9
"""Modern words count as frequency to this power: a page not yet read has more rare words than a whole web."""
_SHARES: Final = {"modern": 0.77, "biblical": 0.20, "numbers": 0.02, "abbreviations": 0.01}
"""What the words are made of."""
_UNSEEN: Final = 1e-3
"""Mass shared by all characters whatever was counted."""
_BEFORE: Final = {"(": 0.004, '"': 0.006, "-": 0.01}
"""How often a sign stands before a word."""
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
"""How often a sign follows a word: in display order it comes first."""
_ALONE: Final = 0.02
"""Share of those signs that a space follows at once."""

Keys = NDArray[np.uint64]
Counts = tuple[Keys, NDArray[np.float64]]
"""Packed n-grams of one length in ascending order and how often each was counted."""


def build(data: Path, bench: Path, path: Path) -> Ngram:
    """Train on the training part of the texts under `data`, write the model to `path` and return it.

    Verses that share three words in a row with a text of the real hands under `bench` are left out, so that
    no evaluation text is learnt by way of its parallels.
    """
    closed = texts.closed_runs(file.read_text() for file in sorted(bench.glob("**/*.gt.txt")))
    verses = texts.bible_verses(data / "node_modules/morphhb/wlc")
    sources = {
        "modern": {word: part**_POWER for word, part in texts.modern_words(600_000).items()},
        "biblical": biblical_words(verses, closed),
        "numbers": texts.number_words(20_000),
        "abbreviations": dict.fromkeys(texts.abbreviations(), 1.0),
    }
    model = train(mixed(sources), texts.ALPHABET)
    ngram.write(model, path)
    return model


def biblical_words(verses: Iterable[list[str]], closed: Collection[tuple[str, ...]]) -> dict[str, float]:
    """Count the words of verses without a run of three words in `closed`, but for the words held out."""
    known = texts.modern_words(600_000, "validation")
    counts = Counter(
        word
        for verse in verses
        if not any(tuple(verse[start : start + 3]) in closed for start in range(len(verse) - 2))
        for word in verse
    )
    return {w: float(n) for w, n in counts.items() if not texts.is_held_out(w, known.get(w, 0.0))}


def mixed(sources: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Join word counts by the shares of `_SHARES`."""
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
    symbols = {character: place for place, character in enumerate(sorted(set(alphabet) | {" "}), start=1)}
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
    """Return the mean bits a character of lines costs the model (cross-entropy), line ends included."""
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
    found: list[list[Counts]] = [[] for _ in range(order)]
    for length, group in by_length.items():
        codes = np.array([[space, *(symbols[c] for c in word), space] for word in group], dtype=np.uint64)
        weights = np.array([words[word] for word in group])
        for end in range(1, length + 2):
            for n in range(1, min(order, end + 1) + 1):
                keys = np.ones(len(group), dtype=np.uint64)
                for place in range(end - n + 1, end + 1):
                    keys = keys << np.uint64(BITS) | codes[:, place]
                found[n - 1].append((keys, weights))
    return [_joined(parts) for parts in found if parts]


def _joined(parts: list[Counts]) -> Counts:
    """Add up the counts of equal n-grams."""
    keys, places = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
    sums = np.bincount(places, np.concatenate([counts for _, counts in parts]))
    return keys, sums.astype(np.float64)


def _with_signs(counts: list[Counts], symbols: Mapping[str, int]) -> list[Counts]:
    """Put signs around the words that were counted without: before in logical order is the end on display."""
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
        extra[1][ngram.pack((sign, space))] = _ALONE * share * total
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
    """Return what is taken from each count for what was never seen.

    Absolute discounting (Ney, Essen and Kneser 1994) with a part in proportion, since frequencies are shares
    of a far larger text than the counts say; the two figures had the fewest bits on held-out sentences.
    """
    return np.minimum(counts, 0.5 + 0.15 * counts)


def _estimate(counts: list[Counts], characters: int) -> tuple[list[Counts], list[Counts]]:
    """Interpolate discounted counts with shorter contexts; return probabilities and backing-off weights.

    p(c | h) = (n(h, c) - D) / n(h) + free(h) * p(c | shorter h), where free(h) is the mass that the first
    terms leave, so each context sums to 1.
    """
    keys = np.arange(1, characters + 1, dtype=np.uint64) | np.uint64(1 << BITS)
    found, sums = counts[0]
    shares = np.zeros(characters)
    shares[(found & np.uint64(ngram.MAX_SYMBOLS)).astype(int) - 1] = sums / sums.sum()
    likely: list[Counts] = [(keys, (1 - _UNSEEN) * shares + _UNSEEN / characters)]
    backoff: list[Counts] = []
    for length, (found, sums) in enumerate(counts[1:], start=2):
        contexts, places = np.unique(found >> np.uint64(BITS), return_inverse=True)
        shares = (sums - _discount(sums)) / np.bincount(places, sums)[places]
        free = np.maximum(1 - np.bincount(places, shares), 1e-9)
        likely.append((found, shares + free[places] * _lower(found, length, likely, backoff)))
        backoff.append((contexts, free))
    return likely, backoff


def _lower(keys: Keys, length: int, likely: list[Counts], backoff: list[Counts]) -> NDArray[np.float64]:
    """Return the probabilities of n-grams' last characters after contexts without their first one."""
    room = np.uint64(BITS * (length - 1))
    keys = keys & ((np.uint64(1) << room) - np.uint64(1)) | np.uint64(1) << room
    stored, chances = likely[length - 2]
    places = np.minimum(np.searchsorted(stored, keys), len(stored) - 1)
    result = np.asarray(chances[places])
    absent = stored[places] != keys
    if absent.any():
        contexts, free = backoff[length - 3]
        wanted = keys[absent] >> np.uint64(BITS)
        places = np.minimum(np.searchsorted(contexts, wanted), len(contexts) - 1)
        factor = np.where(contexts[places] == wanted, free[places], 1.0)
        result[absent] = factor * _lower(keys[absent], length - 1, likely, backoff)
    return result
