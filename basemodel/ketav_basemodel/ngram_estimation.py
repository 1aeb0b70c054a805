"""Counts of packed n-grams and the back-off models estimated from them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.recognition.language_model import SYMBOL_BITS, Keys, NgramTable, quantised

Counts = tuple[Keys, NDArray[np.float64]]
"""Packed n-grams of one length in ascending order, and their counts."""
Estimates = list[tuple[Keys, NDArray[np.float64]]]
"""For each length: packed n-grams in ascending order, and a probability or a back-off weight of each."""

_UNSEEN: Final = 1e-3
"""Probability that is distributed evenly over all symbols, for those that were not counted."""
_BITS: Final = np.uint64(SYMBOL_BITS)
_LAST: Final = np.uint64((1 << SYMBOL_BITS) - 1)
_ONE: Final = np.uint64(1)


def count_lines(lines: Iterable[Sequence[int]], order: int, min_count: int = 1) -> list[Counts]:
    """Count the n-grams of lines of symbols (from 1); leave out those seen fewer than `min_count` times.

    No n-gram crosses the end of a line.
    """
    symbols = np.array([symbol for line in lines for symbol in (0, *line)], dtype=np.uint64)
    counts: list[Counts] = []
    for length in range(1, order + 1):
        windows = max(0, len(symbols) - length + 1)
        keys, crosses = np.ones(windows, dtype=np.uint64), np.zeros(windows, dtype=np.bool_)
        for offset in range(length):
            part = symbols[offset : windows + offset]
            keys = keys << _BITS | part
            crosses |= part == 0
        ngrams, frequencies = np.unique(keys[~crosses], return_counts=True)
        counts.append(
            (ngrams[frequencies >= min_count], frequencies[frequencies >= min_count].astype(np.float64))
        )
    return counts


def add_counts(parts: Sequence[Counts]) -> Counts:
    """Add up the counts of equal n-grams."""
    keys, indices = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
    return keys, np.bincount(indices, np.concatenate([counts for _, counts in parts])).astype(np.float64)


def mix_counts(sources: Sequence[tuple[list[Counts], float]]) -> list[Counts]:
    """Add up the counts of several texts, each times its factor."""
    lengths = range(max(len(counts) for counts, _ in sources))
    return [
        add_counts([(counts[n][0], counts[n][1] * factor) for counts, factor in sources if n < len(counts)])
        for n in lengths
    ]


def absolute_discounting(counts: list[Counts], symbol_count: int) -> NgramTable:
    """Interpolate discounted counts with shorter contexts (Ney, Essen and Kneser 1994).

    p(c | h) = (n(h, c) - D) / n(h) + free(h) * p(c | shorter h), where free(h) is the mass that the first
    terms leave, so that each context sums to 1. D has a part in proportion to the count, because word
    frequencies are shares of a far larger text than the counts say; both parts had the fewest bits on
    held-out sentences.
    """

    def shares(frequencies: NDArray[np.float64], contexts: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the discounted share of each n-gram in its context."""
        discounted = frequencies - np.minimum(frequencies, 0.5 + 0.15 * frequencies)
        return np.asarray(discounted / np.bincount(contexts, frequencies)[contexts])

    return _interpolated(counts, symbol_count, shares)


def witten_bell(counts: list[Counts], symbol_count: int, type_weight: float) -> NgramTable:
    """Interpolate counts with shorter contexts by how many symbols follow.

    Method C of Witten and Bell, The zero-frequency problem, 1991, with a weight:
    p(c | h) = (n(h, c) + k * t(h) * p(c | shorter h)) / (n(h) + k * t(h)), with t(h) different symbols after
    h and k the `type_weight`, which is fitted on held-out text. It suits small texts, where most long
    contexts occur once. `counts[n - 1]` are the n-grams of length n. The probability of a single symbol is
    0.999 * relative frequency + 0.001 / symbol_count.
    """

    def shares(frequencies: NDArray[np.float64], contexts: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the share of each n-gram in its context's counts and the weight of its types."""
        totals, types = np.bincount(contexts, frequencies), np.bincount(contexts)
        return np.asarray(frequencies / (totals + type_weight * types)[contexts])

    return _interpolated(counts, symbol_count, shares)


SharesOf = Callable[[NDArray[np.float64], NDArray[np.intp]], NDArray[np.float64]]
"""Returns the share of each n-gram in its context, given counts and the index of each n-gram's context."""


def _interpolated(counts: list[Counts], symbol_count: int, shares_of: SharesOf) -> NgramTable:
    """Build a table from the shares of n-grams in their contexts; shorter contexts get the rest."""
    ngrams, frequencies = counts[0]
    unigrams = np.zeros(symbol_count)
    unigrams[(ngrams & _LAST).astype(int) - 1] = frequencies / frequencies.sum()
    keys = np.arange(1, symbol_count + 1, dtype=np.uint64) | _ONE << _BITS
    probable: Estimates = [(keys, (1 - _UNSEEN) * unigrams + _UNSEEN / symbol_count)]
    backoff: Estimates = []
    for length, (ngrams, frequencies) in enumerate(counts[1:], start=2):
        contexts, indices = np.unique(ngrams >> _BITS, return_inverse=True)
        shares = shares_of(frequencies, indices)
        free = np.maximum(1 - np.bincount(indices, shares), 1e-9)
        probable.append((ngrams, shares + free[indices] * _shorter(ngrams, length, probable, backoff)))
        backoff.append((contexts, free))
    return _table(len(counts), probable, backoff)


def _shorter(ngrams: Keys, length: int, probable: Estimates, backoff: Estimates) -> NDArray[np.float64]:
    """Return the probabilities of n-grams' last symbols after contexts without their first symbol."""
    room = np.uint64(SYMBOL_BITS * (length - 1))
    ngrams = ngrams & ((_ONE << room) - _ONE) | _ONE << room
    keys, probabilities = probable[length - 2]
    indices = np.minimum(np.searchsorted(keys, ngrams), len(keys) - 1)
    result = probabilities[indices].copy()
    absent = keys[indices] != ngrams
    if absent.any():
        result[absent] = _backed_off(ngrams[absent], length - 1, probable, backoff)
    return result


def _backed_off(ngrams: Keys, length: int, probable: Estimates, backoff: Estimates) -> NDArray[np.float64]:
    """Return the probabilities of n-grams of a length that were not counted."""
    contexts, weights = backoff[length - 2]
    own_contexts = ngrams >> _BITS
    indices = np.minimum(np.searchsorted(contexts, own_contexts), len(contexts) - 1)
    factors = np.where(contexts[indices] == own_contexts, weights[indices], 1.0)
    return np.asarray(factors * _shorter(ngrams, length, probable, backoff))


def _table(order: int, probable: Estimates, backoff: Estimates) -> NgramTable:
    """Return the estimates in stored form.

    Back-off weights are stored only for contexts that are n-grams themselves.
    """
    keys = np.concatenate([part for part, _ in probable])
    logs = np.log(np.concatenate([values for _, values in probable]))
    weights = np.zeros(len(keys))
    ranks = np.argsort(keys)
    keys, logs = keys[ranks], logs[ranks]
    for contexts, free in backoff:
        indices = np.minimum(np.searchsorted(keys, contexts), len(keys) - 1)
        known = keys[indices] == contexts
        weights[indices[known]] = np.log(free[known])
    return NgramTable(order, keys, quantised(logs), quantised(weights))
