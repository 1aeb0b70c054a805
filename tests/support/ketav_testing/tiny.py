"""A small deterministic engine without torch, for fast tests: it finds, reads and learns by plain ink.

Lines are bands of inked rows. A letter is a run of inked columns of a normalised line; its shape (holes,
height, width, heaviest quarter) is a code; the model is a table from codes to letters that corrections fill.
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
from ketav_common.metrics import cer
from ketav_engine import domain
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
from ketav_engine.segmentation.line_finder import to_grey, whole

LETTERS: Final = "אבגדהוזחטיכלמנסעפצקרשתםןףךץ"
CODES: Final = 3 * 3 * 4 * 4
"""Number of different codes of a letter's shape."""
_EPOCHS: Final = 4
_UNKNOWN: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class TinyModel:
    """A table from codes to letters."""

    info: ModelInfo
    table: NDArray[np.int32]
    """Code point for each code, shape (CODES,); 0 where nothing was learnt."""


class TinyEngine:
    """Implements `Engine` without a network."""

    def warm_up(self) -> None:
        """Find the lines of a small blank page."""
        self.find_lines(np.full((64, 256), 255, dtype=np.uint8), "page")

    def load_model(self, content: bytes, sha256: str) -> TinyModel:
        """Load a table from a safetensors file whose hex digest must be `sha256`."""
        digest = hashlib.sha256(content).hexdigest()
        if digest != sha256.lower():
            raise domain.UnusableModelError("the model file is not the one expected: its SHA-256 differs")
        return TinyModel(
            ModelInfo(digest, "".join(sorted(LETTERS + " ")), HEIGHT, CODES, 1.0), _table(content)
        )

    def find_lines(self, image: Image, layout: Layout) -> tuple[FoundLine, ...]:
        """Take each band of inked rows for a line; the whole image for layout "line"."""
        domain.check_image(image)
        grey = to_grey(image)
        if layout == "line":
            return (whole(grey),)
        ink = _ink(grey)
        return tuple(
            _box(order, int(columns[0]), top, int(columns[-1]) + 1, bottom)
            for order, (top, bottom) in enumerate(_runs(ink.any(axis=1), least=3))
            if (columns := np.flatnonzero(ink[top:bottom].any(axis=0))).size
        )

    def cut_lines(self, image: Image, lines: Sequence[FoundLine], height: int) -> list[Image]:
        """Crop and normalise lines as the other engine does."""
        grey = to_grey(image)
        return [normalise(crop(grey, line.baseline, line.boundary), height) for line in lines]

    def read_lines(self, lines: Sequence[Image], model: Model) -> list[Reading]:
        """Read the letters of each line from right to left."""
        table = _own(model).table
        return [_read(line, table) for line in lines]

    def read_page(self, image: Image, layout: Layout, model: Model) -> domain.ReadPage:
        """Find and read the lines of an image."""
        found = self.find_lines(image, layout)
        return domain.assemble(
            image, found, self.read_lines(self.cut_lines(image, found, model.info.height), model)
        )

    def fit(
        self,
        model: Model,
        lines: Sequence[domain.TrainingLine],
        holdout: Sequence[domain.TrainingLine],
        replay: Sequence[domain.TrainingLine],
        options: FitOptions,
        on_progress: domain.OnProgress,
    ) -> FitResult:
        """Fill the table with each code's most frequent letter, a further share of the codes an epoch."""
        parent = _own(model).table
        votes, skipped = _votes([*lines, *replay])
        if not votes:
            raise domain.NothingToLearnError("no line can be learnt from")
        epochs = options.epochs or _EPOCHS
        first, table = _resume(options.checkpoint, parent)
        before = best = _cer(holdout, parent)
        kept = parent
        if first > 1 and (resumed := _cer(holdout, table)) <= best:
            best, kept = resumed, table.copy()
        codes = sorted(votes)
        for epoch in range(first, epochs + 1):
            for code in codes[: -(-len(codes) * epoch // epochs)]:
                table[code] = votes[code].most_common(1)[0][0]
            faults.reached(f"in-epoch-{epoch}")
            rate = _cer(holdout, table)
            if rate <= best:
                best, kept = rate, table.copy()
            _keep(options.checkpoint, epoch, table)
            known = (before, rate) if holdout else (None, None)
            if not on_progress(FitProgress(epoch, epochs, 1.0 - epoch / epochs, *known)):
                raise domain.FitCancelledError("the fit was cancelled")
        return FitResult(save(kept), before, best, skipped)

    def blend(self, parent: Model, tuned: Model, share: float) -> bytes:
        """Take the first share of what the copy has learnt, in the order of the codes."""
        table, learnt = _own(parent).table.copy(), _own(tuned).table
        changed = np.flatnonzero(table != learnt)
        taken = changed[: round(share * len(changed))]
        table[taken] = learnt[taken]
        return save(table)


def save(table: NDArray[np.int32] | None = None, epoch: int = 0) -> bytes:
    """Write a table, by default an empty one, as a safetensors file."""
    from safetensors.numpy import save as write

    table = np.zeros(CODES, dtype=np.int32) if table is None else table
    return bytes(write({"letters": table}, metadata={"ketav_tiny": json.dumps({"epoch": epoch})}))


def _own(model: Model) -> TinyModel:
    """Return a model of this engine or raise UnusableModelError."""
    if not isinstance(model, TinyModel):
        raise domain.UnusableModelError("the model belongs to another engine")
    return model


def _table(content: bytes) -> NDArray[np.int32]:
    """Read a table or raise UnusableModelError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as read

    try:
        table = read(content)["letters"]
    except (SafetensorError, KeyError, ValueError) as error:
        raise domain.UnusableModelError("the file is not a table of letters") from error
    if table.shape != (CODES,) or table.dtype != np.int32 or table.min() < 0 or table.max() > 0x10FFFF:
        raise domain.UnusableModelError("the table of letters has the wrong shape")
    return np.asarray(table, dtype=np.int32)


def _ink(grey: Image) -> NDArray[np.bool_]:
    """Return where an image is clearly darker than its paper."""
    paper = float(np.median(grey))
    return np.asarray(grey < paper - 50, dtype=np.bool_)


def _runs(inked: ArrayLike, least: int = 1) -> list[tuple[int, int]]:
    """Return the (start, end) of each run of true values at least so long."""
    edges = np.flatnonzero(np.diff(np.asarray(inked, dtype=np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]


def _box(order: int, left: int, top: int, right: int, bottom: int) -> FoundLine:
    """Return a line that fills a box."""
    right, bottom = max(right - 1, left + 1), max(bottom - 1, top + 1)
    hang = top + (bottom - top) // 4
    return FoundLine(
        order, ((left, hang), (right, hang)), ((left, top), (right, top), (right, bottom), (left, bottom))
    )


def _code(letter: NDArray[np.bool_]) -> int:
    """Describe a letter's shape by a number below `CODES`."""
    rows = np.flatnonzero(letter.any(axis=1))
    body = letter[rows[0] : rows[-1] + 1]
    height, width = body.shape
    padded = np.pad(~body, 1, constant_values=True).astype(np.uint8)
    holes = min(cv2.connectedComponents(padded, connectivity=4)[0] - 2, 2)
    tall = int(np.digitize(height / letter.shape[0], [0.36, 0.56]))
    wide = int(np.digitize(width / height, [0.35, 0.75, 1.3]))
    quarters = [body[: height // 2, : width // 2], body[: height // 2, width // 2 :]]
    quarters += [body[height // 2 :, : width // 2], body[height // 2 :, width // 2 :]]
    heaviest = int(np.argmax([quarter.sum() for quarter in quarters]))
    return ((holes * 3 + tall) * 4 + wide) * 4 + heaviest


def _letters(line: Image) -> list[tuple[int, bool]]:
    """Return the codes of a line's letters from right to left, and whether a space stands before each."""
    ink = line < 128
    runs = _runs(ink.any(axis=0))[::-1]
    gap = CORE * line.shape[0] * 0.55
    return [
        (_code(ink[:, start:end]), index > 0 and runs[index - 1][0] - end > gap)
        for index, (start, end) in enumerate(runs)
    ]


def _read(line: Image, table: NDArray[np.int32]) -> Reading:
    """Read one normalised line: a learnt letter is sure, any other is a guess that follows from its code."""
    text: list[str] = []
    confidences: list[float] = []
    for code, spaced in _letters(line):
        known = int(table[code])
        letter = chr(known) if known != _UNKNOWN else LETTERS[code % len(LETTERS)]
        confidence = 0.95 if known != _UNKNOWN else 0.4
        text += [" ", letter] if spaced else [letter]
        confidences += [confidence] * (2 if spaced else 1)
    return Reading("".join(text), tuple(confidences))


def _votes(lines: Sequence[domain.TrainingLine]) -> tuple[dict[int, Counter[int]], int]:
    """Count for each code the letters that corrections give it; also count the lines that do not fit."""
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


def _keep(path: str | None, epoch: int, table: NDArray[np.int32]) -> None:
    """Write a checkpoint whole or not at all."""
    if path is not None:
        part = Path(f"{path}.part")
        part.write_bytes(save(table, epoch))
        faults.reached(f"at-checkpoint-{epoch}")
        part.replace(path)


def _resume(path: str | None, table: NDArray[np.int32]) -> tuple[int, NDArray[np.int32]]:
    """Return the epoch to go on with and its table."""
    if path is None or not Path(path).is_file():
        return 1, table.copy()
    content = Path(path).read_bytes()
    header: Any = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return int(json.loads(header["__metadata__"]["ketav_tiny"])["epoch"]) + 1, _table(content).copy()
