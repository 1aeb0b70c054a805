"""Fit the two weights of the beam search on synthetic lines: held-out writers and texts, no real line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ketav_basemodel import sentences
from ketav_basemodel.alphabet import DIGITS, LETTERS, plain
from ketav_basemodel.corpora import BIBLE, bible_verses
from ketav_basemodel.synthesis import Material, Sample, load_material, samples
from ketav_common.metrics import cer
from ketav_engine.recognition.beam import BeamDecoder, BeamOptions
from ketav_engine.recognition.decode import Decoder, Probabilities, greedy, to_reading
from ketav_engine.recognition.ngram import Ngram
from ketav_engine.recognition.recognize import run

SEED: Final = 910_000_000
"""Seed of these lines, different from the seeds of all shards and of the calibration."""
_STRIDE: Final = 6
"""Every sixth line is taken, so that the lines are of more writers."""
WEIGHTS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
BONUSES: Final = (0.0, 0.3, 0.6, 0.9, 1.2, 1.6, 2.0, 2.5)
"""The grid of the language model's weights and of the bonuses for a character."""
_START: Final = (3, 2)
"""Indices of the weight and the bonus at which the search begins."""
_NEIGHBOURS: Final = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1))
"""Steps in the grid: the point itself first. A higher weight goes with a higher bonus."""

Lines = Mapping[str, Sequence[Sample]]
"""Validation lines by the type of their text."""


def validation_lines(data: Path, bench: Path, height: int, count: int = 360) -> Lines:
    """Return validation lines of all kinds of writers with four types of texts.

    Half are `running` sentences and verses, a quarter the `mixture` of training lines; the rest, which only
    shows what the language model harms, are `random` letters and `digits`.
    """
    material = load_material(data, bench, "validation")
    verses = bible_verses(data / BIBLE, "validation")
    sources = {
        "running": (sentences.RunningTexts(sentences.read(data), verses), count // 2),
        "mixture": (material.texts, count // 4),
        "random": (sentences.RandomTexts(LETTERS), count // 8),
        "digits": (sentences.RandomTexts(DIGITS), count // 8),
    }
    return {
        name: _lines(replace(material, texts=texts), SEED + index, height, number)
        for index, (name, (texts, number)) in enumerate(sources.items())
    }


def _lines(material: Material, seed: int, height: int, count: int) -> list[Sample]:
    """Return `count` lines of many writers."""
    return list(islice(samples(material, seed, height), 0, _STRIDE * count, _STRIDE))


def outputs(model: Any, lines: Lines) -> dict[str, list[Probabilities]]:  # noqa: ANN401  # the engine's LoadedModel
    """Return the network's outputs for each line."""
    by_type: dict[str, list[Probabilities]] = {}
    for name, group in lines.items():
        ordered: dict[int, Probabilities] = {}
        for indices, batch in run([sample.image for sample in group], model):
            ordered |= dict(zip(indices, (output.copy() for output in batch), strict=True))
        by_type[name] = [ordered[index] for index in range(len(group))]
    return by_type


def rates(
    decoder: Decoder,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    network_outputs: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> dict[str, float]:
    """Return the CER of each type of text with a decoder."""
    return {
        name: cer(
            (plain(sample.text), to_reading(decoder(output), codec).text)
            for sample, output in zip(lines[name], group, strict=True)
        ).rate
        for name, group in network_outputs.items()
    }


def fit(
    language: Ngram,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    network_outputs: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> tuple[BeamOptions, dict[tuple[float, float], float]]:
    """Return the weights with the lowest mean CER of `running` and `mixture`, and all measured CERs.

    The search steps from the best pair to its neighbours in the grid until none is better.
    """
    fitted = {name: group for name, group in network_outputs.items() if name in {"running", "mixture"}}

    def cost(weight: float, bonus: float) -> float:
        """Measure one pair."""
        decoder = BeamDecoder(language, codec, BeamOptions(weight, bonus))
        measured = rates(decoder, codec, fitted, lines)
        return sum(measured.values()) / len(measured)

    costs = _descend(cost, _START)
    weight, bonus = min(costs, key=lambda pair: costs[pair])
    return BeamOptions(weight, bonus), costs


def _descend(
    cost: Callable[[float, float], float], start: tuple[int, int]
) -> dict[tuple[float, float], float]:
    """Descend in the grid of weights and bonuses; return the cost of every pair that was measured."""
    costs: dict[tuple[float, float], float] = {}
    lowest, position = float("inf"), start
    while True:
        candidates = [(position[0] + i, position[1] + j) for i, j in _NEIGHBOURS]
        for i, j in candidates:
            if not (0 <= i < len(WEIGHTS) and 0 <= j < len(BONUSES)):
                continue
            pair = WEIGHTS[i], BONUSES[j]
            if pair not in costs:
                costs[pair] = cost(*pair)
            if costs[pair] < lowest:
                lowest, position = costs[pair], (i, j)
        if position == candidates[0]:
            return costs


def compare(
    language: Ngram,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    network_outputs: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> dict[str, tuple[float, float]]:
    """Return the CER of each type of text, greedily and with the beam search."""
    greedy_rates = rates(greedy, codec, network_outputs, lines)
    beam_rates = rates(BeamDecoder(language, codec), codec, network_outputs, lines)
    return {name: (greedy_rates[name], beam_rates[name]) for name in network_outputs}
