"""Best path against beam search with the language model, for each folder of real handwriting.

    python -m bench.decoding [--model models/hebrew_base.safetensors] [--language models/hebrew_lm.npz]

Prints CER with either decoder, what the beam costs in milliseconds a line, lines read a second, and the
mean confidence, which 1 - CER should match.
"""

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np

from ketav_common.metrics import cer
from ketav_engine import beam, decode, models, ngram, recognize
from ketav_engine.domain import Image
from ketav_engine.lines import normalise

DATA = Path(os.environ.get("KETAV_BENCH_DATA", "../shared/data"))
FOLDERS = ("forms", "notebook/agada", "stam")


def lines(folder: Path, height: int) -> tuple[list[Image], list[str]]:
    """Read and normalise a folder's line images with their texts."""
    paths = sorted(folder.glob("*.png"))
    images = [
        normalise(np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8), height) for path in paths
    ]
    return images, [path.with_suffix(".gt.txt").read_text(encoding="utf-8").strip() for path in paths]


def measure(folder: str, model: models.LoadedModel, language: ngram.Ngram | None) -> None:
    """Print the figures of one folder."""
    images, texts = lines(DATA / folder, model.info.height)
    began = time.perf_counter()
    outputs: list[decode.Probabilities] = [np.zeros((1, 1), np.float32)] * len(images)
    for chosen, found in recognize.run(images, model):
        for index, output in zip(chosen, found, strict=True):
            outputs[index] = output.copy()
    network = time.perf_counter() - began
    greedy = [decode.to_reading(decode.greedy(output), model.net.codec) for output in outputs]
    rate = cer(zip(texts, (reading.text for reading in greedy), strict=True)).rate
    sure = sum(sum(reading.confidences) for reading in greedy) / max(1, sum(len(r.text) for r in greedy))
    row = f"{folder:16} lines {len(images):4} {len(images) / network:6.1f} lines/s CER greedy {rate:.4f}"
    row += f" confidence {sure:.3f}"
    if language is not None:
        decoder = beam.BeamDecoder(language, model.net.codec)
        began = time.perf_counter()
        searched = [decode.to_reading(decoder(output), model.net.codec) for output in outputs]
        cost = (time.perf_counter() - began) / len(images)
        rate = cer(zip(texts, (reading.text for reading in searched), strict=True)).rate
        row += f" beam {rate:.4f} +{cost * 1000:.1f} ms/line"
    print(row, flush=True)


def main() -> None:
    """Measure every folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    parser.add_argument("--language", type=Path, default=Path("models/hebrew_lm.npz"))
    arguments = parser.parse_args()
    if not DATA.is_dir() or not arguments.model.is_file():
        print(f"no data at {DATA} or no model at {arguments.model}: set KETAV_BENCH_DATA, pass --model")
        return
    model = models.load(arguments.model.read_bytes())
    language = ngram.read(arguments.language) if arguments.language.is_file() else None
    for folder in FOLDERS:
        measure(folder, model, language)


if __name__ == "__main__":
    main()
