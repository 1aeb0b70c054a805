"""Calibrate confidences: one temperature, fitted on synthetic lines of held-out writers and texts."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.alphabet import plain
from ketav_basemodel.synthesis import Material, samples
from ketav_engine.models import load
from ketav_engine.recognition.recognize import read

TEMPERATURES: Final = (0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0)
"""Candidates."""
VALIDATION_SEED: Final = 900_000_000
"""Seed of the calibration lines, different from the seeds of all shards."""
_STRIDE: Final = 6
"""Every sixth line is taken, so that the lines are of more writers."""


def fit_temperature(model: Any, material: Material, lines: int = 240) -> tuple[float, dict[float, float]]:  # noqa: ANN401  # the engine's LoadedModel
    """Return the temperature with the least log loss of "this character is correct", and the loss of each.

    `material` is the validation part. One parameter, after Guo et al. 2017, "On Calibration of Modern Neural
    Networks".
    """
    source = list(islice(samples(material, VALIDATION_SEED, model.info.height), 0, _STRIDE * lines, _STRIDE))
    losses = {t: _loss(model, t, [s.image for s in source], [s.text for s in source]) for t in TEMPERATURES}
    return min(losses, key=lambda t: losses[t]), losses


def write_calibrated(model: Path, to: Path, metadata: dict[str, Any]) -> None:
    """Write the weights of a model file to another file with other metadata."""
    from ketav_basemodel.network import save

    save(load(model.read_bytes()).net, to, metadata)


def _loss(model: Any, temperature: float, images: list[Any], texts: list[str]) -> float:  # noqa: ANN401  # as above
    """Return the mean log loss of the confidences at a temperature."""
    tempered = replace(model, info=replace(model.info, temperature=temperature))
    total, count = 0.0, 0
    for reading, text in zip(read(images, tempered), texts, strict=True):
        correct = np.zeros(len(reading.text), dtype=bool)
        for block in Levenshtein.editops(plain(text), reading.text).as_matching_blocks():
            correct[block.b : block.b + block.size] = True
        confidences = np.clip(np.array(reading.confidences), 1e-6, 1 - 1e-6)
        total -= float(np.where(correct, np.log(confidences), np.log(1 - confidences)).sum())
        count += len(correct)
    return total / max(1, count)
