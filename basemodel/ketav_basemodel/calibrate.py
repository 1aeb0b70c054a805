"""Honest confidences: one temperature, fitted on synthetic lines of held-out writers and texts."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.synthesis import Material, samples
from ketav_basemodel.texts import plain
from ketav_engine.models import load
from ketav_engine.recognition.recognize import read

TEMPERATURES: Final = (0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0)
VALIDATION_SEED: Final = 900_000_000
"""Far from every shard's seed."""


def fit_temperature(model: Any, material: Material, lines: int = 240) -> tuple[float, dict[float, float]]:  # noqa: ANN401  # the engine's LoadedModel
    """Return the temperature with the least log loss of "this character is right", and the loss of each.

    `material` is the validation part; every sixth line is taken, for more writers. One parameter, after Guo
    et al. 2017, "On Calibration of Modern Neural Networks".
    """
    source = list(islice(samples(material, VALIDATION_SEED, model.info.height), 0, 6 * lines, 6))
    losses = {t: _loss(model, t, [s.image for s in source], [s.text for s in source]) for t in TEMPERATURES}
    return min(losses, key=lambda t: losses[t]), losses


def write_calibrated(model: Path, to: Path, about: dict[str, Any]) -> None:
    """Write the weights of one file to another with other metadata."""
    from ketav_basemodel.network import save

    save(load(model.read_bytes()).net, to, about)


def _loss(model: Any, temperature: float, images: list[Any], texts: list[str]) -> float:  # noqa: ANN401  # as above
    """Return the mean log loss of the confidences at a temperature."""
    warm = replace(model, info=replace(model.info, temperature=temperature))
    total, count = 0.0, 0
    for reading, text in zip(read(images, warm), texts, strict=True):
        right = np.zeros(len(reading.text), dtype=bool)
        for block in Levenshtein.editops(plain(text), reading.text).as_matching_blocks():
            right[block.b : block.b + block.size] = True
        sure = np.clip(np.array(reading.confidences), 1e-6, 1 - 1e-6)
        total -= float(np.where(right, np.log(sure), np.log(1 - sure)).sum())
        count += len(right)
    return total / max(1, count)
