"""The errors of models on the lines of a training, as the gate compares them."""

from collections.abc import Sequence
from typing import Literal

from ketav_common.error_rates import edits
from ketav_common.text import trained
from ketav_engine.domain import Engine, Model, TrainingLine
from ketav_trainer.fit_lines import FitLines
from ketav_trainer.gate import LineErrors

Kind = Literal["holdout", "general", "new"]
"""Lines that models are compared on: held out, of other writers, or those that trained none of them."""


class Measurements:
    """Reads lines with models, each list of lines once with each model, and compares what they read.

    Texts are compared in the signs of all models known by then, so that each model has the same texts.
    """

    def __init__(self, engine: Engine, lines: FitLines) -> None:
        """Take the engine that reads and the lines of the training."""
        self._engine = engine
        self._lines = lines
        self._readings: dict[tuple[str, tuple[int, ...]], list[str]] = {}
        self._signs: set[str] = set()

    def add_signs(self, model: Model) -> None:
        """Count the alphabet of a model of the training among the signs of the texts."""
        self._signs.update(model.info.alphabet)

    def errors(self, reference: Model, other: Model, kind: Kind) -> list[LineErrors]:
        """Return the errors of two models on lines of one kind, each line at the height of the model."""
        lines = self._of_kind(other, kind)
        before = self.read(reference, self._of_kind(reference, kind))
        return self.compared(lines, before, self.read(other, lines))

    def read(self, model: Model, lines: Sequence[TrainingLine]) -> list[str]:
        """Return the texts that a model reads.

        A list of lines is read once by each model: several comparisons need the errors of the reference.
        """
        key = (model.info.sha256, tuple(map(id, lines)))
        if key not in self._readings:
            readings = self._engine.read_lines([line.image for line in lines], model)
            self._readings[key] = [reading.text for reading in readings]
        return self._readings[key]

    def compared(
        self, lines: Sequence[TrainingLine], before: Sequence[str], after: Sequence[str]
    ) -> list[LineErrors]:
        """Return the length of each line's text in the signs of all models, and the edits of two readings."""
        texts = [trained(line.text, self._signs) for line in lines]
        return [
            LineErrors(len(text), edits(text, one), edits(text, other))
            for text, one, other in zip(texts, before, after, strict=True)
        ]

    def _of_kind(self, model: Model, kind: Kind) -> list[TrainingLine]:
        """Return the lines of one kind at the height of a model."""
        cut = self._lines.at(model.info.height)
        return {"holdout": cut.holdout, "general": cut.general, "new": cut.new}[kind]


def triples(errors: Sequence[LineErrors]) -> list[tuple[int, int, int]]:
    """Encode lines' errors: length, edits of the reference, edits of the candidate."""
    return [(line.length, line.serving, line.candidate) for line in errors]
