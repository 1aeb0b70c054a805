"""The fits besides the candidate's own: models of folds, which only measure, and the completion.

A completion trains an accepted candidate further, on the held-out lines too (docs/decisions/0020).
"""

import hashlib
import math
from dataclasses import dataclass, replace
from typing import Final

from ketav_engine.domain import (
    Engine,
    EngineError,
    FitOptions,
    FitResult,
    Model,
    TrainingLine,
    UnusableModelError,
)
from ketav_trainer.fit_lines import FitLines, folds_of
from ketav_trainer.fit_measurements import Measurements
from ketav_trainer.gate import LineErrors, cer

_FOLDS: Final = 2
"""Parts of the cross-validation: each costs a fit, and the user waits."""
_FOLD_EFFORT: Final = 0.6
"""Share of a fit's epochs that a fold gets."""
_COMPLETION_EFFORTS: Final = ((32, 0.5), (math.inf, 0.3))
"""Share of a fit's epochs in which an accepted candidate learns the held-out lines as well, by the number of
lines up to which it counts (docs/reports/training.md)."""


class SpoiltModelError(EngineError):
    """The training made a model that cannot be used. Start the training again."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An accepted candidate that has learnt the held-out lines too."""

    result: FitResult
    general: list[LineErrors]
    """The errors of the model that the candidate has beaten, and of the completed one, on the general set."""


class FurtherFits:
    """Fits models on the lines of one training, and measures them."""

    def __init__(
        self, engine: Engine, lines: FitLines, measurements: Measurements, options: FitOptions
    ) -> None:
        """Take what the candidate is fitted and measured with."""
        self._engine = engine
        self._lines = lines
        self._measurements = measurements
        self._options = options

    def load(self, content: bytes) -> Model:
        """Load a model that the training made, as the recognizer will; raises SpoiltModelError."""
        try:
            model = self._engine.load_model(content, hashlib.sha256(content).hexdigest())
        except UnusableModelError as error:
            raise SpoiltModelError from error
        self._measurements.add_signs(model)
        return model

    def cross_validate(self, parent: Model, reference: Model) -> list[LineErrors]:
        """Measure each new training line with a model that was fitted without the line's page.

        New are lines that did not train the reference: it may know the others by heart. The held-out lines
        train this model, which never serves. It understates the gain, for it is trained on fewer lines, for
        fewer epochs, without replay.
        """
        errors: list[LineErrors] = []
        options = replace(self._options, effort=_FOLD_EFFORT)
        lines, known = self._lines.at(parent.info.height), self._lines.at(reference.info.height)
        new = [source for source in lines.sources if not source.trained]
        folds = folds_of([source.page_key for source in new], _FOLDS)
        for fold in range(_FOLDS if len(set(folds)) > 1 else 0):
            left_out = sorted(source.index for source, own in zip(new, folds, strict=True) if own == fold)
            rest = [line for index, line in enumerate(lines.training) if index not in set(left_out)]
            rest += lines.holdout
            result = self._engine.fit(parent, rest, [], [], options, lambda _: True)
            before = self._measurements.read(reference, [known.training[index] for index in left_out])
            measured = [lines.training[index] for index in left_out]
            after = self._measurements.read(self.load(result.content), measured)
            errors += self._measurements.compared(measured, before, after)
        return errors

    def complete(
        self, reference: Model, candidate: Model, replay: list[TrainingLine], general_limit: float
    ) -> Completion | None:
        """Train an accepted candidate further on all lines: the held-out ones have measured it.

        `reference` is the model that it has beaten. None, and the candidate stays as it was measured, where
        no line was held out, where the completed model reads these lines worse than the candidate, or where
        its CER on the general set is above `general_limit`.
        """
        lines = self._lines.at(candidate.info.height)
        if not lines.holdout:
            return None
        every_line = [*lines.training, *lines.holdout]
        effort = next(share for count, share in _COMPLETION_EFFORTS if len(every_line) <= count)
        epochs = self._options.epochs and max(1, round(effort * self._options.epochs))
        options = replace(self._options, epochs=epochs, effort=effort)
        result = self._engine.fit(candidate, every_line, [], replay, options, lambda _: True)
        completed = self.load(result.content)
        held_out = self._measurements.errors(candidate, completed, "holdout")
        general = self._measurements.errors(reference, completed, "general")
        if cer(held_out, serving=False) > cer(held_out, serving=True):
            return None
        return Completion(result, general) if cer(general, serving=False) <= general_limit else None
