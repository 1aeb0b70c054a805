"""Handles the events of a training process: reports progress to the registry, collects the result."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ketav_common.stages import StageTime
from ketav_common.telemetry import report_stages
from ketav_trainer import metrics
from ketav_trainer.domain import INTERNAL_ERROR, FitFailedError, Progress
from ketav_trainer.gate import LineErrors

_FAILURES: Final = {
    "NothingToLearnError": "None of the corrected lines can be trained on. Correct more lines.",
    "UnusableModelError": "The model to start from cannot be used. Activate another version.",
    "SpoiltModelError": "The training made a model that cannot be used. Start the training again.",
    "UnusableImageError": "A page of the corrected lines cannot be read. Upload the page again.",
}
"""Sentences for the user by the type of the training process's error."""

Report = Callable[[Progress], Awaitable[None]]
"""Records progress with the registry."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """The result of a training process."""

    errors: list[LineErrors]
    """Of the held-out lines."""
    folds: list[LineErrors]
    """Of the training lines, cross-validated; empty where the held-out lines suffice."""
    general: list[LineErrors]
    """Of the general set; empty where there is none."""
    general_limit: float
    """The largest CER that the candidate may have on the general set."""
    own: list[LineErrors]
    """Of the serving model and that of the user's own hand, on new lines; empty without the latter."""
    own_is_reference: bool
    """Whether the candidate was compared with the model of the user's own hand."""
    skipped_lines: int
    """Training lines that could not be trained on."""
    words: int
    """Words of the user that the candidate's file holds."""
    completed: bool
    """Whether the candidate learnt the held-out lines after they had measured it."""
    sha256: str
    """Hex digest of the candidate's file."""


class TrainingEventHandler:
    """Handles the events of one training process."""

    def __init__(self, report: Report) -> None:
        """Take the function that records progress."""
        self._report = report
        self._result: FitResult | None = None
        self._failure = ""
        self.progress = Progress()
        """The progress that was reported last."""

    def result(self) -> FitResult:
        """Return the result after the last event; raises FitFailedError when the training failed."""
        if self._failure or self._result is None:
            raise FitFailedError(self._failure or "The training ended without a result. Try again later.")
        return self._result

    async def handle(self, event: dict[str, Any]) -> None:
        """Handle one event."""
        match event["event"]:
            case "epoch":
                self.progress = _progress(event)
                await self._report(self.progress)
            case "evaluating":
                self.progress = Progress("EVALUATING", self.progress.epoch, self.progress.epochs)
                await self._report(self.progress)
            case "done":
                self._result = FitResult(
                    errors=_line_errors(event["errors"]),
                    folds=_line_errors(event["folds"]),
                    general=_line_errors(event["general"]),
                    general_limit=float(event["general_limit"]),
                    own=_line_errors(event["own"]),
                    own_is_reference=bool(event["own_is_reference"]),
                    skipped_lines=int(event["skipped"]),
                    words=int(event["words"]),
                    completed=bool(event["completed"]),
                    sha256=str(event["sha256"]),
                )
            case "stage":
                time = StageTime(int(event["start_ns"]), int(event["duration_ns"]))
                report_stages(metrics.STAGE, {str(event["stage"]): time}, int(event["pid"]))
            case "failed":
                self._failure = _FAILURES.get(event["kind"], INTERNAL_ERROR)


def _line_errors(lines: Sequence[Sequence[int]]) -> list[LineErrors]:
    """Decode the errors of lines from the numbers of their fields."""
    return [LineErrors(*numbers) for numbers in lines]


def _progress(event: dict[str, Any]) -> Progress:
    """Decode an epoch's progress."""
    loss = float(event["loss"])
    return Progress(
        epoch=int(event["epoch"]),
        epochs=int(event["epochs"]),
        loss=loss if math.isfinite(loss) else None,
        cer_base=_at_most_one(event["before"]),
        cer_candidate=_at_most_one(event["cer"]),
    )


def _at_most_one(rate: float | None) -> float | None:
    """Return a CER clamped to 1: a model that writes more than there is errs everywhere."""
    return None if rate is None else min(1.0, rate)
