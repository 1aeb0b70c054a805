"""Train the character language model of the beam search on word frequencies and running text."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel import running_text
from ketav_basemodel.alphabet import ALPHABET, DIGITS, LATIN
from ketav_basemodel.corpora import BIBLE, bible_verses, forbidden_triples, is_held_out, modern_words
from ketav_basemodel.ngram_estimation import (
    Counts,
    absolute_discounting,
    add_counts,
    count_lines,
    mix_counts,
    witten_bell,
)
from ketav_basemodel.number_forms import number_words
from ketav_basemodel.running_text import RunningText
from ketav_basemodel.texts import ABBREVIATIONS
from ketav_engine.recognition import language_model
from ketav_engine.recognition.beam import BeamDecoder, LanguageTables
from ketav_engine.recognition.decode import to_display
from ketav_engine.recognition.language_model import MAX_SYMBOLS, SYMBOL_BITS, LanguageModel, NgramTable, pack

WORD_ORDER: Final = 6
"""Longest n-gram within a word, in characters."""
RUNNING_ORDER: Final = 7
"""Longest n-gram of running text: with 6 and 7 a character of held-out sentences costs 2.70 and 2.66 bits,
mixed with the word model."""
_MIN_COMMENT_COUNT: Final = 3
"""N-grams of comments are counted only from three occurrences on, because of their licence."""
_VERSE_FACTOR: Final = 0.1
"""Factor of the verses' counts: people write modern text."""
_TYPE_WEIGHT: Final = 4.0
"""Type weight of the Witten-Bell interpolation: with 4 and 8 a character of held-out text costs 2.66 and 2.69
bits."""
_MASS: Final = 1e7
"""Word occurrences that the frequencies are scaled to: a word in ten million counts once."""
_POWER: Final = 0.9
"""Modern words count as their frequency to this power: a new page has more rare words than the whole web."""
_SHARES: Final = {"modern": 0.77, "biblical": 0.20, "numbers": 0.02, "abbreviations": 0.01}
"""Shares of the sources of words."""
_BEFORE: Final = {"(": 0.004, '"': 0.006, "-": 0.01}
"""Marks before a word for each word."""
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
"""Marks after a word for each word: in display order they come first."""
_DETACHED: Final = 0.02
"""Share of those marks that are separated from the word by a space."""
_UNKNOWN_END: Final = 0.18
"""Probability that an unknown word ends after a letter: 5.5 letters on average."""
_MAX_NUMBER_LENGTH: Final = 9
"""Numbers of all lengths up to this are counted as often as all the forms of `number_words`."""
DIGIT: Final = "0"
"""The digit that replaces all digits."""
_CLASSES: Final = {DIGIT: DIGITS, "a": LATIN[26:], "A": LATIN[:26]}
"""Characters that share a symbol, by the one that replaces them in the counted texts."""


def build(data: Path, bench: Path, path: Path) -> LanguageModel:
    """Train on the training part of all texts, write the model to `path` and return it.

    Verses and lines that have successive words of an evaluation text are left out (`forbidden_triples`,
    `running_text.repeats`), so that no evaluation text is learnt from its parallels.
    """
    forbidden = forbidden_triples(file.read_text() for file in sorted(bench.glob("**/*.gt.txt")))
    verses = bible_verses(data / BIBLE)
    words = {
        "modern": {word: share**_POWER for word, share in modern_words(600_000).items()},
        "biblical": biblical_words(verses, forbidden),
        "numbers": numbers(),
        "abbreviations": dict.fromkeys(ABBREVIATIONS, 1.0),
    }
    model = train(mixed_words(words), running_text.load(bench, data))
    language_model.write(model, path)
    return model


def train(words: Mapping[str, float], running: RunningText, alphabet: str = ALPHABET) -> LanguageModel:
    """Train on words in logical order with shares that sum to about 1, and on running text."""
    symbols, shares = symbol_classes(alphabet)
    marks = frozenset(symbols[mark] for mark in {*_BEFORE, *_AFTER} if mark in symbols)
    table, counts = _word_table(words, symbols)
    return LanguageModel(
        symbols, shares, marks, table, _running_table(running, symbols), _spelling(counts, symbols, marks)
    )


def bits(model: LanguageModel, lines: Iterable[str]) -> float:
    """Return the cross-entropy of lines in bits per character, line ends included."""
    labels = {character: label for label, character in enumerate(model.symbols, start=1)}
    codec = SimpleNamespace(l2c_single={label: character for character, label in labels.items()})
    decoder = BeamDecoder(LanguageTables(model), codec)
    total, count = 0.0, 0
    for line in lines:
        text = [labels[character] for character in f"{to_display(line)} " if character in labels]
        total -= decoder.log_probability(text)
        count += len(text)
    return total / max(1, count) / math.log(2)


def symbol_classes(alphabet: str) -> tuple[dict[str, int], dict[str, float]]:
    """Return the symbol of each character, from 1, and the logarithm of its share in its class."""
    class_of = {character: name for name, members in _CLASSES.items() for character in members}
    names = sorted({class_of.get(character, character) for character in {*alphabet, " "}})
    numbered = {name: symbol for symbol, name in enumerate(names, start=1)}
    if len(numbered) > MAX_SYMBOLS:
        raise ValueError(f"{len(numbered)} symbols; a language model has at most {MAX_SYMBOLS}")
    characters = sorted({*alphabet, " "})
    symbols = {character: numbered[class_of.get(character, character)] for character in characters}
    sizes = Counter(symbols.values())
    return symbols, {character: -math.log(sizes[symbols[character]]) for character in characters}


def numbers() -> dict[str, float]:
    """Return numbers as in notes, and numbers of each length, with every digit written as zero."""
    words: dict[str, float] = defaultdict(float)
    for word, count in number_words(40_000).items():
        words["".join(DIGIT if c in DIGITS else c for c in word)] += count
    total = sum(words.values())
    for length in range(1, _MAX_NUMBER_LENGTH + 1):
        words[DIGIT * length] += total / _MAX_NUMBER_LENGTH
    return dict(words)


def biblical_words(verses: Iterable[list[str]], forbidden: Collection[tuple[str, ...]]) -> dict[str, float]:
    """Count the words of the verses without a forbidden triple; held-out words are left out."""
    frequencies = modern_words(600_000, "validation")
    counts = Counter(
        word
        for verse in verses
        if not any(tuple(verse[start : start + 3]) in forbidden for start in range(len(verse) - 2))
        for word in verse
    )
    return {w: float(n) for w, n in counts.items() if not is_held_out(w, frequencies.get(w, 0.0))}


def mixed_words(sources: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Mix word counts by the shares of `_SHARES`."""
    words: defaultdict[str, float] = defaultdict(float)
    for name, counts in sources.items():
        total = sum(counts.values())
        for word, count in counts.items():
            words[word] += _SHARES[name] * count / total
    return dict(words)


def _word_table(words: Mapping[str, float], symbols: Mapping[str, int]) -> tuple[NgramTable, Counts]:
    """Return the word model and the counts of single symbols; words with unknown characters are left out."""
    marks = "".join(mark for mark in {*_BEFORE, *_AFTER} if mark in symbols)
    cores: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for word, share in words.items():
        if set(word) <= symbols.keys():
            core = to_display(word).strip(marks)
            cores[tuple(symbols[character] for character in core)] += share * _MASS
    cores.pop((), None)
    counts = _count_words(cores, symbols[" "])
    return absolute_discounting(_with_marks(counts, symbols), len(set(symbols.values()))), counts[0]


def _count_words(words: Mapping[tuple[int, ...], float], space: int) -> list[Counts]:
    """Count the n-grams of words between spaces, all words of one length at once."""
    by_length: defaultdict[int, list[tuple[int, ...]]] = defaultdict(list)
    for word in words:
        by_length[len(word)].append(word)
    parts: list[list[Counts]] = [[] for _ in range(WORD_ORDER)]
    for length, group in by_length.items():
        codes = np.array([(space, *word, space) for word in group], dtype=np.uint64)
        weights = np.array([words[word] for word in group])
        for end in range(1, length + 2):
            for n in range(1, min(WORD_ORDER, end + 1) + 1):
                keys = np.ones(len(group), dtype=np.uint64)
                for position in range(end - n + 1, end + 1):
                    keys = keys << np.uint64(SYMBOL_BITS) | codes[:, position]
                parts[n - 1].append((keys, weights))
    return [add_counts(part) for part in parts if part]


def _running_table(running: RunningText, symbols: Mapping[str, int]) -> NgramTable:
    """Return the model of running text."""

    def encode_lines(source: Iterable[str]) -> list[list[int]]:
        """Return lines as symbols in display order, a space at both ends; unknown characters are left out."""
        known = ([c for c in to_display(f" {line} ") if c in symbols] for line in source)
        return [[symbols[character] for character in line] for line in known]

    counts = mix_counts(
        [
            (count_lines(encode_lines(running.comments), RUNNING_ORDER, _MIN_COMMENT_COUNT), 1.0),
            (count_lines(encode_lines(running.sentences), RUNNING_ORDER), 1.0),
            (count_lines(encode_lines(running.verses), RUNNING_ORDER), _VERSE_FACTOR),
        ]
    )
    return witten_bell(counts, len(set(symbols.values())), _TYPE_WEIGHT)


def _spelling(counts: Counts, symbols: Mapping[str, int], marks: frozenset[int]) -> NDArray[np.float32]:
    """Return the logarithms of symbols within an unknown word: single symbols' shares, and its end."""
    shares = np.full(MAX_SYMBOLS + 1, 1e-4)
    keys, frequencies = counts
    shares[(keys & np.uint64(MAX_SYMBOLS)).astype(int)] += frequencies / frequencies.sum()
    shares[[symbols[" "], *marks]] = 0
    logs = np.log(np.maximum((1 - _UNKNOWN_END) * shares / shares.sum(), 1e-9))
    logs[symbols[" "]] = math.log(_UNKNOWN_END)
    return np.asarray(logs, dtype=np.float32)


def _with_marks(counts: list[Counts], symbols: Mapping[str, int]) -> list[Counts]:
    """Add the marks around the words: those before a word in logical order follow it in display order."""
    space, low = symbols[" "], np.uint64(MAX_SYMBOLS)
    after = {symbols[mark]: share for mark, share in _AFTER.items() if mark in symbols}
    before = {symbols[mark]: share for mark, share in _BEFORE.items() if mark in symbols}
    pairs = dict(zip(*(values.tolist() for values in counts[1]), strict=True))
    firsts = {
        key & MAX_SYMBOLS: count for key, count in pairs.items() if key >> SYMBOL_BITS == pack((space,))
    }
    total = sum(firsts.values())
    extra: list[defaultdict[int, float]] = [defaultdict(float) for _ in range(3)]
    for mark, share in after.items():
        extra[0][pack((mark,))] += share * total
        for first, count in firsts.items():
            extra[1][pack((mark, first))] += share * count
        extra[1][pack((space, mark))] += share * total
        extra[1][pack((mark, space))] += _DETACHED * share * total
    for mark, share in before.items():
        extra[0][pack((mark,))] += share * total
        extra[1][pack((mark, space))] += share * total
    for length in range(2, min(3, len(counts)) + 1):
        keys, sums = counts[length - 1]
        ends = (keys & low) == space
        for mark, share in before.items():
            marked = (keys[ends] & ~low | np.uint64(mark)).tolist()
            for key, count in zip(marked, (sums[ends] * share).tolist(), strict=True):
                extra[length - 1][key] += count
    return [
        add_counts([part, _as_counts(extra[n])]) if n < len(extra) else part for n, part in enumerate(counts)
    ]


def _as_counts(counts: Mapping[int, float]) -> Counts:
    """Return a mapping's n-grams and counts as arrays."""
    return np.array(list(counts), dtype=np.uint64), np.array(list(counts.values()), dtype=np.float64)
