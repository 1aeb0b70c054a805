"""Evaluation on lines of real writers: CER, WER and letters-only CER for each folder, without an average."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.alphabet import plain
from ketav_common.error_rates import ErrorRate, cer, edits, letters_only, wer
from ketav_engine.domain import Image, Reading
from ketav_engine.lines import normalise
from ketav_engine.recognition.decode import Decoder, greedy
from ketav_engine.recognition.recognize import read

FOLDERS: Final = ("forms", "notebook/rock", "notebook/ariel", "notebook/agada", "stam")
"""The known folders of KETAV_BENCH_DATA with transcribed lines; others are evaluated after them."""
NOTES: Final = {
    "forms": "four writers, seven sentences; may share writers with the training letters",
    "notebook/rock": "one writer, word gaps recomposed",
    "notebook/ariel": "the same writer",
    "notebook/agada": "the same writer",
    "stam": "four scrolls, one text",
}
"""Remarks about the folders, for the report."""
_RESAMPLES: Final = 1000
"""Resamples of the bootstrap."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The error rates of one folder: its edits divided by the length of its references."""

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
    """The true text of a line and the text that was read."""

    path: Path
    truth: str
    reading: str
    confidence: float = 0.0
    confidences: tuple[float, ...] = ()


Pairs = Mapping[str, Sequence[Pair]]
"""Texts and readings, by folder."""
Reader = Callable[[Sequence[Path]], list[Reading]]
"""Reads image files of one line each."""


def folders(bench: Path) -> list[str]:
    """Return the folders below `bench` with transcribed line images: the known ones, then the others."""
    names = {
        path.parent.relative_to(bench).as_posix() for path in bench.rglob("*.gt.txt") if _image(path).exists()
    }
    return [name for name in FOLDERS if name in names] + sorted(names.difference(FOLDERS))


def line_images(folder: Path, max_lines: int = 0) -> list[Path]:
    """Return a folder's line images (.png) with a .gt.txt, evenly thinned to `max_lines` unless it is 0."""
    paths = [path for path in sorted(folder.glob("*.png")) if path.with_suffix(".gt.txt").exists()]
    if not 0 < max_lines < len(paths):
        return paths
    return [paths[index * len(paths) // max_lines] for index in range(max_lines)]


def make_line_reader(model: Any, decoder: Decoder = greedy) -> Reader:  # noqa: ANN401  # the engine's LoadedModel
    """Return a function from image paths to readings; each image is one line, normalised as in the engine."""

    def read_paths(paths: Sequence[Path]) -> list[Reading]:
        """Read the images in batches."""
        return read([normalise(grey(path), model.info.height) for path in paths], model, decoder)

    return read_paths


def grey(path: Path) -> Image:
    """Load an image as grey values, shape (height, width). Raises ValueError when the file is no image."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(f"{path} is not an image")
    return np.asarray(image, dtype=np.uint8)


def read_all(read_paths: Reader, bench: Path, max_lines: int = 0) -> dict[str, list[Pair]]:
    """Read every folder of `bench`, at most `max_lines` lines of each unless it is 0."""
    return {name: pair_up(read_paths, line_images(bench / name, max_lines)) for name in folders(bench)}


def pair_up(read_paths: Reader, paths: Sequence[Path]) -> list[Pair]:
    """Read line images and pair each reading with the true text."""
    truths = [plain(path.with_suffix(".gt.txt").read_text(encoding="utf-8")) for path in paths]
    return [
        Pair(path, truth, plain(reading.text), reading.confidence, reading.confidences)
        for path, truth, reading in zip(paths, truths, read_paths(paths), strict=True)
    ]


def figures(folder: str, pairs: Sequence[Pair]) -> Figures:
    """Return the error rates of a folder, over all its lines."""
    texts = [(pair.truth, pair.reading) for pair in pairs]
    letters = [(_letters(truth), _letters(reading)) for truth, reading in texts]
    characters = cer(texts)
    low, high = interval(texts)
    return Figures(
        folder,
        lines=len(pairs),
        characters=characters.length,
        cer=characters.rate,
        wer=wer(texts).rate,
        letters_cer=cer(letters).rate,
        low=low,
        high=high,
        calibration=calibration_error(pairs),
    )


def interval(texts: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Return the CER's 95 % interval over resampled lines (percentile bootstrap, Efron 1979), seeded."""
    if not texts:
        return 0.0, 0.0
    counts = np.array([(edits(truth, reading), len(truth)) for truth, reading in texts])
    picks = np.random.default_rng(1).integers(len(counts), size=(_RESAMPLES, len(counts)))
    sums = counts[picks].sum(axis=1)
    rates = [ErrorRate(int(edit_count), int(length)).rate for edit_count, length in sums]
    low, high = np.percentile(rates, (2.5, 97.5))
    return float(low), float(high)


def character_confidences(pairs: Sequence[Pair]) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of each read character, and whether it is correct by alignment with the text."""
    confidences: list[float] = []
    correct: list[bool] = []
    for pair in pairs:
        if len(pair.confidences) != len(pair.reading):
            continue
        hits = [False] * len(pair.reading)
        for block in Levenshtein.editops(pair.truth, pair.reading).as_matching_blocks():
            hits[block.b : block.b + block.size] = [True] * block.size
        confidences += pair.confidences
        correct += hits
    return np.array(confidences), np.array(correct, dtype=bool)


def calibration_error(pairs: Sequence[Pair], bins: int = 10) -> float:
    """Return the mean gap between confidence and share of correct characters in `bins` of equal width.

    Expected calibration error: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.
    """
    confidences, correct = character_confidences(pairs)
    if not len(confidences):
        return 0.0
    indices = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = [abs(confidences[indices == b].sum() - correct[indices == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(confidences))


def confusions(pairs: Sequence[Pair], top: int = 20) -> list[tuple[str, str, int]]:
    """Return the most frequent (written, read, times); an empty string is no character."""
    counts: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        for edit in Levenshtein.editops(pair.truth, pair.reading):
            written = pair.truth[edit.src_pos] if edit.tag != "insert" else ""
            read_as = pair.reading[edit.dest_pos] if edit.tag != "delete" else ""
            counts[written, read_as] += 1
    return [(written, read_as, times) for (written, read_as), times in counts.most_common(top)]


def as_json(results: Mapping[str, Sequence[Figures]]) -> list[dict[str, Any]]:
    """Return the figures of each reader as plain values."""
    return [
        {"reader": name} | asdict(item) | {"note": NOTES.get(item.folder, "")}
        for name, items in results.items()
        for item in items
    ]


def as_markdown(results: Mapping[str, Sequence[Figures]]) -> str:
    """Return the figures as a Markdown table, with the readers of a folder in successive rows."""
    rows = [
        "| folder | read by | lines | characters | CER (95 %) | WER | letters only | calibration error |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for items in zip(*results.values(), strict=True):
        rows += [
            f"| {f.folder} | {name} | {f.lines} | {f.characters} | {f.cer:.1%} ({f.low:.1%}-{f.high:.1%}) "
            f"| {f.wer:.1%} | {f.letters_cer:.1%} | {f'{f.calibration:.3f}' if f.calibration else ''} |"
            for name, f in zip(results, items, strict=True)
        ]
    return "\n".join(rows).replace("%", " %").replace("95  %", "95 %") + "\n"


def _image(transcription: Path) -> Path:
    """Return the image that a transcription belongs to."""
    return transcription.with_name(transcription.name.removesuffix(".gt.txt") + ".png")


def _letters(text: str) -> str:
    """Return the letters of a text without spaces: notes recomposed from words have artificial gaps."""
    return letters_only(text).replace(" ", "")
