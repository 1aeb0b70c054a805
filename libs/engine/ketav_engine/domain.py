"""The types of the engine: images, lines, readings, models, and the port that two engines implement."""

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

Extent = tuple[int, int]
"""Where a character begins and where the next column after it is, in pixels from left to right."""

Layout = Literal["page", "line"]
"""Whether the lines of the image must be found or the whole image is one line."""

RegionType = Literal["paragraph", "heading", "header", "footer", "page-number", "marginalia"]
"""What a line is on its page, in the words of PAGE 2019-07-15 (TextTypeSimpleType)."""


class EngineError(KetavError):
    """The engine failed. Try again later."""

    default_code = "engine"


class UnusableModelError(EngineError, DataLoss):
    """The model file is damaged, unexpected, or of a network that is not allowed. Use another model file."""

    default_code = "unusable-model"


class UnusableImageError(EngineError, InvalidInput):
    """The image has no pixels, or not the shape of a grey or RGB image. Send another image."""

    default_code = "unusable-image"


class NothingToLearnError(EngineError, Precondition):
    """No line can be trained on. Correct lines whose text fits their image."""

    default_code = "nothing-to-learn"


class FitCancelledError(EngineError, Stale):
    """The caller cancelled the training. Start another one when it is needed."""

    default_code = "fit-cancelled"


@dataclass(frozen=True, slots=True)
class FoundLine:
    """The position of a line on an image."""

    order: int
    """Position in the reading order, from 0."""
    baseline: tuple[Point, ...]
    """The line that the letters hang from (Kraken's topline), left to right."""
    boundary: tuple[Point, ...]
    """Polygon around the line's ink."""
    region: RegionType = "paragraph"
    """What the line is on its page, as far as its position tells."""


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
    extents: tuple[Extent, ...] = ()
    """Columns of each code point on the normalised line; empty where they are not known."""

    @property
    def confidence(self) -> float:
        """Return the mean confidence of the code points, 0 for an empty text."""
        return sum(self.confidences) / len(self.confidences) if self.confidences else 0.0

    @property
    def words(self) -> tuple[ReadWord, ...]:
        """Return the words between spaces in logical order."""
        words, start = [], 0
        for word in self.text.split(" "):
            end = start + len(word)
            if word:
                confidences = self.confidences[start:end]
                words.append(ReadWord(word, sum(confidences) / len(confidences), start, end))
            start = end + 1
        return tuple(words)


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line with its position and its text."""

    order: int
    baseline: tuple[Point, ...]
    boundary: tuple[Point, ...]
    text: str
    confidence: float
    confidences: tuple[float, ...]
    words: tuple[ReadWord, ...]
    region: RegionType = "paragraph"
    extents: tuple[Extent, ...] = ()
    """Of each code point: pixels along the line from the left end of the baseline; empty if unknown."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """An image with the lines that were read on it; no lines for a blank one."""

    width: int
    height: int
    lines: tuple[ReadLine, ...]
    turn: int = 0
    """Degrees clockwise by which the image was turned first, 0 to 359; coordinates are of the result."""
    warnings: tuple[str, ...] = ()
    """Codes of what was left out because the budget of the reading was spent."""

    @property
    def text(self) -> str:
        """Return the lines' texts in reading order, separated by line breaks."""
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """Return the mean confidence of all code points, 0 for a blank page."""
        confidences = [value for line in self.lines for value in line.confidences]
        return sum(confidences) / len(confidences) if confidences else 0.0


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The properties of a loaded model."""

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
    """A loaded model; its further attributes are private to the engine that loaded it."""

    @property
    def info(self) -> ModelInfo:
        """Return the properties of the model."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLine:
    """A line to train on: its normalised image as recognition gets it, its verified text in logical order."""

    image: Image
    text: str


@dataclass(frozen=True, slots=True)
class FitProgress:
    """The state of a fit after an epoch."""

    epoch: int
    """Epochs done."""
    epochs: int
    """Epochs planned."""
    loss: float
    """Mean CTC loss per character of the epoch."""
    before: float | None
    """Corpus CER of the parent on the holdout; None without one."""
    cer: float | None
    """Last corpus CER that was measured on the holdout; None before the first measurement."""


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
    """Corpus CER of the candidate on the holdout."""
    skipped: int
    """Training lines that were left out: empty text, or too long for their image."""
    words: int = 0
    """Different words of the training lines' texts that the file holds."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """The options of a fit."""

    seed: int = 0
    """Determines everything random."""
    epochs: int | None = None
    """Passes over the training lines; None takes a number that suits the number of lines."""
    effort: float = 1.0
    """Factor of that number."""
    scope: Literal["all", "late", "last"] = "late"
    """Weights that are trained: `all`, `late` (not the first half of the layers before the recurrent ones,
    which respond to strokes and not to letters) or `last` (the last recurrent layer and the output)."""
    rate: float = 1e-3
    """Highest learning rate, of the layers near the output."""
    early_share: float = 0.5
    """Share of the learning rate that the convolutions get."""
    replay_share: float = 0.5
    """Replayed lines for each training line in an epoch."""
    checkpoint: str | None = None
    """Path of a safetensors file written after each epoch, from which an interrupted fit continues."""


class Engine(Protocol):
    """Finds and reads lines of handwriting, and trains models on them.

    Two engines implement it: `KrakenEngine` here, and the small deterministic one of the tests, which is an
    entry point of the group `ketav.engines`. Neither keeps state between calls; several threads may use one
    model.
    """

    def warm_up(self) -> None:
        """Import and prepare what reading needs, so that the first page does not take longer."""

    def load_model(self, content: bytes, sha256: str) -> Model:
        """Load a safetensors file whose hex digest must be `sha256`; raises UnusableModelError otherwise."""

    def find_lines(self, image: Image, layout: Layout) -> tuple[FoundLine, ...]:
        """Return the lines of an image in reading order; none on a blank page."""

    def cut_lines(self, image: Image, lines: Sequence[FoundLine], height: int) -> list[Image]:
        """Crop and normalise lines to `height` pixels, the same for training and recognition."""

    def read_lines(self, lines: Sequence[Image], model: Model) -> list[Reading]:
        """Read normalised lines, possibly of several images, in one call."""

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
        """Fine-tune a copy of `model` on `lines` and `replay`; `holdout` only measures.

        Raises FitCancelledError when `on_progress` returns False, NothingToLearnError where no line can be
        trained on.
        """

    def vary_lines(self, lines: Sequence[Image], seed: int) -> list[Image]:
        """Return each cut line as its writer might write it on another day; equal arguments, equal copies."""

    def blend(self, parent: Model, tuned: Model, share: float) -> bytes:
        """Return the file of a model between a parent and its fine-tuned copy: 0 the parent, 1 the copy.

        Raises UnusableModelError when `tuned` is no copy of `parent`.
        """


def check_image(image: Image) -> None:
    """Raise UnusableImageError unless the array is a grey or RGB image with pixels."""
    shaped = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not shaped or 0 in image.shape:
        raise UnusableImageError(
            f"An image of shape {image.shape} and type {image.dtype} cannot be read. "
            "Send a grey or an RGB image."
        )
