"""What the engine speaks of: images, lines, readings, models, and the port that two engines implement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ketav_common.errors import DataLoss, InvalidInput, KetavError, Precondition, Stale

Image = NDArray[np.uint8]
"""A decoded image, shape (height, width) grey or (height, width, 3) RGB."""

Point = tuple[int, int]
"""(x, y) in pixels from the top left corner of the image."""

Layout = Literal["page", "line"]
"""Whether lines are to be found on the image or the whole image is one line."""


class EngineError(KetavError):
    """The engine cannot do what was asked."""

    default_code = "engine"


class UnusableModelError(EngineError, DataLoss):
    """The model file is damaged, not the one expected, or asks for a network that is not allowed."""

    default_code = "unusable-model"


class UnusableImageError(EngineError, InvalidInput):
    """The image has no pixels or not the shape of a grey or RGB image."""

    default_code = "unusable-image"


class NothingToLearnError(EngineError, Precondition):
    """None of the lines can be learnt from."""

    default_code = "nothing-to-learn"


class FitCancelledError(EngineError, Stale):
    """The caller cancelled the fit."""

    default_code = "fit-cancelled"


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line found on an image."""

    order: int
    """Place in the reading order, from 0."""
    baseline: tuple[Point, ...]
    """The line the letters hang from (Kraken's topline), left to right."""
    boundary: tuple[Point, ...]
    """Polygon around the line's ink."""


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word of a line; `start` and `end` count code points of the line's text."""

    text: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of one line in logical order, NFC, with a confidence from 0 to 1 for each code point."""

    text: str
    confidences: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """Return the mean confidence of the code points, 0 where nothing was read."""
        return sum(self.confidences) / len(self.confidences) if self.confidences else 0.0

    @property
    def words(self) -> tuple[ReadWord, ...]:
        """Return the words between spaces in logical order."""
        words, start = [], 0
        for piece in self.text.split(" "):
            end = start + len(piece)
            if piece:
                certain = self.confidences[start:end]
                words.append(ReadWord(piece, sum(certain) / len(certain), start, end))
            start = end + 1
        return tuple(words)


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line found and read."""

    order: int
    baseline: tuple[Point, ...]
    boundary: tuple[Point, ...]
    text: str
    confidence: float
    confidences: tuple[float, ...]
    words: tuple[ReadWord, ...]


@dataclass(frozen=True, slots=True)
class ReadPage:
    """An image as it was read; no lines for a blank one."""

    width: int
    height: int
    lines: tuple[ReadLine, ...]

    @property
    def text(self) -> str:
        """Return the lines' texts in reading order, one a line."""
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """Return the mean confidence of all code points, 0 for a blank page."""
        every = [value for line in self.lines for value in line.confidences]
        return sum(every) / len(every) if every else 0.0


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a loaded model."""

    sha256: str
    """Hex digest of the file."""
    alphabet: str
    """Every character that the model can write, sorted."""
    height: int
    """Pixels of a normalised line."""
    parameters: int
    """Number of weights."""
    temperature: float
    """Divides the logits so that confidences match accuracy."""


class Model(Protocol):
    """A loaded model; what else it holds is the engine's own."""

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLine:
    """A line to learn from: its normalised image as reading sees it, its verified text in logical order."""

    image: Image
    text: str


@dataclass(frozen=True, slots=True)
class FitProgress:
    """Where a fit stands after an epoch."""

    epoch: int
    """Epochs done."""
    epochs: int
    """Epochs planned."""
    loss: float
    """Mean CTC loss per character of the epoch."""
    before: float | None
    """Corpus CER of the parent on the holdout; None without one."""
    cer: float | None
    """Corpus CER on the holdout as it was measured last; None before the first time."""


OnProgress = Callable[[FitProgress], bool]
"""Called after each epoch; False cancels the fit."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """A fine-tuned model."""

    content: bytes
    """The safetensors file."""
    before: float
    """Corpus CER of the parent on the holdout."""
    after: float
    """Corpus CER of the kept weights on the holdout."""
    skipped: int
    """Training lines that could not be learnt: empty text, or too long for their image."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How to fit."""

    seed: int = 0
    """Everything random follows from it."""
    epochs: int | None = None
    """Passes over the training lines; None takes a budget that suits their number."""
    effort: float = 1.0
    """Share of that budget."""
    scope: Literal["all", "late", "last"] = "late"
    """Train every weight; all but the first half of the layers before the recurrent ones, which see strokes
    and not letters; or the last recurrent layer and the output only."""
    rate: float = 1e-3
    """Highest learning rate, of the layers near the output."""
    early_share: float = 0.5
    """Share of the learning rate that the convolutions get."""
    replay_share: float = 0.5
    """Replayed lines for each training line in an epoch."""
    checkpoint: str | None = None
    """Path of a safetensors file kept after each epoch, from which an interrupted fit goes on."""


class Engine(Protocol):
    """Finds, reads and learns lines of handwriting.

    Two engines implement it: `KrakenEngine` and the small deterministic `TinyEngine`. Neither keeps state
    between calls; a model may be used by several threads.
    """

    def warm_up(self) -> None:
        """Import and prepare what reading needs, so that the first page does not wait for it."""

    def load_model(self, content: bytes, sha256: str) -> Model:
        """Load a safetensors file whose hex digest must be `sha256`; else UnusableModelError."""

    def find_lines(self, image: Image, layout: Layout) -> tuple[FoundLine, ...]:
        """Find the lines of an image in reading order; none on a blank page."""

    def cut_lines(self, image: Image, lines: Sequence[FoundLine], height: int) -> list[Image]:
        """Crop and normalise lines to `height` pixels, as training and reading see them."""

    def read_lines(self, lines: Sequence[Image], model: Model) -> list[Reading]:
        """Read normalised lines, possibly of several images, in one go."""

    def read_page(self, image: Image, layout: Layout, model: Model) -> ReadPage:
        """Find and read the lines of an image."""

    def fit(
        self,
        model: Model,
        lines: Sequence[TrainingLine],
        holdout: Sequence[TrainingLine],
        replay: Sequence[TrainingLine],
        options: FitOptions,
        on_progress: OnProgress,
    ) -> FitResult:
        """Fine-tune a copy of `model` on `lines` and `replay`, keeping the weights best on `holdout`.

        Raises FitCancelledError when `on_progress` says so, NothingToLearnError where no line can be learnt.
        """

    def blend(self, parent: Model, tuned: Model, share: float) -> bytes:
        """Return the file of a model between a parent and its fine-tuned copy: 0 the parent, 1 the copy.

        Raises UnusableModelError when `tuned` is no copy of `parent`.
        """


def check_image(image: Image) -> None:
    """Raise UnusableImageError unless the array is a grey or RGB image with pixels."""
    shaped = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not shaped or 0 in image.shape:
        raise UnusableImageError(f"an image of shape {image.shape} and type {image.dtype} cannot be read")


def assemble(image: Image, lines: Sequence[FoundLine], readings: Sequence[Reading]) -> ReadPage:
    """Join found lines with their readings into a page."""
    height, width = image.shape[:2]
    return ReadPage(
        width,
        height,
        tuple(
            ReadLine(
                line.order,
                line.baseline,
                line.boundary,
                reading.text,
                reading.confidence,
                reading.confidences,
                reading.words,
            )
            for line, reading in zip(lines, readings, strict=True)
        ),
    )
