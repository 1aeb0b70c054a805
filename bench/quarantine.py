"""Measure the shares of correct and of wrong corrections that are quarantined.

    python -m bench.quarantine [--lines 300] [--model models/hebrew_base.safetensors]

Synthetic lines only: first like training lines, then slanted, blurred and noisy until the base model reads
hardly any letter, and upside down in place of an unknown script. A correct correction is the line's own text,
a wrong one the text of another line. Prints CER, mean confidence and both shares.
"""

import argparse
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.alphabet import plain
from ketav_basemodel.paths import MATERIAL, NoBenchDataError, bench_data
from ketav_basemodel.synthesis import Sample, load_material, samples
from ketav_common.error_rates import cer
from ketav_engine import models
from ketav_engine.domain import Image, Reading
from ketav_engine.recognition import beam, decode, language_model, recognize
from ketav_registry.domain.corrections_quarantine import (
    Evidence,
    QuarantineLimits,
    check_correction,
)

SEED: Final = 910_000_000
"""Seed of the lines, different from the seeds of all training shards."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """Slant as a slope, blur in pixels (standard deviation) and noise in grey values."""

    slant: float
    blur: float
    noise: float


STEPS: Final = (
    Degradation(0.0, 0.0, 0.0),
    Degradation(0.35, 0.8, 12.0),
    Degradation(0.6, 1.3, 25.0),
    Degradation(0.9, 1.9, 40.0),
)
"""From readable to illegible."""


def degraded(image: Image, step: Degradation, random: np.random.Generator) -> Image:
    """Return a line (height, width) slanted, blurred and with noise; unchanged without slant."""
    if not step.slant:
        return image
    height, width = image.shape
    shear = np.array([[1, step.slant, 0], [0, 1, 0]], dtype=np.float32)
    wide = cv2.warpAffine(image, shear, (width + int(step.slant * height), height), borderValue=255)
    soft = cv2.GaussianBlur(wide, (0, 0), step.blur).astype(np.float64)
    return np.asarray(np.clip(soft + random.normal(0, step.noise, soft.shape), 0, 255), dtype=np.uint8)


def read(images: list[Image], model: models.LoadedModel, decoder: beam.BeamDecoder) -> list[Reading]:
    """Read lines like the recognizer."""
    readings: dict[int, Reading] = {}
    for indices, outputs in recognize.run(images, model):
        for index, output in zip(indices, outputs, strict=True):
            readings[index] = decode.to_reading(decoder(output), model.net.codec)
    return [readings[index] for index in range(len(images))]


def quarantined(text: str, reading: Reading, image: Image, limits: QuarantineLimits) -> bool:
    """Return whether a correction of a line would be quarantined."""
    confidence = float(np.mean(reading.confidences)) if reading.confidences else 0.0
    evidence = Evidence(reading.text, confidence, None, image.shape[1] / image.shape[0], None)
    quarantine = check_correction(text, evidence, limits, Levenshtein.normalized_distance, confirmed=False)
    return quarantine is not None


def measure(name: str, lines: list[Sample], images: list[Image], readings: list[Reading]) -> None:
    """Print one row."""
    limits, texts = QuarantineLimits(), [plain(line.text) for line in lines]
    rate = cer(zip(texts, (reading.text for reading in readings), strict=True)).rate
    confidence = np.mean([np.mean(reading.confidences or [0.0]) for reading in readings])
    correct = [quarantined(*line, limits) for line in zip(texts, readings, images, strict=True)]
    other_texts = [texts[-1], *texts[:-1]]
    wrong = [quarantined(*line, limits) for line in zip(other_texts, readings, images, strict=True)]
    shares = f"quarantined: correct {np.mean(correct):6.1%}  wrong {np.mean(wrong):6.1%}"
    print(f"{name:14} CER {rate:6.1%}  confidence {confidence:.2f}  {shares}", flush=True)


def main() -> None:
    """Measure every degradation and the unknown script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    parser.add_argument("--language", type=Path, default=Path("models/hebrew_lm.npz"))
    arguments = parser.parse_args()
    try:
        bench = bench_data()
    except NoBenchDataError as error:
        print(f"Skipped: {error}")
        return
    model = models.load(arguments.model.read_bytes())
    decoder = beam.BeamDecoder(beam.LanguageTables(language_model.read(arguments.language)), model.net.codec)
    source = samples(load_material(MATERIAL, bench), SEED, model.info.height)
    lines = list(islice(source, arguments.lines))
    random = np.random.default_rng(SEED)
    for number, step in enumerate(STEPS):
        images = [degraded(line.image, step, random) for line in lines]
        measure(f"degraded {number}", lines, images, read(images, model, decoder))
    images = [np.ascontiguousarray(line.image[::-1]) for line in lines]
    measure("unknown script", lines, images, read(images, model, decoder))


if __name__ == "__main__":
    main()
