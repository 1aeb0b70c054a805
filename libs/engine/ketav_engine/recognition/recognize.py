"""Batched recognition: lines of any pages go through the network in groups of one width."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from ketav_engine.domain import Image, Reading
from ketav_engine.lines import to_tensor
from ketav_engine.models import LoadedModel
from ketav_engine.recognition.decode import Decoder, Probabilities, greedy, to_reading

BATCH: Final = 32
"""Lines that go through the network at once."""
STEP: Final = 64
"""Pixels: lines are padded with paper to multiples of this, so that many share a width."""


def read(lines: Sequence[Image], model: LoadedModel, decoder: Decoder = greedy) -> list[Reading]:
    """Read normalised lines, shape (height, W) uint8 each, into readings in the order given.

    A line's padded width follows from the line alone, so that it reads the same in whatever company.
    """
    readings: list[Reading | None] = [None] * len(lines)
    for chosen, outputs in run(lines, model):
        for index, output in zip(chosen, outputs, strict=True):
            readings[index] = to_reading(decoder(output), model.net.codec)
    return [reading for reading in readings if reading is not None]


def run(lines: Sequence[Image], model: LoadedModel) -> Iterator[tuple[list[int], list[Probabilities]]]:
    """Yield for each batch the indices of its lines and their outputs, cut to each line's own width."""
    import torch

    for chosen, width in batches([line.shape[1] for line in lines]):
        inputs = to_tensor([lines[index] for index in chosen], width)
        with torch.inference_mode(), fast_arithmetic():
            logits, _ = model.net.nn(inputs.to(memory_format=torch.channels_last))
            outputs = (logits.float().squeeze(2) / model.info.temperature).softmax(dim=1).numpy()
        steps = outputs.shape[2] / width
        yield (
            chosen,
            [
                output[:, : max(1, round(lines[index].shape[1] * steps))]
                for index, output in zip(chosen, outputs, strict=True)
            ],
        )


def batches(widths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Group lines by padded width; yield the indices of at most `BATCH` lines and their common width."""
    padded = [padded_width(width) for width in widths]
    order = sorted(range(len(widths)), key=lambda index: padded[index])
    start = 0
    while start < len(order):
        width = padded[order[start]]
        end = start
        while end < min(len(order), start + BATCH) and padded[order[end]] == width:
            end += 1
        yield order[start:end], width
        start = end


def padded_width(width: int) -> int:
    """Return the next multiple of `STEP`, at least two of them: short lines share one width."""
    return max(2 * STEP, -(-width // STEP) * STEP)


def fast_arithmetic() -> Any:  # noqa: ANN401
    """Return a context in which torch computes in bfloat16 where the processor has instructions for it."""
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=_has_bf16())


@cache
def _has_bf16() -> bool:
    """Tell whether the processor multiplies bfloat16 matrices natively."""
    import torch

    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
