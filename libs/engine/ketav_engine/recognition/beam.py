"""Beam search with a character language model: the decoder that serves."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ketav_engine.recognition.alignment import spans
from ketav_engine.recognition.decode import Label, Probabilities
from ketav_engine.recognition.hypotheses import HYPOTHESIS, NEVER, Language, Weights, log_probability_of_text
from ketav_engine.recognition.language_model import MAX_SYMBOLS, LanguageModel, SearchSettings
from ketav_engine.recognition.ngram_tables import hashed
from ketav_engine.recognition.prefix_search import MAX_LABELS, search
from ketav_engine.recognition.user_words import NO_WORDS, Trie


class LanguageTables:
    """A language model in the form that searches use; built once, a tenth of a second, 50 MB."""

    def __init__(self, model: LanguageModel) -> None:
        """Hash the model's n-grams."""
        self.model = model
        self.words, self.running = hashed(model.words), hashed(model.running)


class BeamDecoder:
    """Decodes the outputs of networks with one alphabet; implements `Decoder`.

    One instance must not be used by two threads at a time: it keeps the search's working memory.
    """

    def __init__(
        self,
        tables: LanguageTables,
        codec: Any,  # noqa: ANN401  # kraken is untyped
        settings: SearchSettings | None = None,
        user_words: Trie = NO_WORDS,
    ) -> None:
        """Take the language model, the network's codec, and settings that replace the language model's.

        `user_words` are the words of the user by the labels of the codec.
        """
        self._language = _language(tables, codec, user_words)
        self._weights = _weights(settings or tables.model.settings)
        self._calibration = tables.model.calibration
        width = self._weights.width
        self._beam = np.zeros(width, HYPOTHESIS)
        self._candidates = np.zeros(width * (MAX_LABELS + 1), HYPOTHESIS)

    def __call__(self, probabilities: Probabilities) -> list[Label]:
        """Return the best text's labels with their steps and the probability that each is correct."""
        probability = self._calibration.probability
        labels = align(self.search(probabilities), probabilities)
        return [label._replace(confidence=probability(label.confidence)) for label in labels]

    def log_probability(self, labels: Sequence[int]) -> float:
        """Return the natural logarithm of the language model's probability of a text, given as its labels."""
        indices = np.array(labels, dtype=np.int64)
        return float(log_probability_of_text(indices, self._language, self._weights))

    def search(self, probabilities: Probabilities) -> tuple[int, ...]:
        """Return the labels of the best text in display order."""
        # Labels beyond the codec's are never output, and the compiled search checks no bounds.
        columns = np.ascontiguousarray(probabilities[: len(self._language.symbols)], dtype=np.float32)
        labels = search(columns, self._language, self._weights, self._beam, self._candidates)
        return tuple(labels.tolist())


def align(labels: Sequence[int], probabilities: Probabilities) -> list[Label]:
    """Place labels on the steps by the most probable alignment (Viterbi); certainty is the surest step's."""
    if not labels:
        return []
    columns = np.ascontiguousarray(probabilities, dtype=np.float32)
    steps = spans(np.array(labels, dtype=np.int64), columns)
    return [
        Label(label, first, last, float(columns[label, first : last + 1].max()))
        for label, (first, last) in zip(labels, steps.tolist(), strict=True)
        if first >= 0
    ]


def _language(tables: LanguageTables, codec: Any, user_words: Trie) -> Language:  # noqa: ANN401  # as above
    """Return a language model as the search uses it, by the labels of a network's codec."""
    language = tables.model
    characters: dict[int, str] = codec.l2c_single
    symbols = np.full(max(characters, default=0) + 1, -1, dtype=np.int64)
    shares = np.zeros(len(symbols))
    for label, character in characters.items():
        symbols[label] = language.symbols.get(character, 0)
        shares[label] = language.shares.get(character, 0.0)
    marks = np.zeros(MAX_SYMBOLS + 1, dtype=np.bool_)
    marks[list(language.marks)] = True
    return Language(
        tables.words,
        tables.running,
        language.words.order,
        language.running.order,
        language.spelling.astype(np.float64),
        symbols,
        shares,
        marks,
        language.symbols[" "],
        user_words,
    )


def _weights(settings: SearchSettings) -> Weights:
    """Return the settings as the search uses them."""
    return Weights(
        settings.weight,
        settings.bonus,
        _log(settings.running_share),
        _log(1 - settings.running_share),
        _log(settings.unknown_share),
        _log(1 - settings.unknown_share),
        settings.width,
        settings.min_probability,
    )


def _log(share: float) -> float:
    """Return the logarithm of a share; one of zero is impossible."""
    return math.log(share) if share > 0 else NEVER
