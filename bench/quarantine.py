"""How many right corrections the quarantine would doubt, and how many wrong ones it would catch.

    python -m bench.quarantine [--lines 300] [--model models/hebrew_base.safetensors]

Synthetic lines only: as the training draws them, then slanted, blurred and noisy until the base model reads
hardly anything, and upside down, which stands for a hand it has never seen. A right correction is the line's
own text, a wrong one the text of another line. Prints CER, mean confidence and both shares.
"""

import argparse
import os
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.synthesis import Sample, load_material, samples
from ketav_basemodel.texts import plain
from ketav_common.metrics import cer
from ketav_engine import models
from ketav_engine.domain import Image, Reading
from ketav_engine.recognition import beam, decode, language_model, recognize
from ketav_registry.domain.corrections_quarantine import (
    Evidence,
    QuarantineLimits,
    check_correction,
)

SEED = 910_000_000
# Slant, blur in pixels and noise in grey values, from readable to illegible.
STEPS = ((0.0, 0.0, 0.0), (0.35, 0.8, 12.0), (0.6, 1.3, 25.0), (0.9, 1.9, 40.0))


def spoilt(image: Image, step: tuple[float, float, float], chance: np.random.Generator) -> Image:
    """Slant, blur and roughen a line (height, width)."""
    slant, blur, noise = step
    if not slant:
        return image
    height, width = image.shape
    shear = np.array([[1, slant, 0], [0, 1, 0]], dtype=np.float32)
    wide = cv2.warpAffine(image, shear, (width + int(slant * height), height), borderValue=255)
    soft = cv2.GaussianBlur(wide, (0, 0), blur).astype(np.float64)
    return np.asarray(np.clip(soft + chance.normal(0, noise, soft.shape), 0, 255), dtype=np.uint8)


def read(images: list[Image], model: models.LoadedModel, decoder: beam.BeamDecoder) -> list[Reading]:
    """Read lines as the recognizer serves them."""
    readings: dict[int, Reading] = {}
    for chosen, found in recognize.run(images, model):
        for index, output in zip(chosen, found, strict=True):
            readings[index] = decode.to_reading(decoder(output), model.net.codec)
    return [readings[index] for index in range(len(images))]


def doubted(text: str, reading: Reading, image: Image, limits: QuarantineLimits) -> bool:
    """Say whether a correction of a line would be quarantined."""
    sure = float(np.mean(reading.confidences)) if reading.confidences else 0.0
    evidence = Evidence(reading.text, sure, None, image.shape[1] / image.shape[0], None)
    quarantine = check_correction(text, evidence, limits, Levenshtein.normalized_distance, confirmed=False)
    return quarantine is not None


def measure(name: str, lines: list[Sample], images: list[Image], readings: list[Reading]) -> None:
    """Print one row."""
    limits, texts = QuarantineLimits(), [plain(line.text) for line in lines]
    rate = cer(zip(texts, (reading.text for reading in readings), strict=True)).rate
    sure = np.mean([np.mean(reading.confidences or [0.0]) for reading in readings])
    right = [doubted(*each, limits) for each in zip(texts, readings, images, strict=True)]
    others = [texts[-1], *texts[:-1]]
    wrong = [doubted(*each, limits) for each in zip(others, readings, images, strict=True)]
    shares = f"right doubted {np.mean(right):6.1%}  wrong caught {np.mean(wrong):6.1%}"
    print(f"{name:12} CER {rate:6.1%}  confidence {sure:.2f}  {shares}", flush=True)


def main() -> None:
    """Measure every step and the unknown hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    parser.add_argument("--language", type=Path, default=Path("models/hebrew_lm.npz"))
    arguments = parser.parse_args()
    data, letters = (
        os.environ.get("KETAV_BASEMODEL_DATA"),
        os.environ.get("KETAV_BENCH_DATA", "../shared/data"),
    )
    if not data or not Path(letters).is_dir():
        print("no material: set KETAV_BASEMODEL_DATA and KETAV_BENCH_DATA")
        return
    model = models.load(arguments.model.read_bytes())
    decoder = beam.BeamDecoder(beam.LanguageTables(language_model.read(arguments.language)), model.net.codec)
    source = samples(load_material(Path(data), Path(letters)), SEED, model.info.height)
    lines = list(islice(source, arguments.lines))
    chance = np.random.default_rng(SEED)
    for number, step in enumerate(STEPS):
        images = [spoilt(line.image, step, chance) for line in lines]
        measure(f"spoilt {number}", lines, images, read(images, model, decoder))
    images = [np.ascontiguousarray(line.image[::-1]) for line in lines]
    measure("unknown hand", lines, images, read(images, model, decoder))


if __name__ == "__main__":
    main()
