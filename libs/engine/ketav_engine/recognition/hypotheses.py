"""Hypotheses of the beam search: texts with their CTC and language-model probabilities."""

import math
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ketav_engine.recognition.compiled import compiled
from ketav_engine.recognition.language_model import SYMBOL_BITS
from ketav_engine.recognition.ngram_tables import Slots, last_symbols, log_probability, symbols_of
from ketav_engine.recognition.user_words import NO_WORD, WORD_START, Trie, next_user_node

NEVER: Final = -1e30
"""Logarithm of a probability of zero; finite, so that sums stay numbers."""
IMPOSSIBLE: Final = -1e29
"""Logarithms below this are of impossible events."""
_MARK_LOG: Final = math.log(0.08)
"""Logarithm of the probability that a mark rather than a space ends an unknown word."""
_BITS: Final = np.uint64(SYMBOL_BITS)
_ONE: Final = np.uint64(1)
_LOW: Final = np.uint64((1 << SYMBOL_BITS) - 1)


class Language(NamedTuple):
    """The language model as the search uses it."""

    words: Slots
    running: Slots
    word_order: int
    running_order: int
    spelling: NDArray[np.float64]
    """By symbol."""
    symbols: NDArray[np.int64]
    """By label: its symbol, 0 for one that the language model does not know, -1 for none."""
    shares: NDArray[np.float64]
    """By label: logarithm of its character's share in the symbol's class."""
    marks: NDArray[np.bool_]
    """By symbol: whether it is a mark around words."""
    space: int
    user_words: Trie
    """Words of the user."""


class Weights(NamedTuple):
    """The settings of the search; shares as logarithms."""

    weight: float
    bonus: float
    log_running: float
    log_words: float
    log_unknown: float
    log_known: float
    width: int
    min_probability: float


HYPOTHESIS: Final = np.dtype(
    [
        ("node", np.int32),  # the text, a node of the search's tree
        ("letters", np.int32),  # letters of the word that is being written
        ("length", np.int32),  # characters of the text
        ("added", np.int32),  # the label that a candidate adds to its node's text, 0 for none
        ("user_node", np.int32),  # the word that is being written in the trie of the user's words
        ("blank", np.float64),  # logarithm of the alignments that end in a blank
        ("label", np.float64),  # logarithm of the alignments that end in the last label
        ("finished", np.float64),  # language model: completed words and what stands between them
        ("known", np.float64),  # language model: the word that is being written, by the n-gram tables
        ("unknown", np.float64),  # the same word spelled as an unknown one
        ("user", np.float64),  # what the user's words add to the probability of that word
        ("word_context", np.uint64),
        ("running_context", np.uint64),
    ],
    align=True,
)
"""A text with its probabilities; logarithms are natural."""

Hypotheses = NDArray[np.void]
"""An array of `HYPOTHESIS`."""


class Hypothesis(Protocol):
    """An element of such an array, with the fields of `HYPOTHESIS`."""

    letters: int
    length: int
    user_node: int
    blank: float
    label: float
    finished: float
    known: float
    unknown: float
    user: float
    word_context: np.uint64
    running_context: np.uint64


@compiled
def log_add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    if b <= IMPOSSIBLE:
        return a
    return a + math.log1p(math.exp(b - a))


@compiled
def next_word_context(language: Language, context: np.uint64, symbol: int) -> np.uint64:
    """Return the word model's context after a symbol: a space or a mark begins a new word."""
    start = (_ONE << _BITS) | np.uint64(language.space)
    if symbol == language.space:
        return start
    if context >> _BITS == _ONE:
        before = np.int64(context & _LOW)
        if before == language.space or language.marks[before]:
            if language.marks[symbol]:
                return (_ONE << _BITS) | np.uint64(symbol)
            return (start << _BITS) | np.uint64(symbol)
    longer = (context << _BITS) | np.uint64(symbol)
    return last_symbols(longer, min(symbols_of(longer), language.word_order - 1))


@compiled
def next_running_context(language: Language, context: np.uint64, symbol: int) -> np.uint64:
    """Return the running-text model's context after a symbol."""
    longer = (context << _BITS) | np.uint64(symbol)
    return last_symbols(longer, min(symbols_of(longer), language.running_order - 1))


@compiled
def score(weights: Weights, hypothesis: Hypothesis) -> float:
    """Return the score of a hypothesis; the word that is being written is known, unknown or the user's."""
    acoustic = log_add(hypothesis.blank, hypothesis.label)
    text = hypothesis.finished
    if hypothesis.letters > 0:
        word = log_add(weights.log_known + hypothesis.known, weights.log_unknown + hypothesis.unknown)
        text += log_add(word, hypothesis.user)
    return acoustic + weights.weight * text + weights.bonus * hypothesis.length


@compiled
def add_label(
    language: Language, weights: Weights, before: Hypothesis, label: int, after: Hypothesis
) -> None:
    """Set the language-model fields of `after` to those of `before` with one more label."""
    symbol, share = language.symbols[label], language.shares[label]
    log = share + log_add(
        weights.log_words + log_probability(language.words, before.word_context, symbol),
        weights.log_running + log_probability(language.running, before.running_context, symbol),
    )
    after.length = before.length + 1
    after.word_context = next_word_context(language, before.word_context, symbol)
    after.running_context = next_running_context(language, before.running_context, symbol)
    if symbol != language.space and not language.marks[symbol]:
        after.finished = before.finished
        after.known = before.known + log
        after.unknown = before.unknown + share + language.spelling[symbol]
        after.letters = before.letters + 1
        if before.user_node == NO_WORD:  # without this test, a search without words would take longer
            after.user_node, after.user = NO_WORD, NEVER
        else:
            after.user_node = next_user_node(language.user_words, before.user_node, label)
            after.user = language.user_words[after.user_node].begins
        return
    after.letters, after.known, after.unknown = 0, 0.0, 0.0
    after.user_node, after.user = WORD_START, NEVER
    after.finished = before.finished + log
    if before.letters > 0:
        mark = 0.0 if symbol == language.space else _MARK_LOG
        end = language.spelling[language.space] + mark
        word = log_add(weights.log_known + before.known + log, weights.log_unknown + before.unknown + end)
        if before.user_node != NO_WORD:
            word = log_add(word, language.user_words[before.user_node].complete + mark)
        after.finished = before.finished + word


@compiled
def log_probability_of_text(labels: NDArray[np.int64], language: Language, weights: Weights) -> float:
    """Return the logarithm of a text's probability, given as labels in display order, without its end."""
    texts = np.zeros(2, HYPOTHESIS)
    texts[0].user_node = WORD_START
    texts[0].word_context = texts[0].running_context = np.uint64((1 << SYMBOL_BITS) | language.space)
    for label in labels:
        add_label(language, weights, texts[0], label, texts[1])
        texts[0] = texts[1]
    log = texts[0].finished
    if texts[0].letters > 0:
        known = weights.log_known + texts[0].known
        word = log_add(known, weights.log_unknown + texts[0].unknown)
        log += log_add(word, texts[0].user)
    return float(log)
