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
from ketav_common.metrics import cer
from ketav_engine import models
from ketav_engine.domain import (
    FitCancelledError,
    FitOptions,
    FitProgress,
    FitResult,
    Image,
    NothingToLearnError,
    OnProgress,
    TrainingLine,
)
from ketav_engine.lines import to_tensor
from ketav_engine.models import LoadedModel
from ketav_engine.recognition.decode import to_display
from ketav_engine.recognition.recognize import fast_arithmetic, padded_width, read
from ketav_engine.training import blend, checkpoint, optimizer
from ketav_engine.training.augment import vary

SURE_HOLDOUT: Final = 20
"""With fewer holdout lines the last weights are kept: the best of so few is chance."""
_EPOCHS: Final = 18
_EVALUATIONS: Final = 5
_MOST_HOLDOUT: Final = 128
_NEW_CHARACTER: Final = 3
_GENERAL: Final = 64
_WIDEST: Final = 10
"""Replayed lines are at most this many times as wide as high: longer ones cost more than they keep."""
_LEAST_REPLAY: Final = 16
"""Lines of other hands in an epoch, however few train: few lines are seen often, and pull far."""
_CLIP: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A line with its labels in display order."""

    image: Image
    labels: NDArray[np.int64]


def fit(
    model: LoadedModel,
    lines: Sequence[TrainingLine],
    holdout: Sequence[TrainingLine],
    replay: Sequence[TrainingLine],
    options: FitOptions,
    on_progress: OnProgress,
) -> FitResult:
    """Fine-tune a copy of a model; equal arguments give equal bytes.

    `replay` are lines of the base model's training: a share of as many as `lines` is drawn from them each
    epoch, so that nothing general is forgotten. With a checkpoint an interrupted fit goes on after its last
    whole epoch and ends with the same weights.
    """
    import torch

    net = copy.deepcopy(model.net)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)  # the weights of a new character are drawn
        _extend_alphabet(net, lines)
    samples, skipped = prepare(lines, net)
    measured = list(replay[-_GENERAL:]) if len(replay) > 2 * _GENERAL else []
    rest = replay[: len(replay) - len(measured)]
    others, _ = prepare([x for x in rest if x.image.shape[1] <= _WIDEST * x.image.shape[0]], net)
    if not samples:
        raise NothingToLearnError("none of the lines can be learnt from")
    loop = _Loop(net, model, samples, others, _spread(holdout, _MOST_HOLDOUT), options)
    loop.restore()
    with torch.random.fork_rng(devices=[]):
        while loop.state.epoch < loop.epochs:
            progress = loop.run_epoch()
            loop.store()
            if not on_progress(progress):
                raise FitCancelledError("the fit was cancelled")
    after = loop.finish(measured)
    return FitResult(models.save(net.eval(), model.metadata), loop.state.before, after, skipped)


def budget(lines: int, effort: float = 1.0) -> int:
    """Return how many epochs suit a number of training lines.

    Many for few, so that steps suffice; the same from about 40 to 256; beyond, fewer, so that the time grows
    with the root of the number.
    """
    count = max(lines, 1)
    epochs = max(110 / math.sqrt(count), min(_EPOCHS, _EPOCHS * math.sqrt(256 / count)))
    return int(np.clip(round(effort * epochs), 4, 32))


def prepare(lines: Sequence[TrainingLine], net: Any) -> tuple[list[Sample], int]:  # noqa: ANN401
    """Encode lines; leave out and count those without text, outside the alphabet or too long."""
    samples = []
    columns = _columns_per_step(net)
    for line in lines:
        display = to_display(line.text.strip())
        labels: NDArray[np.int64] = net.codec.encode(display if _is_known(display, net) else "").numpy()
        repeats = int(np.count_nonzero(labels[1:] == labels[:-1]))
        if len(labels) > 0 and len(labels) + repeats <= line.image.shape[1] // columns:
            samples.append(Sample(line.image, labels.astype(np.int64)))
    return samples, len(lines) - len(samples)


def corpus_cer(lines: Sequence[TrainingLine], model: LoadedModel) -> float:
    """Read lines and return edits by reference length, 0 without any."""
    readings = read([line.image for line in lines], model)
    pairs = [(line.text, reading.text) for line, reading in zip(lines, readings, strict=True)]
    return cer(pairs).rate


class _Loop:
    """One fit: the network, its optimiser and where they stand."""

    def __init__(
        self,
        net: Any,  # noqa: ANN401
        model: LoadedModel,
        samples: list[Sample],
        others: list[Sample],
        holdout: list[TrainingLine],
        options: FitOptions,
    ) -> None:
        """Take a copy of the network, its samples, the lines to replay and the lines held out."""
        self.net = net
        self.metadata = model.metadata
        self.parent = model.net.state_dict()
        self.samples, self.others, self.holdout = samples, others, holdout
        self.options = options
        self.epochs = options.epochs or budget(len(samples), options.effort)
        self._pause = max(1, self.epochs // _EVALUATIONS)
        self.batch = 8 if len(samples) < 48 else 16
        self.optimizer = optimizer.build(net, options)
        self.state = checkpoint.State()
        self.best: dict[str, Any] = {}

    def restore(self) -> None:
        """Go on from the checkpoint, or measure the parent."""
        if self.options.checkpoint is not None:
            stored = checkpoint.restore(self.options.checkpoint, self.net, self.optimizer)
            if stored is not None:
                self.state, self.best = stored
                return
        rate = self._cer()
        self.state = checkpoint.State(epoch=0, before=rate, best=rate, latest=rate)
        self.best = _weights(self.net)

    def store(self) -> None:
        """Keep the checkpoint."""
        if self.options.checkpoint is not None:
            checkpoint.store(self.options.checkpoint, self.net, self.optimizer, self.state, self.best)

    def run_epoch(self) -> FitProgress:
        """Train one epoch and, at times, measure the holdout."""
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
        done = epoch + 1
        best, latest = self.state.best, self.state.latest
        if self.holdout and (done == self.epochs or done % self._pause == 0):
            latest = self._cer()
            if latest <= best or (done == self.epochs and len(self.holdout) < SURE_HOLDOUT):
                best, self.best = latest, _weights(self.net)
        self.state = checkpoint.State(done, self.state.before, best, latest)
        before = self.state.before if self.holdout else None
        known = latest if self.holdout and done >= self._pause else None
        return FitProgress(done, self.epochs, float(np.mean(losses)), before, known)

    def finish(self, general: list[TrainingLine]) -> float:
        """Leave the kept weights in the network, blended with the parent's; return the CER on the holdout.

        Without a holdout the last weights are kept, and without general lines nothing is blended.
        """
        if self.holdout:
            self.net.load_state_dict(self.best)
        if not general:
            return self.state.best
        share, weights = blend.choose(self.parent, _weights(self.net), partial(self._general_cer, general))
        self.net.load_state_dict(weights)
        return self._cer() if self.holdout and share < 1 else self.state.best

    def _general_cer(self, lines: list[TrainingLine], weights: dict[str, Any]) -> float:
        """Read lines of other hands with the given weights."""
        self.net.load_state_dict(weights)
        return corpus_cer(lines, models.wrap(self.net.eval(), self.metadata))

    def _batches(self, rng: np.random.Generator) -> Iterator[list[Sample]]:
        """Yield the epoch's batches: all samples and a share of others, neighbours in width together."""
        chosen = list(self.samples)
        if self.others:
            share = round(self.options.replay_share * len(self.samples))
            count = min(max(share, _LEAST_REPLAY), len(self.others))
            picks = rng.choice(len(self.others), count, replace=False)
            chosen += [self.others[index] for index in picks]
        chosen.sort(key=lambda sample: sample.image.shape[1] * rng.uniform(0.8, 1.25))
        groups = [chosen[start : start + self.batch] for start in range(0, len(chosen), self.batch)]
        for index in rng.permutation(len(groups)):
            yield groups[index]

    def _step(self, batch: list[Sample], rng: np.random.Generator, progress: float) -> float:
        """Take one optimiser step; return the loss per character."""
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = group["top_rate"] * optimizer.schedule(progress)
        images = [vary(sample.image, rng) for sample in batch]
        width = padded_width(max(image.shape[1] for image in images))
        with fast_arithmetic():
            inputs = to_tensor(images, width).to(memory_format=torch.channels_last)
            logits, _ = self.net.nn(inputs)
        loss = _ctc(logits.float().squeeze(2), [sample.labels for sample in batch])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), _CLIP)
        self.optimizer.step()
        return float(loss.detach())

    def _cer(self) -> float:
        """Measure the holdout with the weights as they are."""
        rate = corpus_cer(self.holdout, models.wrap(self.net.eval(), self.metadata))
        self.net.train()
        return rate


def _ctc(logits: Any, targets: list[NDArray[np.int64]]) -> Any:  # noqa: ANN401
    """Return the CTC loss per character of logits (N, labels, steps)."""
    import torch

    lengths = torch.tensor([len(labels) for labels in targets])
    steps = torch.full((len(targets),), logits.shape[2], dtype=torch.long)
    loss = torch.nn.functional.ctc_loss(
        logits.permute(2, 0, 1).log_softmax(dim=2),
        torch.from_numpy(np.concatenate(targets)),
        steps,
        lengths,
        reduction="none",
        zero_infinity=True,
    )
    return (loss / lengths).mean()


def _extend_alphabet(net: Any, lines: Sequence[TrainingLine]) -> None:  # noqa: ANN401
    """Add to the codec what several lines hold and the network cannot write yet (Kraken's `resize=union`)."""
    counts: dict[str, int] = {}
    for line in lines:
        for character in set(to_display(line.text.strip())):
            counts[character] = counts.get(character, 0) + 1
    new = sorted(key for key, count in counts.items() if count >= _NEW_CHARACTER and key not in net.codec.c2l)
    if new:
        net.add_codec(net.codec.add_labels(new))
        net.resize_output(net.codec.max_label + 1)


def _is_known(display: str, net: Any) -> bool:  # noqa: ANN401
    """Tell whether the codec has every character of a text."""
    return all(character in net.codec.c2l for character in display)


def _columns_per_step(net: Any) -> int:  # noqa: ANN401
    """Return how many pixel columns one output step of a network spans."""
    import torch

    with torch.inference_mode():
        outputs, _ = net.nn(torch.zeros(1, 1, net.input[2], 256))
    return max(1, round(256 / int(outputs.shape[3])))


def _weights(net: Any) -> dict[str, Any]:  # noqa: ANN401
    """Copy a network's weights."""
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def _spread(lines: Sequence[TrainingLine], most: int) -> list[TrainingLine]:
    """Return at most so many lines, evenly spread."""
    return [lines[index] for index in np.linspace(0, len(lines) - 1, min(len(lines), most)).astype(int)]
