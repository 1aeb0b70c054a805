"""The child process that trains; `fit_runner` starts it and `fit_messages` describes what they exchange."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ketav_common import faults
from ketav_common.child_main import Channel, run
from ketav_common.stages import record_stages, stage
from ketav_engine.domain import (
    Engine,
    EngineError,
    FitOptions,
    FitProgress,
    FitResult,
    Model,
    TrainingLine,
    UnusableModelError,
)
from ketav_engine.engines import make_engine
from ketav_trainer.fit_lines import FitLines, shipped_lines
from ketav_trainer.fit_measurements import Measurements, encode
from ketav_trainer.fit_messages import (
    BASE,
    CANDIDATE,
    OWN,
    PARENT,
    SERVING,
    EngineConfig,
    FitConfig,
    to_config,
    to_engine_config,
)
from ketav_trainer.further_fits import FurtherFits
from ketav_trainer.gate import LineErrors, cer, is_proved_worse, judge, largest_general_cer

_NICENESS: Final = 10
"""Niceness of a training: the readers of the same machine go first."""
_FEW_LINES: Final = 64
"""Held-out lines below which new training lines are cross-validated as well."""
_CLEAR_LINES: Final = 8
"""Held-out lines from which they alone may decide, at the probability `_CLEAR_PROBABILITY`."""
_CLEAR_PROBABILITY: Final = 0.99
"""Probability of being better at which few held-out lines decide without folds."""
_BLEND_SHARES: Final = (0.75, 0.5, 0.25)
"""Shares of the way from the parent that are tried in turn where a candidate forgets too much."""


@dataclass(frozen=True, slots=True)
class _Reference:
    """The model that a candidate must beat."""

    model: Model
    own: list[LineErrors]
    """The errors of the serving model and of the one of the user's own hand; empty unless there is one."""
    is_own: bool = False
    """Whether it is the model of the user's own hand, which reads this hand better than the serving one."""


@dataclass(frozen=True, slots=True)
class _Blended:
    """A candidate that forgets as little as blending can reach."""

    candidate: Model
    general: list[LineErrors]
    """The errors of the reference and the candidate on the general set."""
    general_limit: float
    """The largest CER that the candidate may have there."""


class FitProcess:
    """One training over a prepared directory."""

    def __init__(self, config: FitConfig, engine: Engine, channel: Channel) -> None:
        """Take the configuration, the engine, and the channel that the events go to."""
        self._config = config
        self._channel = channel
        self._engine = engine
        self._lines = FitLines(config, engine)
        self._replay: list[TrainingLine] = []
        self._measurements = Measurements(engine, self._lines)
        self._options = FitOptions(seed=config.seed, epochs=config.epochs)
        self._further = FurtherFits(engine, self._lines, self._measurements, self._options)

    def run(self) -> None:
        """Fit, measure the reference and the candidate on the held-out lines, and report."""
        with self._stage("prepare"):
            parent = self._model(PARENT, self._config.parent_sha256)
            lines = self._lines.at(parent.info.height)
            self._replay = shipped_lines(self._config.replay, parent.info.height)
            reference = self._reference(parent)
        with self._stage("fit"):
            result = self._fit(parent, lines.training, lines.holdout)
        self._candidate_file.write_bytes(result.content)
        self._report("evaluating")
        faults.reached("in-evaluation")
        with self._stage("evaluate"):
            blended = self._blend(parent, reference.model)
            errors = self._measurements.errors(reference.model, blended.candidate, "holdout")
        # Cross-validation measures other models than the candidate, so it is used only if the candidate's own
        # held-out lines decide nothing.
        few = len(errors) < _FEW_LINES and not _is_clear(errors) and not is_proved_worse(errors)
        folds: list[LineErrors] = []
        if few:
            with self._stage("cross_validate"):
                folds = self._further.cross_validate(parent, reference.model)
        done: dict[str, object] = {
            "errors": encode(errors),
            "folds": encode(folds),
            "general": encode(blended.general),
            "general_limit": blended.general_limit,
            "own": encode(reference.own),
            "own_is_reference": reference.is_own,
            "skipped": result.skipped,
            "words": result.words,
            "completed": False,
        }
        limit, seed = blended.general_limit, self._config.seed
        if judge(errors, blended.general, folds=folds, general_limit=limit, seed=seed).promote:
            with self._stage("complete"):
                done |= self._complete(reference.model, blended.candidate, limit)
        self._report("done", **done, sha256=hashlib.sha256(self._candidate_file.read_bytes()).hexdigest())

    def _model(self, name: str, sha256: str) -> Model:
        """Load a model of the private directory."""
        model = self._engine.load_model((self._config.directory / name).read_bytes(), sha256)
        self._measurements.add_signs(model)
        return model

    def _reference(self, parent: Model) -> _Reference:
        """Return the model that the candidate must beat.

        It is the serving model, or that of the user's own hand where it reads the lines of this hand better:
        more accurately with the probability that a promotion needs, on lines that trained neither.
        """
        config = self._config
        serving = self._model(SERVING, config.serving_sha256) if config.serving_sha256 else parent
        if config.own_sha256 is None:
            return _Reference(serving, [])
        own = self._model(OWN, config.own_sha256)
        errors = self._measurements.errors(serving, own, "new")
        is_own = judge(errors).promote
        return _Reference(own if is_own else serving, errors, is_own)

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

    def _blend(self, parent: Model, reference: Model) -> _Blended:
        """Return the candidate of the candidate's file, and its errors on the general set.

        Where it forgets too much there, a blend with the parent replaces it, also in the file.
        """
        tuned = candidate = self._further.load(self._candidate_file.read_bytes())
        base_cer = self._base_cer()  # first, because the base may add signs to the references
        before = self._measurements.errors(reference, parent, "general")
        limit = largest_general_cer(cer(before, serving=False), base_cer)
        errors = self._measurements.errors(reference, candidate, "general")
        for share in _BLEND_SHARES:
            if cer(errors, serving=False) <= limit:
                break
            content = self._engine.blend(parent, tuned, share)
            self._candidate_file.write_bytes(content)
            candidate = self._further.load(content)
            errors = self._measurements.errors(reference, candidate, "general")
        return _Blended(candidate, errors, limit)

    def _base_cer(self) -> float | None:
        """Return the CER of the base model on the general set; None if it is the parent, or without a set."""
        if self._config.base_sha256 is None or self._config.general is None:
            return None
        base = self._model(BASE, self._config.base_sha256)
        return cer(self._measurements.errors(base, base, "general"), serving=True)

    def _complete(self, reference: Model, candidate: Model, general_limit: float) -> dict[str, object]:
        """Complete an accepted candidate; return the fields of the result that change."""
        completion = self._further.complete(reference, candidate, self._replay, general_limit)
        if completion is None:
            return {}
        result = completion.result
        self._candidate_file.write_bytes(result.content)
        return {
            "general": encode(completion.general),
            "skipped": result.skipped,
            "words": result.words,
            "completed": True,
        }

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


def _is_clear(errors: Sequence[LineErrors]) -> bool:
    """Return whether few held-out lines alone prove an improvement, so that no fold needs to be fitted."""
    verdict = judge(errors, min_probability=_CLEAR_PROBABILITY)
    return len(errors) >= _CLEAR_LINES and verdict.promote


def serve(channel: Channel) -> None:
    """Load the engine, wait for a configuration, and train as it says.

    An engine that cannot be loaded, and an unusable model, image or set of lines, is the last event `failed`.
    """
    engine = _engine_or_error(to_engine_config(channel.setup))
    frame = channel.receive()
    if frame is None:
        return
    try:
        if isinstance(engine, EngineError):
            raise engine
        config = to_config(frame.message)
        tempfile.tempdir = str(config.directory)
        FitProcess(config, engine, channel).run()
    except (EngineError, ValueError) as error:
        channel.send({"event": "failed", "kind": type(error).__name__})


def _engine_or_error(config: EngineConfig) -> Engine | EngineError:
    """Build an engine and import its libraries, which takes seconds; an error is for the run that comes."""
    try:
        engine = make_engine(config.engine, config.language, config.device)
        engine.warm_up()
    except EngineError as error:
        return error
    return engine


if __name__ == "__main__":
    run(serve, niceness=_NICENESS)
