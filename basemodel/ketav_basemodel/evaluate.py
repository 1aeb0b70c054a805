"""What a model reads of real hands: CER, WER and letters-only CER, per folder, never one average."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.texts import plain
from ketav_common.metrics import ErrorRate, cer, edits, letters_only, wer
from ketav_engine.domain import Image, Reading
from ketav_engine.lines import normalise
from ketav_engine.recognition.decode import Decoder, greedy
from ketav_engine.recognition.recognize import read

FOLDERS: Final = ("forms", "notebook/rock", "notebook/ariel", "notebook/agada", "stam")
"""The folders of KETAV_BENCH_DATA with transcribed lines that are known; others are measured after them."""
NOTES: Final = {
    "forms": "four writers, seven sentences; may share writers with the training letters",
    "notebook/rock": "one writer, word gaps recomposed",
    "notebook/ariel": "the same writer",
    "notebook/agada": "the same writer",
    "stam": "four scrolls, one text",
}
_RESAMPLES: Final = 1000


@dataclass(frozen=True, slots=True)
class Figures:
    """How well one folder is read. Rates are edits over the reference's length, over the whole folder."""

    folder: str
    lines: int
    characters: int
    cer: float
    wer: float
    letters_cer: float
    low: float = 0.0
    """CER at the 2.5th percentile over resampled lines."""
    high: float = 0.0
    """CER at the 97.5th percentile."""
    calibration: float = 0.0
    """Expected calibration error of the characters' confidences."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a line says and what was read."""

    path: Path
    truth: str
    reading: str
    confidence: float = 0.0
    confidences: tuple[float, ...] = ()


Pairs = Mapping[str, Sequence[Pair]]
"""What was read, by folder."""
Reader = Callable[[Sequence[Path]], list[Reading]]
"""Reads image files of one line each."""


def folders(bench: Path) -> list[str]:
    """List the folders under `bench` with line images and transcriptions: the known ones, then all others."""
    found = {
        path.parent.relative_to(bench).as_posix() for path in bench.rglob("*.gt.txt") if _image(path).exists()
    }
    return [name for name in FOLDERS if name in found] + sorted(found.difference(FOLDERS))


def lines_of(folder: Path, most: int = 0) -> list[Path]:
    """List a folder's line images (.png) with a .gt.txt beside them, evenly thinned to `most` if given."""
    paths = [path for path in sorted(folder.glob("*.png")) if path.with_suffix(".gt.txt").exists()]
    if not 0 < most < len(paths):
        return paths
    return [paths[index * len(paths) // most] for index in range(most)]


def reader(model: Any, decoder: Decoder = greedy) -> Reader:  # noqa: ANN401  # the engine's LoadedModel
    """Return a reader with a loaded model: each image is one line, cut and normalised as the engine does."""

    def read_paths(paths: Sequence[Path]) -> list[Reading]:
        """Read the images in batches."""
        return read([normalise(grey(path), model.info.height) for path in paths], model, decoder)

    return read_paths


def grey(path: Path) -> Image:
    """Load an image as grey values, shape (height, width). Raises ValueError when it is none."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(f"{path} is not an image")
    return np.asarray(image, dtype=np.uint8)


def read_all(read_paths: Reader, bench: Path, most: int = 0) -> dict[str, list[Pair]]:
    """Read every folder of `bench`, or `most` lines of each."""
    return {name: pair_up(read_paths, lines_of(bench / name, most)) for name in folders(bench)}


def pair_up(read_paths: Reader, paths: Sequence[Path]) -> list[Pair]:
    """Read line images and put each reading beside what the line says."""
    truths = [plain(path.with_suffix(".gt.txt").read_text(encoding="utf-8")) for path in paths]
    return [
        Pair(path, truth, plain(reading.text), reading.confidence, reading.confidences)
        for path, truth, reading in zip(paths, truths, read_paths(paths), strict=True)
    ]


def figures(folder: str, pairs: Sequence[Pair]) -> Figures:
    """Count the edits of a folder, over all its lines at once."""
    spelled = [(pair.truth, pair.reading) for pair in pairs]
    letters = [(_letters(truth), _letters(reading)) for truth, reading in spelled]
    found = cer(spelled)
    rates = (found.rate, wer(spelled).rate, cer(letters).rate)
    return Figures(folder, len(pairs), found.length, *rates, *interval(spelled), calibration_error(pairs))


def interval(spelled: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Return the CER's 95 % interval over resampled lines (percentile bootstrap, Efron 1979), seeded."""
    if not spelled:
        return 0.0, 0.0
    counts = np.array([(edits(truth, reading), len(truth)) for truth, reading in spelled])
    picks = np.random.default_rng(1).integers(len(counts), size=(_RESAMPLES, len(counts)))
    sums = counts[picks].sum(axis=1)
    rates = [ErrorRate(int(wrong), int(length)).rate for wrong, length in sums]
    low, high = np.percentile(rates, (2.5, 97.5))
    return float(low), float(high)


def certainties(pairs: Sequence[Pair]) -> tuple[np.ndarray, np.ndarray]:
    """Return each read character's confidence and whether it stands where the text has it."""
    sure: list[float] = []
    right: list[bool] = []
    for pair in pairs:
        if len(pair.confidences) != len(pair.reading):
            continue
        hits = [False] * len(pair.reading)
        for block in Levenshtein.editops(pair.truth, pair.reading).as_matching_blocks():
            hits[block.b : block.b + block.size] = [True] * block.size
        sure += pair.confidences
        right += hits
    return np.array(sure), np.array(right, dtype=bool)


def calibration_error(pairs: Sequence[Pair], bins: int = 10) -> float:
    """Return the mean gap between confidence and share of right characters in `bins` of equal width.

    Expected calibration error: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.
    """
    sure, right = certainties(pairs)
    if not len(sure):
        return 0.0
    places = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(sure[places == b].sum() - right[places == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(sure))


def confusions(pairs: Sequence[Pair], top: int = 20) -> list[tuple[str, str, int]]:
    """Return the most frequent (written, read, times); an empty string is nothing."""
    counts: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        for edit in Levenshtein.editops(pair.truth, pair.reading):
            written = pair.truth[edit.src_pos] if edit.tag != "insert" else ""
            got = pair.reading[edit.dest_pos] if edit.tag != "delete" else ""
            counts[written, got] += 1
    return [(written, got, times) for (written, got), times in counts.most_common(top)]


def as_json(found: Mapping[str, Sequence[Figures]]) -> list[dict[str, Any]]:
    """Return the figures of each reader as plain values."""
    return [
        {"reader": name} | asdict(item) | {"note": NOTES.get(item.folder, "")}
        for name, items in found.items()
        for item in items
    ]


def as_markdown(found: Mapping[str, Sequence[Figures]]) -> str:
    """Return the figures as a Markdown table, a folder's readers under one another."""
    rows = [
        "| folder | read by | lines | characters | CER (95 %) | WER | letters only | calibration error |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for items in zip(*found.values(), strict=True):
        rows += [
            f"| {f.folder} | {name} | {f.lines} | {f.characters} | {f.cer:.1%} ({f.low:.1%}-{f.high:.1%}) "
            f"| {f.wer:.1%} | {f.letters_cer:.1%} | {f'{f.calibration:.3f}' if f.calibration else ''} |"
            for name, f in zip(found, items, strict=True)
        ]
    return "\n".join(rows).replace("%", " %").replace("95  %", "95 %") + "\n"


def _image(transcription: Path) -> Path:
    """Return the image that a transcription belongs to."""
    return transcription.with_name(transcription.name.removesuffix(".gt.txt") + ".png")


def _letters(text: str) -> str:
    """Keep a text's letters alone, without the spaces: notes recomposed from words have artificial gaps."""
    return letters_only(text).replace(" ", "")
