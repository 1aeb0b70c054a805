"""Fine-tuning: a plain loop over a copy of the network, small enough to follow and to repeat exactly."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ketav_common import faults
from ketav_common.error_rates import cer
from ketav_common.text import trained
from ketav_engine import models
from ketav_engine.devices import bfloat16_autocast, device_of
from ketav_engine.domain import (
    FitCancelledError,
    FitOptions,
    FitProgress,
    FitResult,
    NothingToLearnError,
    OnProgress,
    TrainingLine,
)
from ketav_engine.lines import to_tensor
from ketav_engine.models import LoadedModel
from ketav_engine.models.network import logits
from ketav_engine.recognition.recognize import padded_width, read
from ketav_engine.recognition.user_words import count_words
from ketav_engine.training import blend, checkpoint, optimizer
from ketav_engine.training.augment import vary
from ketav_engine.training.samples import Sample, evenly, extend_alphabet, prepare

_EVALUATIONS: Final = 5
"""Measurements of the holdout during a fit."""
_MAX_HOLDOUT: Final = 128
"""Holdout lines that are measured."""
_GENERAL_LINES: Final = 64
"""Replayed lines that are not trained on but measure what the fit forgets; none of fewer than twice as
many."""
_MAX_REPLAY_ASPECT: Final = 10
"""Width of a replayed line at most, in heights: longer ones cost more time than they prevent forgetting."""
_MIN_REPLAY: Final = 16
"""Replayed lines of an epoch at least: a few training lines are seen often, and change the weights much."""
_GRADIENT_NORM: Final = 5.0
"""Norm to which gradients are clipped."""

_EPOCHS: Final = 18
"""Epochs of about 40 to 256 lines: on a synthetic writer 16 over 205 lines left 3.2 % CER where 9 left 3.8
%."""
_EPOCHS_OF_ONE_LINE: Final = 110
"""Epochs times the root of the number of lines, for few lines: enough steps."""
_FEWER_EPOCHS_FROM: Final = 256
"""Lines from which the epochs decrease with the root of their number, so that the time grows with the
root."""
_EPOCH_LIMITS: Final = (4, 32)
"""Epochs of a fit at least and at most."""
_FEW_SAMPLES: Final = 48
"""With fewer samples a batch has `_SMALL_BATCH` lines, so that an epoch has several steps."""
_SMALL_BATCH: Final = 8
_BATCH: Final = 16
_WIDTH_JITTER: Final = (0.8, 1.25)
"""Range of the random factor of the widths that lines are batched by: batches differ from epoch to epoch."""


@dataclass(frozen=True, slots=True, eq=False)
class _FitLines:
    """The lines of a fit."""

    samples: list[Sample]
    """Lines to train on."""
    replayed: list[Sample]
    """Lines of other writers, of which each epoch draws some."""
    holdout: list[TrainingLine]
    """Lines that measure the weights."""


def fit(
    model: LoadedModel,
    lines: Sequence[TrainingLine],
    holdout: Sequence[TrainingLine],
    replay: Sequence[TrainingLine],
    options: FitOptions,
    on_progress: OnProgress,
) -> FitResult:
    """Fine-tune a copy of a model; equal arguments give equal bytes.

    `replay` are lines of the base model's training: each epoch draws some of them, so that the model does not
    forget other writers. The file holds the words of `lines` and none of the parent's: held-out texts are not
    read with their own words, and words of deleted lines are not passed on. With a checkpoint an interrupted
    fit continues after its last whole epoch and ends with the same weights. Raises NothingToLearnError when
    no line can be trained on, and FitCancelledError when `on_progress` returns false.
    """
    import torch

    net = copy.deepcopy(model.net)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)  # the weights of a new character are drawn
        extend_alphabet(net, lines)
    net.to(device_of(model.net))  # the weights of new characters too
    samples, skipped = prepare(lines, net)
    general = list(replay[-_GENERAL_LINES:]) if len(replay) > 2 * _GENERAL_LINES else []
    replayed = replay[: len(replay) - len(general)]
    short = [line for line in replayed if line.image.shape[1] <= _MAX_REPLAY_ASPECT * line.image.shape[0]]
    others, _ = prepare(short, net)
    if not samples:
        raise NothingToLearnError(
            "No line can be trained on: the texts are empty or too long for their images. Correct more lines."
        )
    loop = _Loop(net, model, _FitLines(samples, others, evenly(holdout, _MAX_HOLDOUT)), options)
    loop.restore()
    with torch.random.fork_rng(devices=[]):
        while loop.state.epoch < loop.epochs:
            progress = loop.run_epoch()
            loop.store()
            if not on_progress(progress):
                raise FitCancelledError("The training was cancelled. Start another one when it is needed.")
    after = loop.finish(general)
    words = count_words(trained(line.text, net.codec.c2l) for line in lines)
    content = models.save(net.eval(), model.metadata | {models.WORDS_KEY: words})
    return FitResult(content, loop.state.before, after, skipped, len(words))


def epochs_for(lines: int, effort: float = 1.0) -> int:
    """Return how many epochs suit a number of training lines, 4 to 32; `effort` is a factor of that number.

    Many for few lines, so that there are enough steps; the same from about 40 to 256 lines; fewer beyond.
    """
    count = max(lines, 1)
    epochs = max(
        _EPOCHS_OF_ONE_LINE / math.sqrt(count),
        min(_EPOCHS, _EPOCHS * math.sqrt(_FEWER_EPOCHS_FROM / count)),
    )
    return int(np.clip(round(effort * epochs), *_EPOCH_LIMITS))


def corpus_cer(lines: Sequence[TrainingLine], model: LoadedModel) -> float:
    """Read lines and return the edits divided by the length of the references; 0 without lines."""
    readings = read([line.image for line in lines], model)
    alphabet = model.info.alphabet
    pairs = [
        (trained(line.text, alphabet), reading.text) for line, reading in zip(lines, readings, strict=True)
    ]
    return cer(pairs).rate


class _Loop:
    """One fit: the network, its optimizer, and its state."""

    def __init__(
        self,
        net: Any,  # noqa: ANN401
        model: LoadedModel,
        lines: _FitLines,
        options: FitOptions,
    ) -> None:
        """Take the copy of a model's network that is trained, the model itself, and the lines."""
        self.net = net
        self.metadata = model.metadata
        self.parent = model.net.state_dict()
        self.lines = lines
        self.options = options
        self.epochs = options.epochs or epochs_for(len(lines.samples), options.effort)
        self._evaluation_interval = max(1, self.epochs // _EVALUATIONS)
        self._batch = _SMALL_BATCH if len(lines.samples) < _FEW_SAMPLES else _BATCH
        self.optimizer = optimizer.build(net, options)
        self.state = checkpoint.State()

    def restore(self) -> None:
        """Continue from the checkpoint, or measure the parent."""
        if self.options.checkpoint is not None:
            stored = checkpoint.restore(self.options.checkpoint, self.net, self.optimizer)
            if stored is not None:
                self.state = stored
                return
        rate = self._holdout_cer()
        self.state = checkpoint.State(epoch=0, before=rate, latest=rate)

    def store(self) -> None:
        """Write the checkpoint, if the options name one."""
        if self.options.checkpoint is not None:
            checkpoint.store(self.options.checkpoint, self.net, self.optimizer, self.state)

    def run_epoch(self) -> FitProgress:
        """Train one epoch and, in some epochs, measure the holdout."""
        import torch

        epoch = self.state.epoch
        torch.manual_seed(self.options.seed * 100_003 + epoch)
        rng = np.random.default_rng([self.options.seed, epoch])
        self.net.train()
        faults.reached(f"in-epoch-{epoch + 1}")
        batches = list(self._batches(rng))
        losses = [
            self._step(batch, rng, (epoch + index / len(batches)) / self.epochs)
            for index, batch in enumerate(batches)
        ]
        done, holdout = epoch + 1, self.lines.holdout
        latest = self.state.latest
        if holdout and (done == self.epochs or done % self._evaluation_interval == 0):
            latest = self._holdout_cer()
        self.state = checkpoint.State(done, self.state.before, latest)
        before = self.state.before if holdout else None
        measured = latest if holdout and done >= self._evaluation_interval else None
        return FitProgress(done, self.epochs, float(np.mean(losses)), before, measured)

    def finish(self, general: list[TrainingLine]) -> float:
        """Blend the weights with the parent's where general lines ask for it; return the CER on the holdout.

        The holdout only measures. If it chose among the epochs, the gate's figures on it would be too low.
        """
        if not general:
            return self.state.latest
        tuned = _weights(self.net)
        share = blend.largest_share(self.parent, tuned, partial(self._general_cer, general))
        self.net.load_state_dict(tuned if share == 1 else blend.mix(self.parent, tuned, share))
        return self._holdout_cer() if self.lines.holdout and share < 1 else self.state.latest

    def _general_cer(self, lines: list[TrainingLine], weights: dict[str, Any]) -> float:
        """Return the CER of lines of other writers with the given weights."""
        self.net.load_state_dict(weights)
        return corpus_cer(lines, models.wrap(self.net.eval(), self.metadata))

    def _batches(self, rng: np.random.Generator) -> Iterator[list[Sample]]:
        """Yield the epoch's batches: all samples and some replayed ones, those of similar width together."""
        samples, replayed = list(self.lines.samples), self.lines.replayed
        if replayed:
            share = round(self.options.replay_share * len(samples))
            count = min(max(share, _MIN_REPLAY), len(replayed))
            picks = rng.choice(len(replayed), count, replace=False)
            samples += [replayed[index] for index in picks]
        samples.sort(key=lambda sample: sample.image.shape[1] * rng.uniform(*_WIDTH_JITTER))
        groups = [samples[start : start + self._batch] for start in range(0, len(samples), self._batch)]
        for index in rng.permutation(len(groups)):
            yield groups[index]

    def _step(self, batch: list[Sample], rng: np.random.Generator, progress: float) -> float:
        """Take one optimizer step; return the loss per character."""
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = group["top_rate"] * optimizer.schedule(progress)
        images = [vary(sample.image, rng) for sample in batch]
        width = padded_width(max(image.shape[1] for image in images))
        device = device_of(self.net)
        with bfloat16_autocast(device.type):
            inputs = to_tensor(images, width).to(device, memory_format=torch.channels_last)
            outputs = logits(self.net, inputs)
        loss = _ctc(outputs.float().squeeze(2), [sample.labels for sample in batch])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), _GRADIENT_NORM)
        self.optimizer.step()
        return float(loss.detach())

    def _holdout_cer(self) -> float:
        """Return the CER of the holdout with the present weights."""
        rate = corpus_cer(self.lines.holdout, models.wrap(self.net.eval(), self.metadata))
        self.net.train()
        return rate


def _ctc(outputs: Any, targets: list[NDArray[np.int64]]) -> Any:  # noqa: ANN401
    """Return the CTC loss per character of outputs before the softmax, shape (N, labels, steps)."""
    import torch

    lengths = torch.tensor([len(labels) for labels in targets])
    steps = torch.full((len(targets),), outputs.shape[2], dtype=torch.long)
    loss = torch.nn.functional.ctc_loss(
        outputs.permute(2, 0, 1).log_softmax(dim=2),
        torch.from_numpy(np.concatenate(targets)).to(outputs.device),
        steps,
        lengths,
        reduction="none",
        zero_infinity=True,
    )
    return (loss / lengths.to(loss.device)).mean()


def _weights(net: Any) -> dict[str, Any]:  # noqa: ANN401
    """Copy a network's weights."""
    return {name: value.detach().clone() for name, value in net.state_dict().items()}
