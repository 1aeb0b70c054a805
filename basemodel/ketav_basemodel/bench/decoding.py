"""Compare best-path decoding with beam search, for each folder of lines of real writers.

    python -m ketav_basemodel.bench.decoding [--model FILE] [--language FILE]

Prints the CER of both decoders and the cost of the beam search: the time of network and beam search relative
to that of network and best path. Both are measured folder by folder in one process, so that other load on the
machine affects both alike.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ketav_basemodel.alphabet import plain
from ketav_basemodel.evaluate import folders, grey, line_images
from ketav_basemodel.paths import NoBenchDataError, bench_data
from ketav_common.error_rates import cer
from ketav_engine import models
from ketav_engine.lines import normalise
from ketav_engine.recognition import beam, decode, language_model, recognize


@dataclass(frozen=True, slots=True)
class Decoded:
    """The labels of each output, and the processor seconds of decoding them."""

    labels: list[list[decode.Label]]
    seconds: float


def timed(decoder: decode.Decoder, outputs: Sequence[decode.Probabilities]) -> Decoded:
    """Decode outputs and measure the time."""
    began = time.process_time()
    labels = [decoder(output) for output in outputs]
    return Decoded(labels, time.process_time() - began)


def measure(bench: Path, folder: str, model: models.LoadedModel, decoder: decode.Decoder) -> None:
    """Print the figures of one folder."""
    paths = line_images(bench / folder)
    texts = [plain(path.with_suffix(".gt.txt").read_text(encoding="utf-8")) for path in paths]
    images = [normalise(grey(path), model.info.height) for path in paths]
    began = time.process_time()
    outputs: dict[int, decode.Probabilities] = {}
    for indices, batch in recognize.run(images, model):
        outputs |= dict(zip(indices, (output.copy() for output in batch), strict=True))
    network_seconds = time.process_time() - began
    ordered = [outputs[index] for index in range(len(images))]
    row = f"{folder:16} {len(images):4} lines"
    seconds = []
    for name, each_decoder in (("greedy", decode.greedy), ("beam", decoder)):
        decoded = timed(each_decoder, ordered)
        seconds.append(network_seconds + decoded.seconds)
        readings = (plain(decode.to_reading(labels, model.net.codec).text) for labels in decoded.labels)
        row += f"  {name} {cer(zip(texts, readings, strict=True)).rate:.4f}"
    beam_ms = 1000 * (seconds[1] - seconds[0]) / len(images)
    print(f"{row}  time x{seconds[1] / seconds[0]:.2f} (+{beam_ms:.1f} ms a line)", flush=True)


def main() -> None:
    """Measure every folder."""
    parser = argparse.ArgumentParser(description=__doc__)
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
    for folder in folders(bench):
        measure(bench, folder, model, decoder)


if __name__ == "__main__":
    main()
