"""Compare the errors in the lines that are listed to be corrected next with those in random lines.

    python -m bench.next_lines [--folder notebook/rock] [--model models/hebrew_base.safetensors]

Reads the folder with beam search like the services, lists 16, 64 and 256 lines like `/projects/{id}/next-
lines` for a project without corrections, and prints their CER and length, and the CER of 1,000 random draws
of as many lines. No parameter is chosen by these figures: the measure of uncertainty was compared on
synthetic lines only.
"""

import argparse
import random
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import cv2
import numpy as np

from ketav_basemodel.paths import NoBenchDataError, bench_data
from ketav_common.error_rates import Pair, cer
from ketav_engine import models
from ketav_engine.lines import normalise
from ketav_engine.recognition import beam, language_model, recognize
from ketav_registry.domain.next_lines import Candidate, rank_lines

SIZES = (16, 64, 256)
"""Lines that are listed."""
DRAWS = 1_000
"""Random draws for each size."""


def read(folder: Path, model: models.LoadedModel, language: Path) -> tuple[list[Candidate], list[Pair]]:
    """Read a folder's lines; return them as candidates with their (verified, read) texts."""
    paths = sorted(folder.glob("*.png"))
    greys = [np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in paths]
    decoder = beam.BeamDecoder(beam.LanguageTables(language_model.read(language)), model.net.codec)
    images = [normalise(grey, model.info.height) for grey in greys]
    readings = recognize.read(images, model, decoder)
    texts = [path.with_suffix(".gt.txt").read_text(encoding="utf-8").strip() for path in paths]
    pages = [uuid5(NAMESPACE_URL, path.name.partition("_seg")[0]) for path in paths]
    candidates = [
        Candidate(UUID(int=number), page, number, reading.text, reading.confidences)
        for number, (page, reading) in enumerate(zip(pages, readings, strict=True))
        if reading.text
    ]
    return candidates, [(text, reading.text) for text, reading in zip(texts, readings, strict=True)]


def measure(candidates: list[Candidate], pairs: list[Pair], size: int) -> None:
    """Print the CER of the listed lines and of random ones."""
    listed = [pick.line.line_id.int for pick in rank_lines(candidates, (), size)]
    generator = random.Random(size)
    numbers = [line.line_id.int for line in candidates]
    rates = sorted(
        cer([pairs[number] for number in generator.sample(numbers, size)]).rate for _ in range(DRAWS)
    )
    rate = cer([pairs[number] for number in listed]).rate
    length = np.mean([len(pairs[number][0]) for number in listed])
    pages = len({line.page_id for line in candidates if line.line_id.int in set(listed)})
    low, high = rates[DRAWS // 40], rates[-DRAWS // 40]
    print(
        f"{size:4} lines: listed CER {rate:6.1%} ({length:.0f} letters a line, {pages} pages)  "
        f"random {np.mean(rates):6.1%} (95 %: {low:.1%} to {high:.1%})",
        flush=True,
    )


def main() -> None:
    """Read the folder once and measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="notebook/rock")
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    parser.add_argument("--language", type=Path, default=Path("models/hebrew_lm.npz"))
    arguments = parser.parse_args()
    try:
        folder = bench_data() / arguments.folder
    except NoBenchDataError as error:
        print(f"Skipped: {error}")
        return
    if not folder.is_dir():
        print(f"Skipped: there is no folder {folder}. Name another one with --folder.")
        return
    model = models.load(arguments.model.read_bytes())
    candidates, pairs = read(folder, model, arguments.language)
    print(f"{arguments.folder}: {len(pairs)} lines, CER {cer(pairs).rate:.1%}", flush=True)
    for size in SIZES:
        if size < len(candidates):
            measure(candidates, pairs, size)


if __name__ == "__main__":
    main()
