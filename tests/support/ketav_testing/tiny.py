"""A small deterministic engine without torch for fast tests: it works on plain ink.

Lines are bands of inked rows. A letter is a run of inked columns of a normalised line; its shape (holes,
height, width, heaviest quarter) is a code; the model is a table from codes to letters, which a fit fills.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketav_common import faults
from ketav_common.error_rates import cer
from ketav_common.stages import stage
from ketav_engine import domain
from ketav_engine.budgets import OUT_OF_TIME, collect_warnings, is_out_of_time, warn, within_budget
from ketav_engine.cropping import crop
from ketav_engine.domain import (
    FitOptions,
    FitProgress,
    FitResult,
    FoundLine,
    Image,
    Layout,
    Model,
    ModelInfo,
    Reading,
)
from ketav_engine.lines import CORE, HEIGHT, normalise
from ketav_engine.read_pages import assemble
from ketav_engine.segmentation.line_finder import to_grey, whole

LETTERS: Final = "אבגדהוזחטיכלמנסעפצקרשתםןףךץ"
CODES: Final = 3 * 3 * 4 * 4
"""Number of different codes of a letter's shape."""
_EPOCHS: Final = 4
"""Epochs of a fit whose options name none."""
_UNKNOWN: Final = 0
"""Entry of the table for a code without a letter."""


@dataclass(frozen=True, slots=True, eq=False)
class TinyModel:
    """A table from codes to letters."""

    info: ModelInfo
    table: NDArray[np.int32]
    """Code point for each code, shape (CODES,); 0 for an unknown letter."""


class TinyEngine:
    """Implements `Engine` without a network."""

    def warm_up(self) -> None:
        """Find the lines of a small blank page."""
        self.find_lines(np.full((64, 256), 255, dtype=np.uint8), "page")

    def load_model(self, content: bytes, sha256: str) -> TinyModel:
        """Load a table from a safetensors file whose hex digest must be `sha256`."""
        digest = hashlib.sha256(content).hexdigest()
        if digest != sha256.lower():
            raise domain.UnusableModelError("The model file is not the expected one. Download it again.")
        table = _table(content)
        learned = {chr(letter) for letter in table if letter != _UNKNOWN}
        alphabet = "".join(sorted(learned.union(LETTERS, " ")))
        return TinyModel(ModelInfo(digest, alphabet, HEIGHT, CODES, 1.0), table)

    def find_lines(self, image: Image, layout: Layout) -> tuple[FoundLine, ...]:
        """Return each band of inked rows as a line; the whole image for layout "line"."""
        domain.check_image(image)
        grey = to_grey(image)
        if layout == "line":
            return (whole(grey),)
        ink = _ink(grey)
        return tuple(
            _box(order, int(columns[0]), top, int(columns[-1]) + 1, bottom)
            for order, (top, bottom) in enumerate(_runs(ink.any(axis=1), min_length=3))
            if (columns := np.flatnonzero(ink[top:bottom].any(axis=0))).size
        )

    def cut_lines(self, image: Image, lines: Sequence[FoundLine], height: int) -> list[Image]:
        """Crop and normalise lines like the other engine."""
        grey = to_grey(image)
        return [normalise(crop(grey, line.baseline, line.boundary), height) for line in lines]

    def read_lines(self, lines: Sequence[Image], model: Model) -> list[Reading]:
        """Read the letters of each line from right to left."""
        table = _own(model).table
        with stage("network"):
            return [_read_in_time(line, table) for line in lines]

    def read_page(self, image: Image, layout: Layout, model: Model) -> domain.ReadPage:
        """Find and read the lines of an image, within the current budget."""
        with collect_warnings() as warnings:
            with stage("segment"):
                lines = within_budget(self.find_lines(image, layout))
            with stage("crop"):
                crops = self.cut_lines(image, lines, model.info.height)
            readings = self.read_lines(crops, model)
        return assemble(image, lines, readings, warnings)

    def fit(
        self,
        model: Model,
        lines: Sequence[domain.TrainingLine],
        holdout: Sequence[domain.TrainingLine],
        replay: Sequence[domain.TrainingLine],
        options: FitOptions,
        on_progress: domain.OnProgress,
    ) -> FitResult:
        """Fill the table with each code's most frequent letter; each epoch adds a share of the codes."""
        parent = _own(model).table
        votes, skipped = _votes([*lines, *replay])
        if not votes:
            raise domain.NothingToLearnError("No line can be trained on. Correct more lines.")
        epochs = options.epochs or _EPOCHS
        first, table = _resume(options.checkpoint, parent)
        before = best_rate = _cer(holdout, parent)
        best = parent
        if first > 1 and (resumed := _cer(holdout, table)) <= best_rate:
            best_rate, best = resumed, table.copy()
        codes = sorted(votes)
        for epoch in range(first, epochs + 1):
            for code in codes[: -(-len(codes) * epoch // epochs)]:
                table[code] = votes[code].most_common(1)[0][0]
            faults.reached(f"in-epoch-{epoch}")
            rate = _cer(holdout, table)
            if rate <= best_rate:
                best_rate, best = rate, table.copy()
            _store(options.checkpoint, epoch, table)
            loss = 1.0 - epoch / epochs
            measured = (before, rate) if holdout else (None, None)
            if not on_progress(FitProgress(epoch, epochs, loss, *measured)):
                raise domain.FitCancelledError("The training was cancelled. Start another one.")
        return FitResult(save(best), before, best_rate, skipped)

    def vary_lines(self, lines: Sequence[Image], seed: int) -> list[Image]:
        """Return the lines themselves: this engine reads the exact shapes of letters."""
        del seed
        return list(lines)

    def blend(self, parent: Model, tuned: Model, share: float) -> bytes:
        """Return a table with the first share of the codes that the copy has changed."""
        table, tuned_table = _own(parent).table.copy(), _own(tuned).table
        changed = np.flatnonzero(table != tuned_table)
        adopted = changed[: round(share * len(changed))]
        table[adopted] = tuned_table[adopted]
        return save(table)


def save(table: NDArray[np.int32] | None = None, epoch: int = 0) -> bytes:
    """Write a table, by default an empty one, as a safetensors file."""
    from safetensors.numpy import save as write

    table = np.zeros(CODES, dtype=np.int32) if table is None else table
    return bytes(write({"letters": table}, metadata={"ketav_tiny": json.dumps({"epoch": epoch})}))


def _own(model: Model) -> TinyModel:
    """Return a model of this engine or raise UnusableModelError."""
    if not isinstance(model, TinyModel):
        raise domain.UnusableModelError("Another engine loaded this model. Load it with this engine.")
    return model


def _table(content: bytes) -> NDArray[np.int32]:
    """Read a table or raise UnusableModelError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as read

    try:
        table = read(content)["letters"]
    except (SafetensorError, KeyError, ValueError) as error:
        raise domain.UnusableModelError(
            "The file is not a table of letters. Use a file of this engine."
        ) from error
    if table.shape != (CODES,) or table.dtype != np.int32 or table.min() < 0 or table.max() > 0x10FFFF:
        raise domain.UnusableModelError("The table of letters has a wrong shape. Use a file of this engine.")
    return np.asarray(table, dtype=np.int32)


def _ink(grey: Image) -> NDArray[np.bool_]:
    """Return the pixels of an image that are clearly darker than its paper."""
    paper = float(np.median(grey))
    return np.asarray(grey < paper - 50, dtype=np.bool_)


def _runs(inked: ArrayLike, min_length: int = 1) -> list[tuple[int, int]]:
    """Return the (start, end) of each run of at least `min_length` true values."""
    edges = np.flatnonzero(np.diff(np.asarray(inked, dtype=np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= min_length]


def _box(order: int, left: int, top: int, right: int, bottom: int) -> FoundLine:
    """Return a line whose boundary is a box."""
    right, bottom = max(right - 1, left + 1), max(bottom - 1, top + 1)
    baseline = top + (bottom - top) // 4
    return FoundLine(
        order,
        ((left, baseline), (right, baseline)),
        ((left, top), (right, top), (right, bottom), (left, bottom)),
    )


def _code(letter: NDArray[np.bool_]) -> int:
    """Return the code of a letter's shape, a number below `CODES`."""
    rows = np.flatnonzero(letter.any(axis=1))
    body = letter[rows[0] : rows[-1] + 1]
    height, width = body.shape
    padded = np.pad(~body, 1, constant_values=True).astype(np.uint8)
    holes = min(cv2.connectedComponents(padded, connectivity=4)[0] - 2, 2)
    height_class = int(np.digitize(height / letter.shape[0], [0.36, 0.56]))
    width_class = int(np.digitize(width / height, [0.35, 0.75, 1.3]))
    quarters = [body[: height // 2, : width // 2], body[: height // 2, width // 2 :]]
    quarters += [body[height // 2 :, : width // 2], body[height // 2 :, width // 2 :]]
    heaviest = int(np.argmax([quarter.sum() for quarter in quarters]))
    return ((holes * 3 + height_class) * 4 + width_class) * 4 + heaviest


def _letters(line: Image) -> list[tuple[int, bool]]:
    """Return the codes of a line's letters from right to left, and whether a space precedes each."""
    ink = line < 128
    runs = _runs(ink.any(axis=0))[::-1]
    gap = CORE * line.shape[0] * 0.55
    return [
        (_code(ink[:, start:end]), index > 0 and runs[index - 1][0] - end > gap)
        for index, (start, end) in enumerate(runs)
    ]


def _read(line: Image, table: NDArray[np.int32]) -> Reading:
    """Read one normalised line: a known letter has confidence 0.95, a guess from its code 0.4."""
    text: list[str] = []
    confidences: list[float] = []
    for code, spaced in _letters(line):
        entry = int(table[code])
        letter = chr(entry) if entry != _UNKNOWN else LETTERS[code % len(LETTERS)]
        confidence = 0.95 if entry != _UNKNOWN else 0.4
        text += [" ", letter] if spaced else [letter]
        confidences += [confidence] * (2 if spaced else 1)
    return Reading("".join(text), tuple(confidences))


def _read_in_time(line: Image, table: NDArray[np.int32]) -> Reading:
    """Read one normalised line; return an empty text when the time of the budget is over."""
    if is_out_of_time():
        warn(OUT_OF_TIME)
        return Reading("", ())
    return _read(line, table)


def _votes(lines: Sequence[domain.TrainingLine]) -> tuple[dict[int, Counter[int]], int]:
    """Count for each code its letters in the texts; also count the lines that do not fit their text."""
    votes: dict[int, Counter[int]] = {}
    skipped = 0
    for line in lines:
        letters, text = _letters(line.image), line.text.replace(" ", "")
        if not text or len(letters) != len(text):
            skipped += 1
            continue
        for (code, _), character in zip(letters, text, strict=True):
            votes.setdefault(code, Counter())[ord(character)] += 1
    return votes, skipped


def _cer(lines: Sequence[domain.TrainingLine], table: NDArray[np.int32]) -> float:
    """Return the corpus CER of a table on lines, 0 without any."""
    return cer((line.text, _read(line.image, table).text) for line in lines).rate


def _store(path: str | None, epoch: int, table: NDArray[np.int32]) -> None:
    """Write a checkpoint atomically, if there is a path."""
    if path is not None:
        part = Path(f"{path}.part")
        part.write_bytes(save(table, epoch))
        faults.reached(f"at-checkpoint-{epoch}")
        part.replace(path)


def _resume(path: str | None, table: NDArray[np.int32]) -> tuple[int, NDArray[np.int32]]:
    """Return the next epoch and the table of the checkpoint, or the first epoch and a copy of the table."""
    if path is None or not Path(path).is_file():
        return 1, table.copy()
    content = Path(path).read_bytes()
    header: Any = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return int(json.loads(header["__metadata__"]["ketav_tiny"])["epoch"]) + 1, _table(content).copy()
