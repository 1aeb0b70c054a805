"""The engine that reads with Kraken's networks."""

import importlib
import math
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from ketav_common.stages import stage
from ketav_engine import domain
from ketav_engine.budgets import collect_warnings, within_budget
from ketav_engine.cropping import crop, first_column, is_steep
from ketav_engine.devices import CPU, check_available
from ketav_engine.domain import FoundLine, Image, Layout, Model, Reading, ReadPage
from ketav_engine.lines import NormalisedLine, normalise, normalised
from ketav_engine.models import LoadedModel, load, network_class
from ketav_engine.read_pages import assemble
from ketav_engine.recognition.beam import BeamDecoder, LanguageTables
from ketav_engine.recognition.decode import Decoder, greedy
from ketav_engine.recognition.language_model import LanguageModel, SearchSettings
from ketav_engine.segmentation import line_finder
from ketav_engine.segmentation.turned_notes import in_direction, reversed_line
from ketav_engine.training.augment import vary


class KrakenEngine:
    """Implements `Engine` with Ketav's own line finding and Kraken's recognition networks.

    With a language model, texts are decoded by beam search; without one, by the best path.
    """

    def __init__(
        self,
        language: LanguageModel | None = None,
        settings: SearchSettings | None = None,
        device: str = CPU,
    ) -> None:
        """Take a language model for the beam search; without one, decoding is greedy.

        Networks run on `device`. Raises NoDeviceError when torch cannot use it.
        """
        self._language = None if language is None else LanguageTables(language)
        self._settings = settings
        self._device = device if device == CPU else check_available(device)

    def warm_up(self) -> None:
        """Import torch and Kraken, compile the decoder, find the lines of a blank page: seconds of work."""
        network_class()
        importlib.import_module("ketav_engine.recognition.recognize")
        if self._language is not None:
            letter = SimpleNamespace(l2c_single={1: "א"})
            BeamDecoder(self._language, letter)(np.full((2, 2), 0.5, dtype=np.float32))
        self.find_lines(np.full((64, 256), 255, dtype=np.uint8), "page")

    def load_model(self, content: bytes, sha256: str) -> LoadedModel:
        """Load a safetensors file whose hex digest must be `sha256`, onto the engine's device."""
        loaded = load(content, sha256)
        if self._device != CPU:
            loaded.net.to(self._device)
        return loaded

    def find_lines(self, image: Image, layout: Layout) -> tuple[FoundLine, ...]:
        """Return the lines of an image in reading order."""
        return line_finder.find_lines(image, layout)

    def cut_lines(self, image: Image, lines: Sequence[FoundLine], height: int) -> list[Image]:
        """Crop and normalise lines to `height` pixels."""
        grey = line_finder.to_grey(image)
        return [normalise(crop(grey, line.baseline, line.boundary), height) for line in lines]

    def read_lines(self, lines: Sequence[Image], model: Model) -> list[Reading]:
        """Read normalised lines, possibly of several images, in batches of one width."""
        from ketav_engine.recognition.recognize import read

        loaded = _own(model)
        if any(
            line.ndim != 2 or line.dtype != np.uint8 or line.shape[0] != loaded.info.height for line in lines
        ):
            raise domain.UnusableImageError(
                f"A line is not normalised to {loaded.info.height} pixels. Cut it at the height of the model."
            )
        return read(lines, loaded, self._decoder(loaded))

    def read_page(self, image: Image, layout: Layout, model: Model) -> ReadPage:
        """Find and read the lines of an image, within the current budget."""
        with collect_warnings() as warnings:
            with stage("segment"):
                lines = within_budget(self.find_lines(image, layout))
            lines = self._in_direction(image, lines, model)
            with stage("crop"):
                grey = line_finder.to_grey(image)
                height = model.info.height
                cuts = [normalised(crop(grey, line.baseline, line.boundary), height) for line in lines]
            readings = self.read_lines([cut.image for cut in cuts], model)
        placed = [
            _along_baseline(reading, cut, first_column(line.baseline, line.boundary))
            for line, cut, reading in zip(lines, cuts, readings, strict=True)
        ]
        return assemble(image, lines, placed, warnings)

    def fit(
        self,
        model: Model,
        lines: Sequence[domain.TrainingLine],
        holdout: Sequence[domain.TrainingLine],
        replay: Sequence[domain.TrainingLine],
        options: domain.FitOptions,
        on_progress: domain.OnProgress,
    ) -> domain.FitResult:
        """Fine-tune a copy of a model."""
        from ketav_engine.training.fit import fit

        return fit(_own(model), lines, holdout, replay, options, on_progress)

    def vary_lines(self, lines: Sequence[Image], seed: int) -> list[Image]:
        """Distort each line as a training does; equal arguments give equal copies."""
        return [vary(line, np.random.default_rng([seed, index])) for index, line in enumerate(lines)]

    def blend(self, parent: Model, tuned: Model, share: float) -> bytes:
        """Return the file of a model whose weights are between those of two models."""
        from ketav_engine.training.blend import blended_file

        return blended_file(_own(parent), _own(tuned), share)

    def _in_direction(self, image: Image, lines: Sequence[FoundLine], model: Model) -> Sequence[FoundLine]:
        """Return the lines of a page, turned ones in the direction in which they read better."""
        turned = [line for line in lines if is_steep(line.baseline)]
        if not turned:
            return lines
        both = [*turned, *(reversed_line(line) for line in turned)]
        readings = self.read_lines(self.cut_lines(image, both, model.info.height), model)
        pairs = zip(turned, readings[: len(turned)], readings[len(turned) :], strict=True)
        return in_direction(
            lines, {line.order for line, up, down in pairs if down.confidence > up.confidence}
        )

    def _decoder(self, model: LoadedModel) -> Decoder:
        """Return the decoder for a model's alphabet and its user's words."""
        if self._language is None:
            return greedy
        return BeamDecoder(self._language, model.net.codec, self._settings, model.user_words)


def _along_baseline(reading: Reading, line: NormalisedLine, start: int) -> Reading:
    """Return a reading whose extents are pixels along the baseline; the crop begins at `start`."""
    first = start + line.offset
    extents = tuple(
        (math.floor(first + line.scale * left), math.ceil(first + line.scale * right))
        for left, right in reading.extents
    )
    return replace(reading, extents=extents)


def _own(model: Model) -> LoadedModel:
    """Return a model of this engine or raise UnusableModelError."""
    if not isinstance(model, LoadedModel):
        raise domain.UnusableModelError(
            "Another engine loaded this model. Load it with the engine that reads with it."
        )
    return model
