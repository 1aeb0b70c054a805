"""The training of the base model: CTC on new lines, resumable, the same recipe on CPU and GPU."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.nn.functional import ctc_loss

from ketav_basemodel import network
from ketav_basemodel.shards import Shard
from ketav_engine.models import load

MAX_BATCH: Final = 96
"""Lines of a batch at most."""
_POOL_SHARDS: Final = 2
"""Shards whose lines are batched together."""
_WIDTH_STEP: Final = 32
"""Pixels: a batch is as wide as a multiple of this."""
_MIN_RATE: Final = 0.01
"""Share of the top learning rate at the end."""

Source = Callable[[int], Shard]
"""Returns the shard with a number."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The parameters of a training. None depends on the clock: equal recipes and lines give equal weights."""

    lines: int
    """Lines of the whole training, over all interruptions; the learning rate depends on the share read."""
    height: int = 48
    arch: str = "vgsl"
    rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup: int = 200
    """Steps."""
    columns: int = 24_000
    """Sum of the widths of a batch's lines in pixels at height 48: batches of short lines have more."""
    ema: float = 0.999
    """Decay of the running mean of the weights for each step."""
    clip: float = 5.0
    """Norm to which gradients are clipped."""
    seed: int = 1
    save_every: int = 12_000
    """Lines between checkpoints."""


@dataclass(slots=True)
class State:
    """A training in progress: network, optimizer, the running mean of the weights, and counts.

    `seconds` are the processor's; `lines` and `shards` were read so far.
    """

    model: Any
    optimizer: torch.optim.Optimizer
    mean: dict[str, torch.Tensor]
    step: int = 0
    seconds: float = 0.0
    lines: int = 0
    shards: int = 0


def train(recipe: Recipe, source: Source, folder: Path, start: Path | None = None) -> State:
    """Train until the recipe's lines are read, from `folder`'s checkpoint on; write `base.safetensors` there.

    Without a checkpoint the training begins with the weights in `start`, or with random ones. Random numbers
    are seeded for each pool of shards, and checkpoints are written between pools, so that an interruption
    changes nothing.
    """
    torch.manual_seed(recipe.seed)
    state = load_state(recipe, folder, start)
    device = next(state.model.nn.parameters()).device
    state.model.nn.train()
    saved = state.lines
    while state.lines < recipe.lines:
        torch.manual_seed((recipe.seed << 32) + state.shards)
        began, losses = time.process_time(), []
        for images, targets, lengths in _pool(source, recipe, state):
            losses.append(_step(state, recipe, images.to(device), targets, lengths))
        state.seconds += time.process_time() - began
        _log(folder, state, losses)
        if state.lines - saved >= recipe.save_every or state.lines >= recipe.lines:
            save_state(state, recipe, folder)
            saved = state.lines
    return state


def rate_at(recipe: Recipe, step: int, lines: int) -> float:
    """Return the learning rate: linear warm-up by steps, then a cosine over the recipe's lines."""
    cosine = 0.5 * (1 + np.cos(np.pi * min(1.0, lines / recipe.lines)))
    return recipe.rate * min(1.0, (step + 1) / recipe.warmup) * float(max(cosine, _MIN_RATE))


def load_state(recipe: Recipe, folder: Path, start: Path | None = None) -> State:
    """Return the state of the checkpoint in `folder`, else a new one with the weights of `start` if given."""
    model = network.build(recipe.height, recipe.arch)
    if start is not None:
        network.copy_weights(model, load(start.read_bytes()).net)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.nn.to(device, memory_format=torch.channels_last)  # before the optimizer, whose moments follow it
    optimizer = torch.optim.AdamW(model.nn.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
    state = State(model, optimizer, {k: v.clone() for k, v in model.nn.state_dict().items()})
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        # A file of this tool with tensors and numbers only: nothing in it is executed.
        stored = torch.load(checkpoint, weights_only=True)
        model.nn.load_state_dict(stored["model"])
        optimizer.load_state_dict(stored["optimiser"])
        state.mean = stored["mean"]
        state.step, state.seconds = stored["step"], stored["seconds"]
        state.lines, state.shards = stored["lines"], stored["shards"]
    return state


def save_state(state: State, recipe: Recipe, folder: Path) -> None:
    """Write the checkpoint and the mean weights, which Kraken loads; earlier weights stay in `course`."""
    part = folder / "checkpoint.part"
    torch.save(
        {
            "model": state.model.nn.state_dict(),
            "optimiser": state.optimizer.state_dict(),
            "mean": state.mean,
            "step": state.step,
            "seconds": state.seconds,
            "lines": state.lines,
            "shards": state.shards,
        },
        part,
    )
    part.rename(folder / "checkpoint.pt")
    if recipe.arch == "vgsl":
        net, metadata = mean_network(state, recipe), {"lines": state.lines}
        network.save(net, folder / f"course/{state.lines:07d}.safetensors", metadata)
        network.save(net, folder / "base.safetensors", metadata)


def mean_network(state: State, recipe: Recipe) -> Any:  # noqa: ANN401  # kraken is untyped
    """Return a network with the running mean of the weights, which reads better than the last weights."""
    model = network.build(recipe.height, recipe.arch)
    model.nn.load_state_dict(state.mean)
    model.nn.eval()
    return model


def _pool(
    source: Source, recipe: Recipe, state: State
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield the next shards' lines as (images (N, 1, H, W), targets end to end, their lengths)."""
    codec = network.alphabet_codec()
    random = np.random.default_rng((recipe.seed, state.shards))
    shards = [source(state.shards + index) for index in range(_POOL_SHARDS)]
    starts = [np.concatenate([[0], np.cumsum(shard.widths)]) for shard in shards]
    for batch in _by_width(shards, random, recipe):
        width = -(-max(int(shards[s].widths[i]) for s, i in batch) // _WIDTH_STEP) * _WIDTH_STEP
        images = np.full((len(batch), 1, recipe.height, width), 255, dtype=np.uint8)
        for row, (s, i) in enumerate(batch):
            begin, end = int(starts[s][i]), int(starts[s][i + 1])
            images[row, 0, :, : end - begin] = shards[s].images[:, begin:end]
        encoded = [codec.encode(shards[s].targets[i]) for s, i in batch]
        lengths = torch.tensor([len(code) for code in encoded])
        yield 1.0 - torch.from_numpy(images).float() / 255, torch.cat(encoded).long(), lengths
    state.shards += len(shards)


def _by_width(
    shards: list[Shard], random: np.random.Generator, recipe: Recipe
) -> list[list[tuple[int, int]]]:
    """Group (shard, line) by width into batches of about the recipe's columns, in random order."""
    columns = recipe.columns * recipe.height // 48
    lines = [(s, i) for s, shard in enumerate(shards) for i in range(len(shard.targets))]
    widths = np.array([shards[s].widths[i] for s, i in lines]) * random.uniform(0.97, 1.03, len(lines))
    batches: list[list[tuple[int, int]]] = []
    batch: list[tuple[int, int]] = []
    for index in np.argsort(widths):
        width = int(shards[lines[index][0]].widths[lines[index][1]])
        if batch and ((len(batch) + 1) * width > columns or len(batch) >= MAX_BATCH):
            batches.append(batch)
            batch = []
        batch.append(lines[index])
    batches.append(batch)
    return [batches[i] for i in random.permutation(len(batches))]


def _step(
    state: State, recipe: Recipe, images: torch.Tensor, targets: torch.Tensor, lengths: torch.Tensor
) -> float:
    """Take one step; return the loss per character."""
    rate = rate_at(recipe, state.step, state.lines)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16):
        output, _ = state.model.nn(images)
    steps = output.float().squeeze(2).permute(2, 0, 1).log_softmax(-1)
    sizes = torch.full((len(lengths),), steps.shape[0], dtype=torch.long)
    loss = ctc_loss(steps, targets.to(steps.device), sizes, lengths, zero_infinity=True)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.model.nn.parameters(), recipe.clip)
    state.optimizer.step()
    state.step += 1
    state.lines += len(lengths)
    decay = min(recipe.ema, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for name, value in state.model.nn.state_dict().items():
            mean = state.mean[name] = state.mean[name].to(value.device)
            if value.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)
    return float(loss.detach())


def _log(folder: Path, state: State, losses: list[float]) -> None:
    """Append one line of progress to `folder`/progress.jsonl and print it; seconds are the processor's."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = {
        "step": state.step,
        "lines": state.lines,
        "seconds": round(state.seconds),
        "loss": round(float(np.mean(losses)), 4),
    }
    with (folder / "progress.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")
    print(entry, flush=True)
