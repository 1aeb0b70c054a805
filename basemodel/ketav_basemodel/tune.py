"""Fit the weights of the beam search on validation lines: unseen or held-out writers, held-out texts.

People write sentences, so sentences decide. Random letters and numbers are guards: settings that read those
worse than a fixed limit are excluded, whatever they gain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path
from typing import Any, Final

import numpy as np

from ketav_basemodel import running_text, sentences
from ketav_basemodel.alphabet import LETTERS, plain
from ketav_basemodel.calibrate import fit_calibration, matches
from ketav_basemodel.corpora import BIBLE, bible_verses
from ketav_basemodel.number_forms import number_words
from ketav_basemodel.synthesis import Material, Mixture, load_material, samples
from ketav_basemodel.unseen_writers import UnseenWriter, load_writers, write_line
from ketav_common.error_rates import cer
from ketav_engine.lines import normalise
from ketav_engine.recognition.beam import BeamDecoder, LanguageTables
from ketav_engine.recognition.decode import Decoder, Probabilities, greedy, to_reading
from ketav_engine.recognition.language_model import Calibration, LanguageModel, SearchSettings
from ketav_engine.recognition.recognize import run

SEED: Final = 910_000_000
"""Seed of these lines, different from the seeds of all shards and of the calibration."""
_STRIDE: Final = 6
"""Every sixth line of a page is taken, so that the lines are of more writers."""
UNSEEN: Final = ("newspaper", "sentences", "comments")
"""Sets of running text in the letters of writers that no model was trained on."""
DECIDING: Final = (*UNSEEN, "held-out writers")
"""Sets of lines whose mean CER is minimised; no text of `newspaper` was counted."""
MAX_GUARD_CER: Final = {"random": 0.176, "numbers": 0.239}
"""Largest allowed CER of the sets that must remain readable: names and codes are rare, and users correct
them in any case. The values are 4/3 of the CER of the best path with the twin of the release of 2026-11-26.
They do not follow the network: when it reads random letters better, that is no reason to weaken the language
model."""
MIN_WORDS: Final = 4
"""Words of the shortest line."""
GRID: Final = {
    "weight": (0.5, 0.65, 0.8, 0.95),
    "bonus": (0.9, 1.2, 1.6, 2.0),
    "running_share": (0.0, 0.2, 0.35, 0.5),
    "unknown_share": (0.0, 0.02, 0.05, 0.1, 0.2),
}
"""Values of the settings that are tried."""


@dataclass(frozen=True, slots=True)
class ValidationLine:
    """A line: its writer, its text in logical order, its image as the network gets it."""

    writer: str
    text: str
    image: np.ndarray[tuple[int, int], np.dtype[np.uint8]]


Lines = Mapping[str, Sequence[ValidationLine]]
"""Validation lines by set."""


def validation_lines(data: Path, bench: Path, height: int) -> Lines:
    """Write the validation lines. Raises FileNotFoundError where letters or texts are missing."""
    random = np.random.default_rng(SEED)
    writers = load_writers(bench / "letters_jce")
    running = running_text.load(bench, data, "validation")
    newspaper = sentences.read(data)
    texts = {"newspaper": newspaper, "sentences": running.sentences, "comments": running.comments}
    lines = {name: _unseen(writers, text, 6, height, random) for name, text in texts.items()}
    random_texts = sentences.RandomTexts(LETTERS)
    lines["random"] = _unseen(writers, [random_texts.draw(random) for _ in range(200)], 2, height, random)
    material = load_material(data, bench, "validation", latin=False)
    verses = bible_verses(data / BIBLE, "validation")
    held_out = replace(material, texts=sentences.RunningTexts(newspaper, verses))
    lines["held-out writers"] = _synthetic(held_out, "hand", SEED, height, 200)
    lines["scribes"] = _synthetic(held_out, "stam", SEED + 1, height, 150)
    numbers = _numbers(random)
    numbered = replace(material, texts=sentences.RunningTexts(numbers, [line.split() for line in numbers]))
    lines["numbers"] = _synthetic(numbered, "hand", SEED + 2, height, 100)
    return lines


def _unseen(
    writers: Sequence[UnseenWriter],
    texts: Sequence[str],
    count: int,
    height: int,
    random: np.random.Generator,
) -> list[ValidationLine]:
    """Return `count` lines of each writer: four to eight successive words of texts that have four."""
    sources = [words for text in texts if len(words := running_text.words_of(text)) >= MIN_WORDS]
    lines = []
    for writer in writers:
        for _ in range(count):
            words = sources[int(random.integers(len(sources)))]
            length = int(random.integers(MIN_WORDS, 2 * MIN_WORDS + 1))
            start = int(random.integers(max(1, len(words) - length + 1)))
            line = write_line(writer, " ".join(words[start : start + length]), random)
            lines.append(ValidationLine(line.writer, line.text, normalise(line.image, height)))
    return lines


def _synthetic(material: Material, kind: str, seed: int, height: int, count: int) -> list[ValidationLine]:
    """Return `count` lines of many synthetic writers of a kind."""
    drawn = samples(material, seed, height, mixture=Mixture({kind: 1.0}))
    lines = islice(drawn, 0, _STRIDE * count, _STRIDE)
    return [ValidationLine(kind, line.text, line.image) for line in lines]


def _numbers(random: np.random.Generator) -> list[str]:
    """Return lines of dates, times, prices and telephone numbers."""
    words = list(number_words(2000, seed=int(random.integers(2**31))))
    return [" ".join(words[start : start + 4]) for start in range(0, len(words) - 4, 4)]


def outputs(model: Any, lines: Lines) -> dict[str, list[Probabilities]]:  # noqa: ANN401  # the engine's LoadedModel
    """Return the network's outputs for each line."""
    by_set: dict[str, list[Probabilities]] = {}
    for name, group in lines.items():
        ordered: dict[int, Probabilities] = {}
        for indices, batch in run([line.image for line in group], model):
            ordered |= dict(zip(indices, (output.copy() for output in batch), strict=True))
        by_set[name] = [ordered[index] for index in range(len(group))]
    return by_set


def rates(
    decoder: Decoder,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    by_set: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> dict[str, float]:
    """Return the CER of each set of lines with a decoder."""
    return {
        name: cer(
            (plain(line.text), plain(to_reading(decoder(output), codec).text))
            for line, output in zip(lines[name], group, strict=True)
        ).rate
        for name, group in by_set.items()
    }


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings and the CER of each set with them."""

    settings: SearchSettings
    rates: Mapping[str, float]

    @property
    def cost(self) -> float:
        """The mean CER of the sets that decide."""
        return sum(self.rates[name] for name in DECIDING) / len(DECIDING)


def fit(
    language: LanguageModel,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    by_set: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> list[Trial]:
    """Try settings by coordinate descent over `GRID` until none is better; return the trials, the best first.

    Trials that break a guard come last.
    """
    tables = LanguageTables(language)
    trials: dict[SearchSettings, Trial] = {}

    def rank(trial: Trial) -> tuple[bool, float]:
        """Order by the guards, then by the cost."""
        return any(trial.rates[name] > limit for name, limit in MAX_GUARD_CER.items()), trial.cost

    def measured(settings: SearchSettings) -> Trial:
        """Return the trial of some settings."""
        if settings not in trials:
            set_rates = rates(BeamDecoder(tables, codec, settings), codec, by_set, lines)
            trials[settings] = Trial(settings, set_rates)
        return trials[settings]

    best, improved = measured(language.settings), True
    while improved:
        nearest = min((measured(settings) for settings in _neighbours(best.settings)), key=rank)
        improved = rank(nearest) < rank(best)
        best = nearest if improved else best
    return sorted(trials.values(), key=rank)


def _neighbours(settings: SearchSettings) -> list[SearchSettings]:
    """Return settings that differ in one value of `GRID`, or in weight and bonus, which belong together."""
    pairs = product(GRID["weight"], GRID["bonus"])
    return [
        *(replace(settings, weight=weight, bonus=bonus) for weight, bonus in pairs),
        *(replace(settings, running_share=share) for share in GRID["running_share"]),
        *(replace(settings, unknown_share=share) for share in GRID["unknown_share"]),
    ]


def calibrate(
    language: LanguageModel,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    by_set: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> Calibration:
    """Return the calibration of the readings of the lines that decide, as the fitted search reads them."""
    uncalibrated = replace(language, calibration=Calibration())
    decoder = BeamDecoder(LanguageTables(uncalibrated), codec)
    certainties, correct = [], []
    for name in DECIDING:
        for line, output in zip(lines[name], by_set[name], strict=True):
            reading = to_reading(decoder(output), codec)
            certainties.append(np.array(reading.confidences))
            correct.append(matches(line.text, reading.text))
    return fit_calibration(np.concatenate(certainties), np.concatenate(correct))


def compare(
    language: LanguageModel,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    by_set: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> dict[str, tuple[float, float]]:
    """Return the CER of each set of lines with the best path and with the beam search."""
    best_path = rates(greedy, codec, by_set, lines)
    searched = rates(BeamDecoder(LanguageTables(language), codec), codec, by_set, lines)
    return {name: (best_path[name], searched[name]) for name in by_set}


def writer_rates(
    language: LanguageModel,
    codec: Any,  # noqa: ANN401  # kraken is untyped
    by_set: Mapping[str, list[Probabilities]],
    lines: Lines,
) -> dict[str, float]:
    """Return the CER of the running text of each unseen writer with the beam search."""
    decoder = BeamDecoder(LanguageTables(language), codec)
    pairs: dict[str, list[tuple[str, str]]] = {}
    for name in UNSEEN:
        for line, output in zip(lines[name], by_set[name], strict=True):
            reading = to_reading(decoder(output), codec)
            pairs.setdefault(line.writer, []).append((plain(line.text), plain(reading.text)))
    return {writer: cer(of_writer).rate for writer, of_writer in pairs.items()}
