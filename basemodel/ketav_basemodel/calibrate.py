"""Calibrate confidences on lines of held-out writers and texts: a temperature, and the search's curve."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.alphabet import plain
from ketav_basemodel.synthesis import Material, samples
from ketav_engine.models import load
from ketav_engine.recognition.language_model import MIN_CERTAINTY, Calibration
from ketav_engine.recognition.recognize import read

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
_NEWTON_STEPS: Final = 12
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


def fit_calibration(certainties: Floats, correct: Booleans) -> Calibration:
    """Return the calibration with the least log loss; both arrays have one element for each character.

    Two parameters by Newton's method, which converges in a few steps as the loss is convex.
    """
    bounded = np.clip(certainties, MIN_CERTAINTY, 1 - MIN_CERTAINTY)
    inputs = np.stack([np.log(bounded / (1 - bounded)), np.ones(len(bounded))])
    parameters = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-parameters @ inputs))
        curvature = (inputs * fitted * (1 - fitted)) @ inputs.T
        parameters = parameters - np.linalg.solve(curvature, inputs @ (fitted - correct))
    return Calibration(float(parameters[0]), float(parameters[1]))


def matches(text: str, reading: str) -> Booleans:
    """Return for each character of a reading whether the alignment with the text keeps it."""
    correct = np.zeros(len(reading), dtype=np.bool_)
    for block in Levenshtein.editops(plain(text), reading).as_matching_blocks():
        correct[block.b : block.b + block.size] = True
    return correct


def write_calibrated(model: Path, to: Path, metadata: dict[str, Any]) -> None:
    """Write the weights of a model file to another file with other metadata."""
    from ketav_basemodel.network import save

    save(load(model.read_bytes()).net, to, metadata)


def _loss(model: Any, temperature: float, images: list[Any], texts: list[str]) -> float:  # noqa: ANN401  # as above
    """Return the mean log loss of the confidences at a temperature."""
    tempered = replace(model, info=replace(model.info, temperature=temperature))
    total, count = 0.0, 0
    for reading, text in zip(read(images, tempered), texts, strict=True):
        correct = matches(text, reading.text)
        confidences = np.clip(np.array(reading.confidences), 1e-6, 1 - 1e-6)
        total -= float(np.where(correct, np.log(confidences), np.log(1 - confidences)).sum())
        count += len(correct)
    return total / max(1, count)
