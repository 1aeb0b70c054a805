"""Fits the beam's two weights on synthetic lines: held-out writers, held-out texts, never a real hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ketav_basemodel import sentences
from ketav_basemodel.synthesis import Material, Sample, load_material, samples
from ketav_basemodel.texts import DIGITS, LETTERS, bible_verses, plain
from ketav_common.metrics import cer
from ketav_engine.recognition.beam import BeamDecoder, BeamOptions
from ketav_engine.recognition.decode import Decoder, Probabilities, greedy, to_reading
from ketav_engine.recognition.ngram import Ngram
from ketav_engine.recognition.recognize import run

SEED: Final = 910_000_000
"""Far from every shard's seed and from the calibration's."""
WEIGHTS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
BONUSES: Final = (0.0, 0.3, 0.6, 0.9, 1.2, 1.6, 2.0, 2.5)

Lines = Mapping[str, Sequence[Sample]]
"""Validation lines by what their text is."""


def validation_lines(data: Path, bench: Path, height: int, count: int = 360) -> Lines:
    """Write validation lines of all kinds of writers, whose texts are of four sorts.

    Half are `running` sentences and verses, a quarter the `mixture` that training lines hold; the rest, which
    only show harm, letters at `random` and `digits`.
    """
    material = load_material(data, bench, "validation")
    verses = bible_verses(data / "node_modules/morphhb/wlc", "validation")
    sources = {
        "running": (sentences.Running(sentences.read(data), verses), count // 2),
        "mixture": (material.texts, count // 4),
        "random": (sentences.Noise(LETTERS), count // 8),
        "digits": (sentences.Noise(DIGITS), count // 8),
    }
    return {
        name: _some(replace(material, texts=texts), SEED + place, height, number)
        for place, (name, (texts, number)) in enumerate(sources.items())
    }


def _some(material: Material, seed: int, height: int, count: int) -> list[Sample]:
    """Write lines of as many writers as can be: every sixth line of a page."""
    return list(islice(samples(material, seed, height), 0, 6 * count, 6))


def outputs(model: Any, lines: Lines) -> dict[str, list[Probabilities]]:  # noqa: ANN401  # the engine's LoadedModel
    """Return the network's outputs for each line."""
    found: dict[str, list[Probabilities]] = {}
    for name, group in lines.items():
        ordered: dict[int, Probabilities] = {}
        for chosen, batch in run([sample.image for sample in group], model):
            ordered |= dict(zip(chosen, (output.copy() for output in batch), strict=True))
        found[name] = [ordered[index] for index in range(len(group))]
    return found


def rates(
    decoder: Decoder,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    found: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> dict[str, float]:
    """Return the CER of each sort of lines with a decoder."""
    return {
        name: cer(
            (plain(sample.text), to_reading(decoder(output), codec).text)
            for sample, output in zip(lines[name], group, strict=True)
        ).rate
        for name, group in found.items()
    }


def fit(
    language: Ngram,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    found: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> tuple[BeamOptions, dict[tuple[float, float], float]]:
    """Return the weights with the lowest mean CER of `running` and `mixture`, and the CER of all tried.

    Steps from the best pair to its neighbours in the grid until none is better.
    """
    fitted = {name: group for name, group in found.items() if name in {"running", "mixture"}}

    def cost(weight: float, bonus: float) -> float:
        """Measure one pair."""
        decoder = BeamDecoder(language, codec, BeamOptions(weight, bonus))
        measured = rates(decoder, codec, fitted, lines)
        return sum(measured.values()) / len(measured)

    tried = _descend(cost, (3, 2))
    weight, bonus = min(tried, key=lambda pair: tried[pair])
    return BeamOptions(weight, bonus), tried


def _descend(
    cost: Callable[[float, float], float], start: tuple[int, int]
) -> dict[tuple[float, float], float]:
    """Walk down the grid of weights and bonuses; return everything measured on the way."""
    tried: dict[tuple[float, float], float] = {}
    best, place = float("inf"), start
    while True:
        around = [
            (place[0] + i, place[1] + j)
            for i, j in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1))
        ]
        for i, j in around:
            if not (0 <= i < len(WEIGHTS) and 0 <= j < len(BONUSES)):
                continue
            pair = WEIGHTS[i], BONUSES[j]
            if pair not in tried:
                tried[pair] = cost(*pair)
            if tried[pair] < best:
                best, place = tried[pair], (i, j)
        if place == around[0]:
            return tried


def compare(
    language: Ngram,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    found: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> dict[str, tuple[float, float]]:
    """Return the CER of each sort of lines, greedy and with the beam."""
    plainly = rates(greedy, codec, found, lines)
    searched = rates(BeamDecoder(language, codec), codec, found, lines)
    return {name: (plainly[name], searched[name]) for name in found}
