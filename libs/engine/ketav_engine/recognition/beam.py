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

_NEVER: Final = -math.inf
_SURE: Final = 0.9995

Prefix = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """How wide to search and how much to trust the language."""

    weight: float
    """Share of the language model's logarithm."""
    bonus: float
    """Added for each character, against the language model's preference for short texts."""
    width: int = 8
    """Prefixes kept after each step."""
    least: float = 5e-3
    """Labels less likely than this at a step do not extend prefixes."""


@dataclass(slots=True)
class _Entry:
    """A prefix's probabilities (logarithms) and its standing with the language model."""

    blank: float
    """All alignments that end in a blank."""
    label: float
    """All alignments that end in the prefix's last label."""
    language: float
    context: int
    """The language model's, packed."""

    @property
    def acoustic(self) -> float:
        """Return the logarithm of all alignments."""
        return _add(self.blank, self.label)


class BeamDecoder:
    """Decodes one model's outputs; implements `Decoder`."""

    def __init__(self, language: Ngram, codec: Any, options: BeamOptions | None = None) -> None:  # noqa: ANN401
        """Take the language model, the network's codec, and weights in place of those the model came with."""
        self._language = language
        self._options = options or BeamOptions(language.weight, language.bonus)
        self._symbols: Mapping[int, int] = {
            label: language.symbols.get(character, 0) for label, character in codec.l2c_single.items()
        }

    def __call__(self, probabilities: Probabilities) -> list[Label]:
        """Return the best text's labels with the steps and certainty the network gives them."""
        return align(self.search(probabilities), probabilities)

    def search(self, probabilities: Probabilities) -> Prefix:
        """Return the labels of the best text found."""
        beam: dict[Prefix, _Entry] = {(): _Entry(0.0, _NEVER, 0.0, self._language.start())}
        logs = np.log(np.maximum(probabilities, 1e-12))
        for step in range(logs.shape[1]):
            column = probabilities[:, step]
            if column[0] > _SURE:
                for entry in beam.values():
                    entry.blank, entry.label = entry.acoustic + float(logs[0, step]), _NEVER
                continue
            beam = self._prune(self._advance(beam, column, logs[:, step]))
        return max(beam, key=lambda prefix: self._score(prefix, beam[prefix]))

    def _advance(
        self, beam: dict[Prefix, _Entry], column: NDArray[np.float32], logs: NDArray[np.float32]
    ) -> dict[Prefix, _Entry]:
        """Extend every prefix by every likely label, by a repeat of its last, and by a blank."""
        following: dict[Prefix, _Entry] = {}
        likely = [int(label) for label in np.flatnonzero(column >= self._options.least) if label != 0]
        pairs = [(label, float(logs[label])) for label in likely]
        blank = float(logs[0])
        for prefix, entry in beam.items():
            total = entry.acoustic
            stay = following.setdefault(prefix, _Entry(_NEVER, _NEVER, entry.language, entry.context))
            stay.blank = _add(stay.blank, total + blank)
            last = prefix[-1] if prefix else 0
            if last:
                stay.label = _add(stay.label, entry.label + float(logs[last]))
            for label, log in pairs:
                source = entry.blank if label == last else total
                if source > _NEVER and label in self._symbols:
                    longer = self._longer(following, prefix, entry, label)
                    longer.label = _add(longer.label, source + log)
        return following

    def _longer(self, following: dict[Prefix, _Entry], prefix: Prefix, entry: _Entry, label: int) -> _Entry:
        """Return the entry of a prefix with one more label, asking the language model once."""
        longer = (*prefix, label)
        found = following.get(longer)
        if found is None:
            symbol = self._symbols[label]
            language = entry.language + self._language.score(entry.context, symbol)
            found = _Entry(_NEVER, _NEVER, language, self._language.extend(entry.context, symbol))
            following[longer] = found
        return found

    def _score(self, prefix: Prefix, entry: _Entry) -> float:
        """Weigh what was seen with what is likely to be written."""
        return entry.acoustic + self._options.weight * entry.language + self._options.bonus * len(prefix)

    def _prune(self, beam: dict[Prefix, _Entry]) -> dict[Prefix, _Entry]:
        """Keep the best prefixes."""
        if len(beam) <= self._options.width:
            return beam
        best = sorted(beam, key=lambda prefix: self._score(prefix, beam[prefix]), reverse=True)
        return {prefix: beam[prefix] for prefix in best[: self._options.width]}


def align(labels: Sequence[int], probabilities: Probabilities) -> list[Label]:
    """Place labels on the steps by the most probable alignment (Viterbi); certainty is the surest step's."""
    if not labels:
        return []
    states = [0] * (2 * len(labels) + 1)
    states[1::2] = labels
    logs = np.log(np.maximum(probabilities[states], 1e-12))
    skip = np.array(
        [place >= 2 and states[place] not in (0, states[place - 2]) for place in range(len(states))]
    )
    score = np.full(len(states), _NEVER)
    score[:2] = logs[:2, 0]
    back = np.zeros(logs.shape, dtype=np.int8)
    for step in range(1, logs.shape[1]):
        one = np.concatenate([[_NEVER], score[:-1]])
        two = np.where(skip, np.concatenate([[_NEVER, _NEVER], score[:-2]]), _NEVER)
        choices = np.stack([score, one, two])
        back[:, step] = choices.argmax(axis=0)
        score = choices.max(axis=0) + logs[:, step]
    place = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    spans: dict[int, tuple[int, int]] = {}
    for step in range(logs.shape[1] - 1, -1, -1):
        if place % 2:
            spans[place // 2] = (step, spans.get(place // 2, (step, step))[1])
        place -= int(back[place, step])
    return [
        Label(label, *spans[index], float(probabilities[label, spans[index][0] : spans[index][1] + 1].max()))
        for index, label in enumerate(labels)
        if index in spans
    ]


def _add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _NEVER else a + math.log1p(math.exp(b - a))
