"""Training samples: lines whose text the network can learn, encoded with its alphabet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ketav_common.text import MIN_LINES_OF_NEW_SIGN, trained
from ketav_engine.devices import device_of
from ketav_engine.domain import Image, TrainingLine
from ketav_engine.models.network import logits
from ketav_engine.recognition.decode import to_display

_PROBE_WIDTH: Final = 256
"""Pixels of the blank line that shows how many columns an output step spans."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A line with its labels in display order."""

    image: Image
    labels: NDArray[np.int64]


def prepare(lines: Sequence[TrainingLine], net: Any) -> tuple[list[Sample], int]:  # noqa: ANN401
    """Encode lines; leave out and count those without text, outside the alphabet or too long."""
    samples = []
    columns = _columns_per_step(net)
    for line in lines:
        display = to_display(trained(line.text, net.codec.c2l))
        labels: NDArray[np.int64] = net.codec.encode(display if _is_known(display, net) else "").numpy()
        repeats = int(np.count_nonzero(labels[1:] == labels[:-1]))  # CTC needs a blank between equal labels
        if len(labels) > 0 and len(labels) + repeats <= line.image.shape[1] // columns:
            samples.append(Sample(line.image, labels.astype(np.int64)))
    return samples, len(lines) - len(samples)


def extend_alphabet(net: Any, lines: Sequence[TrainingLine]) -> None:  # noqa: ANN401
    """Add the characters of several lines that the network cannot write yet (Kraken's `resize=union`).

    Characters for which `ketav_common.text` has others that the network can write are not added. One that is
    mirrored between right-to-left letters, such as `<`, is added with its mirror image, which it then writes.
    """
    known = net.codec.c2l
    counts = Counter(character for line in lines for character in set(trained(line.text, known)))
    frequent = [character for character, count in counts.items() if count >= MIN_LINES_OF_NEW_SIGN]
    shapes = {shape for character in frequent for shape in (character, to_display(character))}
    new = sorted(shape for shape in shapes if shape not in known)
    if new:
        net.add_codec(net.codec.add_labels(new))
        net.resize_output(net.codec.max_label + 1)


def evenly(lines: Sequence[TrainingLine], count: int) -> list[TrainingLine]:
    """Return at most `count` lines, evenly spread over the sequence."""
    return [lines[index] for index in np.linspace(0, len(lines) - 1, min(len(lines), count)).astype(int)]


def _is_known(display: str, net: Any) -> bool:  # noqa: ANN401
    """Return whether the codec has every character of a text."""
    return all(character in net.codec.c2l for character in display)


def _columns_per_step(net: Any) -> int:  # noqa: ANN401
    """Return how many pixel columns one output step of a network spans."""
    import torch

    with torch.inference_mode():
        outputs = logits(net, torch.zeros(1, 1, net.input[2], _PROBE_WIDTH, device=device_of(net)))
    return max(1, round(_PROBE_WIDTH / int(outputs.shape[3])))
