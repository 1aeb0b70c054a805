"""The child process that trains; `fit_runner` starts it and `fit_messages` describes what they exchange."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ketav_common import faults
from ketav_common.child_main import Channel, run
from ketav_common.error_rates import edits
from ketav_common.stages import record_stages, stage
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
from ketav_trainer.fit_messages import BASE, CANDIDATE, PARENT, FitConfig, to_config
from ketav_trainer.gate import LineErrors, cer, is_proved_worse, judge, largest_general_cer

_NICENESS: Final = 10
"""Niceness of a training: the readers of the same machine go first."""
_FEW_LINES: Final = 64
"""Held-out lines below which new training lines are cross-validated as well."""
_CLEAR_LINES: Final = 8
"""Held-out lines from which they alone may decide, at the probability `_CLEAR_PROBABILITY`."""
_CLEAR_PROBABILITY: Final = 0.99
"""Probability of being better at which few held-out lines decide without folds."""
_FOLDS: Final = 2
"""Parts of the cross-validation: each costs a fit, and the user waits."""
_BLEND_SHARES: Final = (0.75, 0.5, 0.25)
"""Shares of the way from the parent that are tried in turn where a candidate forgets too much."""
_FOLD_EFFORT: Final = 0.6
"""Share of a fit's epochs that a fold gets."""


class SpoiltModelError(EngineError):
    """The training made a model that cannot be used. Start the training again."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A training line as cross-validation needs it."""

    index: int
    """Index among the training lines."""
    page_key: str
    """Hex digest of the image that the line is on."""
    trained: bool
    """Whether the parent was trained on it, or a model that the parent comes from."""


@dataclass(frozen=True, slots=True)
class _Blended:
    """A candidate that forgets as little as blending can reach."""

    candidate: Model
    general: list[LineErrors]
    """The errors of parent and candidate on the general set."""
    general_limit: float
    """The largest CER that the candidate may have there."""


class FitProcess:
    """One training over a prepared directory."""

    def __init__(self, config: FitConfig, channel: Channel) -> None:
        """Take the configuration and the channel that the events go to."""
        self._config = config
        self._channel = channel
        self._engine: Engine = make_engine(config.engine, config.language, config.device)
        self._replay: list[TrainingLine] = []
        self._sources: list[_Source] = []
        self._options = FitOptions(seed=config.seed, epochs=config.epochs)

    def run(self) -> None:
        """Fit, measure parent and candidate on the held-out lines, and report."""
        with self._stage("prepare"):
            content = (self._config.directory / PARENT).read_bytes()
            parent = self._engine.load_model(content, self._config.parent_sha256)
            height = parent.info.height
            training, holdout = self._lines(height)
            self._replay = _load_shipped_lines(self._config.replay, height)
        with self._stage("fit"):
            result = self._fit(parent, training, holdout)
        self._candidate_file.write_bytes(result.content)
        self._report("evaluating")
        faults.reached("in-evaluation")
        with self._stage("evaluate"):
            blended = self._blend(parent, _load_shipped_lines(self._config.general, height))
            errors = self._errors(parent, blended.candidate, holdout)
        # Cross-validation measures other models than the candidate, so it is used only if the candidate's own
        # held-out lines decide nothing.
        few = len(holdout) < _FEW_LINES and not _is_clear(errors) and not is_proved_worse(errors)
        folds: list[LineErrors] = []
        if few:
            with self._stage("cross_validate"):
                folds = self._cross_validate(parent, training)
        self._report(
            "done",
            errors=_triples(errors),
            folds=_triples(folds),
            general=_triples(blended.general),
            general_limit=blended.general_limit,
            skipped=result.skipped,
            sha256=hashlib.sha256(self._candidate_file.read_bytes()).hexdigest(),
        )

    @property
    def _candidate_file(self) -> Path:
        """Path of the candidate's file."""
        return self._config.directory / CANDIDATE

    def _fit(
        self, parent: Model, training: Sequence[TrainingLine], holdout: Sequence[TrainingLine]
    ) -> FitResult:
        """Fit from the checkpoint of an earlier attempt, or from the start where it is missing or damaged."""
        checkpoint = self._config.checkpoint
        options = replace(self._options, checkpoint=str(checkpoint))
        try:
            return self._engine.fit(parent, training, holdout, self._replay, options, self._on_progress)
        except (UnusableModelError, ValueError):
            if not checkpoint.exists():
                raise
            checkpoint.unlink()
            return self._engine.fit(parent, training, holdout, self._replay, options, self._on_progress)

    def _blend(self, parent: Model, general: Sequence[TrainingLine]) -> _Blended:
        """Return the candidate of the candidate's file, and its errors on the general set.

        Where it forgets too much there, a blend with the parent replaces it, also in the file.
        """
        tuned = candidate = self._load(self._candidate_file.read_bytes())
        parent_edits = self._edits(parent, general)
        errors = _paired(general, parent_edits, self._edits(candidate, general))
        limit = largest_general_cer(cer(errors, serving=True), self._base_cer())
        for share in _BLEND_SHARES:
            if cer(errors, serving=False) <= limit:
                break
            content = self._engine.blend(parent, tuned, share)
            self._candidate_file.write_bytes(content)
            candidate = self._load(content)
            errors = _paired(general, parent_edits, self._edits(candidate, general))
        return _Blended(candidate, errors, limit)

    def _base_cer(self) -> float | None:
        """Return the CER of the base model on the general set; None if it is the parent, or without a set."""
        if self._config.base_sha256 is None or self._config.general is None:
            return None
        content = (self._config.directory / BASE).read_bytes()
        base = self._engine.load_model(content, self._config.base_sha256)
        general = _load_shipped_lines(self._config.general, base.info.height)
        base_edits = self._edits(base, general)
        return cer(_paired(general, base_edits, base_edits), serving=True)

    def _cross_validate(self, parent: Model, training: Sequence[TrainingLine]) -> list[LineErrors]:
        """Measure each new training line with a model that was fitted without the line's page.

        New are lines that did not train the parent: it may know the others by heart. The fitted model
        understates the gain, for it is trained on fewer lines, for fewer epochs, without replay.
        """
        errors: list[LineErrors] = []
        options = replace(self._options, effort=_FOLD_EFFORT)
        new = [source for source in self._sources if not source.trained]
        folds = _folds([source.page_key for source in new])
        for fold in range(_FOLDS if len(set(folds)) > 1 else 0):
            left_out = {source.index for source, own in zip(new, folds, strict=True) if own == fold}
            rest = [line for index, line in enumerate(training) if index not in left_out]
            result = self._engine.fit(parent, rest, [], [], options, lambda _: True)
            measured = [training[index] for index in sorted(left_out)]
            errors += self._errors(parent, self._load(result.content), measured)
        return errors

    def _lines(self, height: int) -> tuple[list[TrainingLine], list[TrainingLine]]:
        """Cut every line as reading does; return the training lines and the held-out lines."""
        training: list[TrainingLine] = []
        holdout: list[TrainingLine] = []
        for page in self._config.pages:
            content = (self._config.directory / page.image).read_bytes()
            image, page_key = decode(content), hashlib.sha256(content).hexdigest()
            outlines = [
                FoundLine(order, line.baseline, line.boundary) for order, line in enumerate(page.lines)
            ]
            crops = self._engine.cut_lines(image, outlines, height)
            for line, crop in zip(page.lines, crops, strict=True):
                if line.holdout:
                    holdout.append(TrainingLine(crop, line.text))
                    continue
                self._sources.append(_Source(len(training), page_key, line.trained))
                training.append(TrainingLine(crop, line.text))
        return training, holdout

    def _load(self, content: bytes) -> Model:
        """Load a model that the training made, as the recognizer will; raises SpoiltModelError."""
        try:
            return self._engine.load_model(content, hashlib.sha256(content).hexdigest())
        except UnusableModelError as error:
            raise SpoiltModelError from error

    def _errors(self, parent: Model, candidate: Model, lines: Sequence[TrainingLine]) -> list[LineErrors]:
        """Return the errors of both models on each line."""
        return _paired(lines, self._edits(parent, lines), self._edits(candidate, lines))

    def _edits(self, model: Model, lines: Sequence[TrainingLine]) -> list[int]:
        """Return the edits between each line's text and the text that a model reads."""
        readings = self._engine.read_lines([line.image for line in lines], model)
        return [edits(line.text, reading.text) for line, reading in zip(lines, readings, strict=True)]

    def _on_progress(self, progress: FitProgress) -> bool:
        """Report an epoch; the worker kills this process when it must end."""
        self._report(
            "epoch",
            epoch=progress.epoch,
            epochs=progress.epochs,
            loss=progress.loss,
            before=progress.before,
            cer=progress.cer,
        )
        return True

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Measure the block as a stage of the attempt, and report its time to the worker."""
        with record_stages() as times, stage(name):
            yield
        time = times[name]
        self._report(
            "stage", stage=name, start_ns=time.start_ns, duration_ns=time.duration_ns, pid=os.getpid()
        )

    def _report(self, event: str, **fields: object) -> None:
        """Send an event to the worker."""
        self._channel.send({"event": event} | fields)


def _load_shipped_lines(path: Path | None, height: int) -> list[TrainingLine]:
    """Return shipped lines of other writers at a height in pixels, none where no file is set."""
    return read_lines(path, height) if path else []


def _folds(page_keys: Sequence[str]) -> list[int]:
    """Return each line's fold: lines of one page share a fold, except where all lines are of one page."""
    keys = sorted(set(page_keys))
    if len(keys) < _FOLDS:
        return [index % _FOLDS for index in range(len(page_keys))]
    return [keys.index(key) % _FOLDS for key in page_keys]


def _paired(
    lines: Sequence[TrainingLine], parent_edits: Sequence[int], candidate_edits: Sequence[int]
) -> list[LineErrors]:
    """Return each line's length with the edits of both models."""
    return [
        LineErrors(len(line.text), parent, candidate)
        for line, parent, candidate in zip(lines, parent_edits, candidate_edits, strict=True)
    ]


def _is_clear(errors: Sequence[LineErrors]) -> bool:
    """Return whether few held-out lines alone prove an improvement, so that no fold needs to be fitted."""
    verdict = judge(errors, min_probability=_CLEAR_PROBABILITY)
    return len(errors) >= _CLEAR_LINES and verdict.promote


def _triples(errors: Sequence[LineErrors]) -> list[tuple[int, int, int]]:
    """Encode lines' errors: length, edits of the parent, edits of the candidate."""
    return [(line.length, line.serving, line.candidate) for line in errors]


def serve(channel: Channel) -> None:
    """Train as the worker configured; an unusable model, image or set of lines is the last event `failed`."""
    try:
        FitProcess(to_config(channel.setup), channel).run()
    except (EngineError, ValueError) as error:
        channel.send({"event": "failed", "kind": type(error).__name__})


if __name__ == "__main__":
    run(serve, niceness=_NICENESS)
