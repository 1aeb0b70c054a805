"""The lines of a training, the user's and the general set, at the height of each model that reads them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ketav_engine.domain import Engine, FoundLine, TrainingLine
from ketav_engine.images import decode
from ketav_engine.training.replay import read as read_lines
from ketav_engine.training.samples import evenly
from ketav_trainer.fit_messages import FitConfig

_MAX_NEW_LINES: Final = 256
"""New lines that compare two models before the fit: as many prove a difference of a tenth, and reading them
takes seconds."""


@dataclass(frozen=True, slots=True)
class Source:
    """A training line as cross-validation needs it."""

    index: int
    """Index among the training lines."""
    page_key: str
    """Hex digest of the image that the line is on."""
    trained: bool
    """Whether a model that takes part was trained on it, or one that this model comes from."""


@dataclass(frozen=True, slots=True)
class CutLines:
    """The lines at one height in pixels."""

    training: list[TrainingLine] = field(default_factory=list)
    holdout: list[TrainingLine] = field(default_factory=list)
    general: list[TrainingLine] = field(default_factory=list)
    """Lines of other writers that measure what is forgotten."""
    sources: list[Source] = field(default_factory=list)
    """Where the training lines come from."""

    @property
    def new(self) -> list[TrainingLine]:
        """Return at most 256 lines that trained no model before the fit, evenly spread."""
        known = {source.index for source in self.sources if source.trained}
        lines = [line for index, line in enumerate(self.training) if index not in known]
        return evenly([*self.holdout, *lines], _MAX_NEW_LINES)


class FitLines:
    """Cuts the lines of a training once for each height: models of different bases can differ in it."""

    def __init__(self, config: FitConfig, engine: Engine) -> None:
        """Take the configuration with the pages, and the engine that cuts lines as reading does."""
        self._config = config
        self._engine = engine
        self._cut: dict[int, CutLines] = {}

    def at(self, height: int) -> CutLines:
        """Return the lines at a height in pixels."""
        if height not in self._cut:
            lines = CutLines(general=shipped_lines(self._config.general, height))
            for page in self._config.pages:
                content = (self._config.directory / page.image).read_bytes()
                image, page_key = decode(content), hashlib.sha256(content).hexdigest()
                outlines = [
                    FoundLine(order, line.baseline, line.boundary) for order, line in enumerate(page.lines)
                ]
                crops = self._engine.cut_lines(image, outlines, height)
                for line, crop in zip(page.lines, crops, strict=True):
                    if line.holdout:
                        lines.holdout.append(TrainingLine(crop, line.text))
                        continue
                    lines.sources.append(Source(len(lines.training), page_key, line.trained))
                    lines.training.append(TrainingLine(crop, line.text))
            self._cut[height] = lines
        return self._cut[height]


def shipped_lines(path: Path | None, height: int) -> list[TrainingLine]:
    """Return shipped lines of other writers at a height in pixels, none where no file is set."""
    return read_lines(path, height) if path else []


def folds_of(page_keys: Sequence[str], count: int) -> list[int]:
    """Return each line's fold: lines of one page share a fold, except with fewer pages than folds."""
    keys = sorted(set(page_keys))
    if len(keys) < count:
        return [index % count for index in range(len(page_keys))]
    return [keys.index(key) % count for key in page_keys]
