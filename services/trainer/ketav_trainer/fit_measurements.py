"""The errors of models on the lines of a training, as the gate compares them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final, Literal

from ketav_common.error_rates import edits
from ketav_common.text import trained
from ketav_engine.domain import Engine, Model, TrainingLine
from ketav_trainer.fit_lines import FitLines
from ketav_trainer.gate import LineErrors

MAX_COPIED_LINES: Final = 64
"""Lines up to which each is read in distorted copies too: with more lines the lines alone decide."""
_COPIES: Final = 3
"""Distorted copies of a line."""

Kind = Literal["holdout", "general", "new"]
"""Lines that models are compared on: held out, of other writers, or those that trained none of them."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts that a model reads of a line and of its distorted copies."""

    line: str
    copies: tuple[str, ...]


def read_texts(engine: Engine, model: Model, lines: Sequence[TrainingLine]) -> list[Texts]:
    """Read lines, and of few lines also the distorted copies, which are the same for each model."""
    originals = [line.image for line in lines]
    rounds = [originals]
    if len(lines) <= MAX_COPIED_LINES:
        rounds += [engine.vary_lines(originals, seed) for seed in range(_COPIES)]
    texts = [[reading.text for reading in engine.read_lines(images, model)] for images in rounds]
    return [Texts(own, tuple(copies)) for own, *copies in zip(*texts, strict=True)]


def compare(texts: Sequence[str], before: Sequence[Texts], after: Sequence[Texts]) -> list[LineErrors]:
    """Return the length of each true text, and the edits of the two readings of its line."""
    return [
        LineErrors(
            len(text),
            edits(text, one.line),
            edits(text, other.line),
            sum(edits(text, copy) for copy in one.copies),
            sum(edits(text, copy) for copy in other.copies),
        )
        for text, one, other in zip(texts, before, after, strict=True)
    ]


class Measurements:
    """Reads lines with models, each list of lines once with each model, and compares what they read.

    Texts are compared in the signs of all models known by then, so that each model has the same texts.
    """

    def __init__(self, engine: Engine, lines: FitLines) -> None:
        """Take the engine that reads and the lines of the training."""
        self._engine = engine
        self._lines = lines
        self._readings: dict[tuple[str, tuple[int, ...]], list[Texts]] = {}
        self._signs: set[str] = set()

    def add_signs(self, model: Model) -> None:
        """Count the alphabet of a model of the training among the signs of the texts."""
        self._signs.update(model.info.alphabet)

    def errors(self, reference: Model, other: Model, kind: Kind) -> list[LineErrors]:
        """Return the errors of two models on lines of one kind, each line at the height of the model."""
        lines = self._of_kind(other, kind)
        before = self.read(reference, self._of_kind(reference, kind))
        return self.compared(lines, before, self.read(other, lines))

    def read(self, model: Model, lines: Sequence[TrainingLine]) -> list[Texts]:
        """Return the texts that a model reads.

        A list of lines is read once by each model: several comparisons need the errors of the reference.
        """
        key = (model.info.sha256, tuple(map(id, lines)))
        if key not in self._readings:
            self._readings[key] = read_texts(self._engine, model, lines)
        return self._readings[key]

    def compared(
        self, lines: Sequence[TrainingLine], before: Sequence[Texts], after: Sequence[Texts]
    ) -> list[LineErrors]:
        """Return the length of each line's text in the signs of all models, and the edits of two readings."""
        return compare([trained(line.text, self._signs) for line in lines], before, after)

    def _of_kind(self, model: Model, kind: Kind) -> list[TrainingLine]:
        """Return the lines of one kind at the height of a model."""
        cut = self._lines.at(model.info.height)
        return {"holdout": cut.holdout, "general": cut.general, "new": cut.new}[kind]


def encode(errors: Sequence[LineErrors]) -> list[tuple[int, ...]]:
    """Encode the errors of lines as the numbers of their fields."""
    return [astuple(line) for line in errors]
