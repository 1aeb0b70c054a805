"""Batched recognition: lines of any pages go through the network in groups of one width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ketav_common.stages import stage
from ketav_engine.budgets import OUT_OF_TIME, is_out_of_time, warn
from ketav_engine.devices import bfloat16_autocast, device_of
from ketav_engine.domain import Image, Reading
from ketav_engine.lines import to_tensor
from ketav_engine.models import LoadedModel
from ketav_engine.models.network import logits
from ketav_engine.recognition.decode import Decoder, Probabilities, greedy, to_reading

BATCH_LINES: Final = 32
"""Lines that go through the network at once: 4.4 ms a line of 640 pixels on one core in bfloat16."""
WIDTH_STEP: Final = 64
"""Pixels: lines are padded with paper to multiples of this, so that many have the same width."""
_UNREAD: Final = Reading("", ())


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines of one padded width: their indices and that width in pixels."""

    indices: list[int]
    width: int


def read(lines: Sequence[Image], model: LoadedModel, decoder: Decoder = greedy) -> list[Reading]:
    """Read normalised lines, shape (height, W) uint8 each; return their readings in the same order.

    A line's padded width follows from the line alone, so that its reading does not depend on the other lines.
    When the time of the budget is over, the lines that remain have an empty text.
    """
    readings = [_UNREAD] * len(lines)
    for indices, outputs in run(lines, model):
        with stage("beam"):
            for index, output in zip(indices, outputs, strict=True):
                if is_out_of_time():
                    warn(OUT_OF_TIME)
                    return readings
                readings[index] = to_reading(decoder(output), model.net.codec, lines[index], output.shape[1])
    return readings


def run(lines: Sequence[Image], model: LoadedModel) -> Iterator[tuple[list[int], list[Probabilities]]]:
    """Yield for each batch the indices of its lines and their outputs, cut to each line's own width."""
    import torch

    device = device_of(model.net)
    for batch in batches([line.shape[1] for line in lines]):
        inputs = to_tensor([lines[index] for index in batch.indices], batch.width)
        with stage("network"), torch.inference_mode(), bfloat16_autocast(device.type):
            outputs = logits(model.net, inputs.to(device, memory_format=torch.channels_last))
            scaled = outputs.float().squeeze(2) / model.info.temperature
            probabilities = scaled.softmax(dim=1).cpu().numpy()
        steps = probabilities.shape[2] / batch.width
        own = [
            output[:, : max(1, round(lines[index].shape[1] * steps))]
            for index, output in zip(batch.indices, probabilities, strict=True)
        ]
        yield batch.indices, own


def batches(widths: Sequence[int]) -> Iterator[Batch]:
    """Group lines by padded width into batches of at most `BATCH_LINES`; `widths` are in pixels."""
    padded = [padded_width(width) for width in widths]
    order = sorted(range(len(widths)), key=lambda index: padded[index])
    start = 0
    while start < len(order):
        width = padded[order[start]]
        end = start
        while end < min(len(order), start + BATCH_LINES) and padded[order[end]] == width:
            end += 1
        yield Batch(order[start:end], width)
        start = end


def padded_width(width: int) -> int:
    """Return the next multiple of `WIDTH_STEP`, at least two of them: short lines have one width."""
    return max(2 * WIDTH_STEP, -(-width // WIDTH_STEP) * WIDTH_STEP)
