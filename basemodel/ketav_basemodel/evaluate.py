"""What a model reads of real hands: CER, WER and letters-only CER, per folder, never one average."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.texts import plain
from ketav_common.metrics import cer, letters_only, wer
from ketav_engine.lines import normalise
from ketav_engine.models import load
from ketav_engine.recognize import read

FOLDERS: Final = ("forms", "notebook/rock", "notebook/ariel", "notebook/agada", "stam")
"""The folders of KETAV_BENCH_DATA with transcribed lines."""
NOTES: Final = {
    "forms": "four writers, seven sentences; may share writers with the training letters",
    "notebook/rock": "one writer, word gaps recomposed",
    "notebook/ariel": "the same writer",
    "notebook/agada": "the same writer",
    "stam": "four scrolls, one text",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """How well one folder is read. Rates are edits over the reference's length, over the whole folder."""

    folder: str
    lines: int
    characters: int
    cer: float
    wer: float
    letters_cer: float


@dataclass(frozen=True, slots=True)
class Pair:
    """What a line says and what was read."""

    path: Path
    truth: str
    reading: str
    confidence: float = 0.0


def evaluate(model: Path, bench: Path) -> tuple[list[Figures], dict[str, list[Pair]]]:
    """Read every folder with a model file; return the figures and each folder's pairs.

    Folders that are absent are left out. Raises UnusableModelError for a file that is no model.
    """
    loaded = load(model.read_bytes())
    pairs = {}
    for folder in FOLDERS:
        found = read_folder(loaded, bench / folder)
        if found:
            pairs[folder] = found
    return [figures(folder, found) for folder, found in pairs.items()], pairs


def read_folder(model: Any, folder: Path) -> list[Pair]:  # noqa: ANN401  # the engine's LoadedModel
    """Read the line images of one folder that have a transcription beside them."""
    paths = [path for path in sorted(folder.glob("*.png")) if path.with_suffix(".gt.txt").exists()]
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    lines = [normalise(np.asarray(image, dtype=np.uint8), model.info.height) for image in images]
    truths = [plain(path.with_suffix(".gt.txt").read_text(encoding="utf-8")) for path in paths]
    readings = read(lines, model)
    return [
        Pair(p, t, plain(r.text), _mean(r.confidences))
        for p, t, r in zip(paths, truths, readings, strict=True)
    ]


def figures(folder: str, pairs: list[Pair]) -> Figures:
    """Count the edits of a folder, over all its lines at once."""
    spelled = [(pair.truth, pair.reading) for pair in pairs]
    letters = [(_letters(truth), _letters(reading)) for truth, reading in spelled]
    found = cer(spelled)
    return Figures(folder, len(pairs), found.length, found.rate, wer(spelled).rate, cer(letters).rate)


def confusions(pairs: list[Pair], top: int = 20) -> list[tuple[str, str, int]]:
    """Return the most frequent (written, read, times); an empty string is nothing."""
    counts: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        for edit in Levenshtein.editops(pair.truth, pair.reading):
            written = pair.truth[edit.src_pos] if edit.tag != "insert" else ""
            got = pair.reading[edit.dest_pos] if edit.tag != "delete" else ""
            counts[written, got] += 1
    return [(written, got, times) for (written, got), times in counts.most_common(top)]


def as_json(found: list[Figures]) -> list[dict[str, Any]]:
    """Return the figures as plain values."""
    return [asdict(item) | {"note": NOTES.get(item.folder, "")} for item in found]


def as_markdown(found: list[Figures]) -> str:
    """Return the figures as a Markdown table."""
    rows = [
        "| folder | lines | characters | CER | WER | letters only | note |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    rows += [
        f"| {f.folder} | {f.lines} | {f.characters} | {f.cer:.1%} | {f.wer:.1%} | {f.letters_cer:.1%} "
        f"| {NOTES.get(f.folder, '')} |"
        for f in found
    ]
    return "\n".join(rows) + "\n"


def _mean(confidences: tuple[float, ...]) -> float:
    """Return the mean confidence of a line, 0 for an empty one."""
    return float(np.mean(confidences)) if confidences else 0.0


def _letters(text: str) -> str:
    """Keep a text's letters alone, without the spaces: notes recomposed from words have artificial gaps."""
    return letters_only(text).replace(" ", "")
