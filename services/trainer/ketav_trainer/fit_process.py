"""The training itself, in a process of its own: `python -m ketav_trainer.fit_process DIRECTORY`.

Reads `run.json`, the parent model and the pages' images from the directory, writes `candidate.safetensors`
there, and reports JSON lines on standard output: {"event": "epoch" | "evaluating" | "done" | "failed", …}.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from ketav_common import faults
from ketav_common.metrics import edits
from ketav_common.processes import OUT_OF_MEMORY, confine, end_with_parent, give_way, is_out_of_memory
from ketav_engine.domain import (
    Engine,
    EngineError,
    FitOptions,
    FitProgress,
    FitResult,
    FoundLine,
    Model,
    TrainingLine,
    UnusableModelError,
)
from ketav_engine.engines import make_engine
from ketav_engine.images import decode
from ketav_engine.training.replay import read as read_lines
from ketav_trainer.child import CANDIDATE, PARENT, RUN
from ketav_trainer.gate import LineErrors, forgets, judge, refuted

_NICENESS: Final = 10
_FEW_LINES: Final = 20
"""Held-out lines below which the training lines are cross-validated as well."""
_SPEAKING_LINES: Final = 8
_NO_DOUBT: Final = 0.99
"""Held-out lines, and probability of being better, at which few lines alone are believed."""
_FOLDS: Final = 2
"""Each fold costs a fit, and the user waits."""
_NEARER: Final = (0.75, 0.5, 0.25)
"""Shares of the way from the parent tried in turn where a candidate forgets too much of other hands."""
_FOLD_EFFORT: Final = 0.6
"""Share of a fit's epochs that a fold gets."""


class SpoiltModelError(EngineError):
    """The training made a model that cannot be used."""


class FitProcess:
    """One training over a prepared directory."""

    def __init__(self, directory: Path, reports: IO[str]) -> None:
        """Take the run's private directory and where reports go, one JSON object a line."""
        self._directory = directory
        self._reports = reports
        self._run: dict[str, Any] = json.loads((directory / RUN).read_text("utf-8"))
        self._replay: list[TrainingLine] = []
        self._sheets: list[str] = []
        self._options = FitOptions(seed=self._run["seed"], epochs=self._run["epochs"])

    def run(self) -> None:
        """Fit, measure both models on the held-out lines, and report."""
        language = self._run.get("language")
        engine = make_engine(self._run["engine"], Path(language) if language else None)
        parent = engine.load_model((self._directory / PARENT).read_bytes(), self._run["parent_sha256"])
        training, holdout = self._lines(engine, parent.info.height)
        self._replay = self._shipped("replay", parent.info.height)
        result = self._fit(engine, parent, training, holdout)
        (self._directory / CANDIDATE).write_bytes(result.content)
        self._report("evaluating")
        faults.reached("in-evaluation")
        others = self._shipped("general", parent.info.height)
        content, candidate, general = self._remembering(engine, parent, others)
        errors = self._errors(engine, parent, candidate, holdout)
        # Folds measure how such trainings turn out; they must not outvote what this candidate reads itself.
        few = len(holdout) < _FEW_LINES and not _is_plain(errors) and not refuted(_lines(errors))
        folds = self._cross_validated(engine, parent, training) if few else []
        digest = hashlib.sha256(content).hexdigest()
        self._report(
            "done", errors=errors, folds=folds, general=general, skipped=result.skipped, sha256=digest
        )

    def _fit(
        self, engine: Engine, parent: Model, training: Sequence[TrainingLine], holdout: Sequence[TrainingLine]
    ) -> FitResult:
        """Fit from the checkpoint of an earlier attempt, or from the start where it is missing or damaged."""
        checkpoint = Path(self._run["checkpoint"])
        options = replace(self._options, checkpoint=str(checkpoint))
        try:
            return engine.fit(parent, training, holdout, self._replay, options, self._on_progress)
        except (UnusableModelError, ValueError):
            if not checkpoint.exists():
                raise
            checkpoint.unlink()
            return engine.fit(parent, training, holdout, self._replay, options, self._on_progress)

    def _remembering(
        self, engine: Engine, parent: Model, others: Sequence[TrainingLine]
    ) -> tuple[bytes, Model, list[tuple[int, int, int]]]:
        """Return what lies on the disk, which will serve, and how it reads other hands.

        Where it forgets too much of those, what is nearer to the parent takes its place.
        """
        content = (self._directory / CANDIDATE).read_bytes()
        tuned = candidate = self._candidate(engine, content)
        known = self._edits(engine, parent, others)
        errors = _paired(others, known, self._edits(engine, candidate, others))
        for share in _NEARER:
            if not forgets(_lines(errors)):
                break
            content = engine.blend(parent, tuned, share)
            (self._directory / CANDIDATE).write_bytes(content)
            candidate = self._candidate(engine, content)
            errors = _paired(others, known, self._edits(engine, candidate, others))
        return content, candidate, errors

    def _cross_validated(
        self, engine: Engine, parent: Model, training: Sequence[TrainingLine]
    ) -> list[tuple[int, int, int]]:
        """Measure each training line with a model that was fitted without its sheet.

        Such a model learns from half the lines, fewer epochs and no replay: it rather understates the gain.
        So does a parent that was itself fitted on these lines: it reads them better than new ones.
        """
        errors = []
        options = replace(self._options, effort=_FOLD_EFFORT)
        folds = _folds(self._sheets)
        for fold in range(_FOLDS if len(set(folds)) > 1 else 0):
            rest, left_out = (
                [line for line, own in zip(training, folds, strict=True) if (own == fold) == out]
                for out in (False, True)
            )
            result = engine.fit(parent, rest, [], [], options, lambda _: True)
            without = self._candidate(engine, result.content)
            errors += self._errors(engine, parent, without, left_out)
        return errors

    def _shipped(self, name: str, height: int) -> list[TrainingLine]:
        """Return shipped lines of other hands at the model's height, none where they are not set."""
        path = self._run.get(name)
        return read_lines(Path(path), height) if path else []

    def _lines(self, engine: Engine, height: int) -> tuple[list[TrainingLine], list[TrainingLine]]:
        """Cut every line as reading would see it; return those that train and those held out."""
        sides: tuple[list[TrainingLine], list[TrainingLine]] = ([], [])
        for page in self._run["pages"]:
            content = (self._directory / page["image"]).read_bytes()
            image, sheet = decode(content), hashlib.sha256(content).hexdigest()
            found = [
                FoundLine(order, tuple(map(tuple, line["baseline"])), tuple(map(tuple, line["boundary"])))
                for order, line in enumerate(page["lines"])
            ]
            for line, cut in zip(page["lines"], engine.cut_lines(image, found, height), strict=True):
                sides[line["holdout"]].append(TrainingLine(cut, line["text"]))
                self._sheets += [] if line["holdout"] else [sheet]
        return sides

    def _candidate(self, engine: Engine, content: bytes) -> Model:
        """Load what was made as the recognizer will."""
        try:
            return engine.load_model(content, hashlib.sha256(content).hexdigest())
        except UnusableModelError as error:
            raise SpoiltModelError("the model that was made cannot be loaded") from error

    def _errors(
        self, engine: Engine, parent: Model, candidate: Model, holdout: Sequence[TrainingLine]
    ) -> list[tuple[int, int, int]]:
        """Return for each line its length and the edits of the parent and of the candidate."""
        before, after = (self._edits(engine, model, holdout) for model in (parent, candidate))
        return _paired(holdout, before, after)

    @staticmethod
    def _edits(engine: Engine, model: Model, lines: Sequence[TrainingLine]) -> list[int]:
        """Return the edits between each line's text and what a model reads."""
        readings = engine.read_lines([line.image for line in lines], model)
        return [edits(line.text, reading.text) for line, reading in zip(lines, readings, strict=True)]

    def _on_progress(self, progress: FitProgress) -> bool:
        """Report an epoch; the worker kills this process when it is to end."""
        self._report(
            "epoch",
            epoch=progress.epoch,
            epochs=progress.epochs,
            loss=progress.loss,
            before=progress.before,
            cer=progress.cer,
        )
        return True

    def _report(self, event: str, **fields: object) -> None:
        """Write one JSON line."""
        print(json.dumps({"event": event} | fields), file=self._reports, flush=True)


def _folds(sheets: Sequence[str]) -> list[int]:
    """Return each line's fold: lines of one image stay together, but for lines that are all of one."""
    names = sorted(set(sheets))
    if len(names) < _FOLDS:
        return [place % _FOLDS for place in range(len(sheets))]
    return [names.index(sheet) % _FOLDS for sheet in sheets]


def _paired(
    lines: Sequence[TrainingLine], before: Sequence[int], after: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return each line's length with the edits of two models."""
    return [(len(line.text), first, second) for line, first, second in zip(lines, before, after, strict=True)]


def _is_plain(errors: Sequence[tuple[int, int, int]]) -> bool:
    """Tell whether few held-out lines alone leave no doubt, so that no fold needs to be fitted."""
    verdict = judge(_lines(errors), enough=_NO_DOUBT)
    return len(errors) >= _SPEAKING_LINES and verdict.promote


def _lines(errors: Sequence[tuple[int, int, int]]) -> list[LineErrors]:
    """Name the figures of measured lines."""
    return [LineErrors(*line) for line in errors]


def main() -> None:
    """Train on the directory named on the command line."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not mix with the reports
    give_way(_NICENESS)
    end_with_parent()
    directory = Path(sys.argv[1])
    confine(int(json.loads((directory / RUN).read_text("utf-8"))["memory_bytes"]))
    try:
        FitProcess(directory, reports).run()
    except (EngineError, ValueError) as error:
        print(json.dumps({"event": "failed", "kind": type(error).__name__}), file=reports, flush=True)
    except Exception as error:
        if is_out_of_memory(error):
            os._exit(OUT_OF_MEMORY)
        raise


if __name__ == "__main__":
    main()
