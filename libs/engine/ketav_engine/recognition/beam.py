"""CTC prefix beam search with a character language model.

Hannun et al., First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs,
2014, algorithm 1, with characters in place of words: a text's score is
log p_ctc + weight * log p_lm + bonus * length.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.recognition.decode import Label, Probabilities
from ketav_engine.recognition.ngram import Ngram

_IMPOSSIBLE: Final = -math.inf
"""Logarithm of probability 0."""
_CERTAIN_BLANK: Final = 0.9995
"""Probability of a blank above which a step extends no prefix, which saves time."""
_MIN_PROBABILITY: Final = 1e-12
"""Probabilities are raised to this before their logarithm is taken."""

Prefix = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """The width of the search and the weights of the language model."""

    weight: float
    """Share of the language model's logarithm."""
    bonus: float
    """Added for each character, against the language model's preference for short texts."""
    width: int = 8
    """Prefixes that remain after each step."""
    min_probability: float = 5e-3
    """Labels less probable than this at a step do not extend prefixes."""


@dataclass(slots=True)
class _Entry:
    """The logarithms of a prefix's probabilities and its state in the language model."""

    blank: float
    """All alignments that end in a blank."""
    label: float
    """All alignments that end in the prefix's last label."""
    language: float
    """Logarithm of the prefix's probability in the language model."""
    context: int
    """The language model's packed context."""

    @property
    def acoustic(self) -> float:
        """Return the logarithm of all alignments."""
        return _add(self.blank, self.label)


class BeamDecoder:
    """Decodes one model's outputs; implements `Decoder`."""

    def __init__(self, language: Ngram, codec: Any, options: BeamOptions | None = None) -> None:  # noqa: ANN401
        """Take the language model, the network's codec, and options that replace the language model's."""
        self._language = language
        self._options = options or BeamOptions(language.weight, language.bonus)
        self._symbols: Mapping[int, int] = {
            label: language.symbols.get(character, 0) for label, character in codec.l2c_single.items()
        }

    def __call__(self, probabilities: Probabilities) -> list[Label]:
        """Return the labels of the best text with the steps and confidences that the network gives them."""
        return align(self.search(probabilities), probabilities)

    def search(self, probabilities: Probabilities) -> Prefix:
        """Return the labels of the best text."""
        beam: dict[Prefix, _Entry] = {(): _Entry(0.0, _IMPOSSIBLE, 0.0, self._language.start())}
        logs = np.log(np.maximum(probabilities, _MIN_PROBABILITY))
        for step in range(logs.shape[1]):
            column = probabilities[:, step]
            if column[0] > _CERTAIN_BLANK:
                for entry in beam.values():
                    entry.blank, entry.label = entry.acoustic + float(logs[0, step]), _IMPOSSIBLE
                continue
            beam = self._prune(self._advance(beam, column, logs[:, step]))
        return max(beam, key=lambda prefix: self._score(prefix, beam[prefix]))

    def _advance(
        self, beam: dict[Prefix, _Entry], column: NDArray[np.float32], logs: NDArray[np.float32]
    ) -> dict[Prefix, _Entry]:
        """Extend every prefix by every probable label, by a repeat of its last, and by a blank."""
        following: dict[Prefix, _Entry] = {}
        labels = np.flatnonzero(column >= self._options.min_probability)
        probable = [(int(label), float(logs[label])) for label in labels if label != 0]
        blank = float(logs[0])
        for prefix, entry in beam.items():
            total = entry.acoustic
            same = following.setdefault(
                prefix, _Entry(_IMPOSSIBLE, _IMPOSSIBLE, entry.language, entry.context)
            )
            same.blank = _add(same.blank, total + blank)
            last = prefix[-1] if prefix else 0
            if last:
                same.label = _add(same.label, entry.label + float(logs[last]))
            for label, log in probable:
                source = entry.blank if label == last else total
                if source > _IMPOSSIBLE and label in self._symbols:
                    longer = self._longer(following, prefix, entry, label)
                    longer.label = _add(longer.label, source + log)
        return following

    def _longer(self, following: dict[Prefix, _Entry], prefix: Prefix, entry: _Entry, label: int) -> _Entry:
        """Return the entry of a prefix with one more label; the language model scores it once."""
        longer = (*prefix, label)
        known = following.get(longer)
        if known is None:
            symbol = self._symbols[label]
            language = entry.language + self._language.score(entry.context, symbol)
            known = _Entry(_IMPOSSIBLE, _IMPOSSIBLE, language, self._language.extend(entry.context, symbol))
            following[longer] = known
        return known

    def _score(self, prefix: Prefix, entry: _Entry) -> float:
        """Return the score of the module's docstring."""
        return entry.acoustic + self._options.weight * entry.language + self._options.bonus * len(prefix)

    def _prune(self, beam: dict[Prefix, _Entry]) -> dict[Prefix, _Entry]:
        """Return the prefixes with the best scores, `width` of them."""
        if len(beam) <= self._options.width:
            return beam
        best = sorted(beam, key=lambda prefix: self._score(prefix, beam[prefix]), reverse=True)
        return {prefix: beam[prefix] for prefix in best[: self._options.width]}


def align(labels: Sequence[int], probabilities: Probabilities) -> list[Label]:
    """Return labels with their steps by the most probable alignment (Viterbi).

    The confidence of a label is its greatest probability in one of its steps.
    """
    if not labels:
        return []
    spans = _spans(_best_path(labels, probabilities))
    return [
        Label(label, *spans[index], float(probabilities[label, spans[index][0] : spans[index][1] + 1].max()))
        for index, label in enumerate(labels)
        if index in spans
    ]


def _best_path(labels: Sequence[int], probabilities: Probabilities) -> list[int]:
    """Return the state of each step on the most probable path: odd states are labels, even ones blanks."""
    states = [0] * (2 * len(labels) + 1)
    states[1::2] = labels
    logs = np.log(np.maximum(probabilities[states], _MIN_PROBABILITY))
    skip = np.array(
        [index >= 2 and states[index] not in (0, states[index - 2]) for index in range(len(states))]
    )
    score = np.full(len(states), _IMPOSSIBLE)
    score[:2] = logs[:2, 0]
    back = np.zeros(logs.shape, dtype=np.int8)
    for step in range(1, logs.shape[1]):
        one = np.concatenate([[_IMPOSSIBLE], score[:-1]])
        two = np.where(skip, np.concatenate([[_IMPOSSIBLE, _IMPOSSIBLE], score[:-2]]), _IMPOSSIBLE)
        choices = np.stack([score, one, two])
        back[:, step] = choices.argmax(axis=0)
        score = choices.max(axis=0) + logs[:, step]
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    path: list[int] = []
    for step in range(logs.shape[1] - 1, -1, -1):
        path.append(state)
        state -= int(back[state, step])
    return path[::-1]


def _spans(path: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return the first and the last step of each label on a path, by the label's index."""
    spans: dict[int, tuple[int, int]] = {}
    for step, state in enumerate(path):
        if state % 2:
            first, _ = spans.get(state // 2, (step, step))
            spans[state // 2] = (first, step)
    return spans


def _add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _IMPOSSIBLE else a + math.log1p(math.exp(b - a))
