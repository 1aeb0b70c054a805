"""Best path against beam search with the language model, for each folder of real handwriting.

    python -m bench.decoding [--model models/hebrew_base.safetensors] [--language models/hebrew_lm.npz]

Prints CER with either decoder and the beam's cost: time of network and beam against network and best path,
both measured line set by line set in one process, so that what else the machine does weighs on both alike.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from ketav_basemodel.evaluate import folders, grey, lines_of
from ketav_basemodel.places import BENCH
from ketav_basemodel.texts import plain
from ketav_common.metrics import cer
from ketav_engine import models
from ketav_engine.lines import normalise
from ketav_engine.recognition import beam, decode, language_model, recognize


def timed(
    decoder: decode.Decoder, outputs: Sequence[decode.Probabilities]
) -> tuple[list[list[decode.Label]], float]:
    """Decode outputs; return the labels and the processor seconds that took."""
    began = time.process_time()
    found = [decoder(output) for output in outputs]
    return found, time.process_time() - began


def measure(folder: str, model: models.LoadedModel, decoder: decode.Decoder) -> None:
    """Print the figures of one folder."""
    paths = lines_of(BENCH / folder)
    texts = [plain(path.with_suffix(".gt.txt").read_text(encoding="utf-8")) for path in paths]
    images = [normalise(grey(path), model.info.height) for path in paths]
    began = time.process_time()
    outputs: dict[int, decode.Probabilities] = {}
    for chosen, found in recognize.run(images, model):
        outputs |= dict(zip(chosen, (output.copy() for output in found), strict=True))
    network = time.process_time() - began
    ordered = [outputs[index] for index in range(len(images))]
    row = f"{folder:16} {len(images):4} lines"
    spent = []
    for name, how in (("greedy", decode.greedy), ("beam", decoder)):
        labels, seconds = timed(how, ordered)
        spent.append(network + seconds)
        readings = (plain(decode.to_reading(found, model.net.codec).text) for found in labels)
        row += f"  {name} {cer(zip(texts, readings, strict=True)).rate:.4f}"
    beam_ms = 1000 * (spent[1] - spent[0]) / len(images)
    print(f"{row}  time x{spent[1] / spent[0]:.2f} (+{beam_ms:.1f} ms a line)", flush=True)


def main() -> None:
    """Measure every folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    parser.add_argument("--language", type=Path, default=Path("models/hebrew_lm.npz"))
    arguments = parser.parse_args()
    if not BENCH.is_dir() or not arguments.model.is_file():
        print(f"no data at {BENCH} or no model at {arguments.model}: set KETAV_BENCH_DATA, pass --model")
        return
    model = models.load(arguments.model.read_bytes())
    decoder = beam.BeamDecoder(beam.LanguageTables(language_model.read(arguments.language)), model.net.codec)
    for folder in folders(BENCH):
        measure(folder, model, decoder)


if __name__ == "__main__":
    main()
