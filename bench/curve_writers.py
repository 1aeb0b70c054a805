"""The writers of the learning curve: the lines that are corrected and the lines that are measured."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.paths import MATERIAL, bench_data

if TYPE_CHECKING:
    from ketav_basemodel.synthesis import Material

_SCROLL_CORRECTED: Final = 16
"""Lines of a scroll that are corrected; the others are measured."""
_SYNTHETIC_MEASURED: Final = 48
"""Lines of a synthetic writer that are measured."""
_SEED: Final = 4711
_DEGRADATION: Final = 0.5
"""Degradation of synthetic lines, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line's image as PNG, and its text."""

    image: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Writer:
    """One user of the curve."""

    name: str
    script: str
    corrected: tuple[Line, ...]
    """In the order in which they are corrected."""
    measured: tuple[Line, ...]
    """Never corrected: read with the serving model."""
    stages: tuple[int, ...]
    """Counts of corrected lines at which a training is started."""
    others: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    """Lines of other writers by folder, read before the first training and after the last one."""
    reading_clients: int = 0
    """Clients that read lines continuously while a training runs."""

    def quick(self) -> "Writer":
        """Return this writer with the first two stages only."""
        return replace(self, stages=self.stages[:2])


def notebook() -> list[Writer]:
    """Return one writer of modern cursive: pages rock and ariel are corrected, pages agada are measured."""
    bench = bench_data()
    folder = bench / "notebook"
    corrected = [*_lines(folder / "rock"), *_lines(folder / "ariel")]
    measured = _lines(folder / "agada")
    if not corrected or not measured:
        return []
    # Lines of all pages in random order, always the same: users correct lines of several pages.
    order = np.random.default_rng(_SEED).permutation(len(corrected))
    lines = tuple(corrected[index] for index in order)
    others = {name: tuple(_lines(bench / name)) for name in ("forms", "stam")}
    stages = (16, 64, 256, 1000)
    return [Writer("notebook", "modern_cursive", lines, tuple(measured), stages, others)]


def scrolls() -> list[Writer]:
    """Return each scroll's scribe as a user: 16 of the 22 lines are corrected, the last 6 are measured."""
    paths = _paths(bench_data() / "stam")
    writers = []
    for name, group in groupby(paths, key=lambda path: path.stem.rsplit("_", 1)[0]):
        lines = [_line(path) for path in group]
        corrected, measured = lines[:_SCROLL_CORRECTED], lines[_SCROLL_CORRECTED:]
        writers.append(
            Writer(f"scroll {name[:12]}", "square", tuple(corrected), tuple(measured), (_SCROLL_CORRECTED,))
        )
    return writers


def synthetic(count: int = 3, stages: tuple[int, ...] = (16, 64)) -> list[Writer]:
    """Return synthetic writers with the letters of writers that are held out of the first training stages.

    The last stage of the released base model trains on these writers, too: to measure unseen writers, set
    KETAV_MODELS_DIR to a folder with the weights of the stage before. The list is empty without the letters
    of KETAV_BENCH_DATA or the material of KETAV_BASEMODEL_DATA.
    """
    bench = bench_data()
    if not (bench / "letters_hhd").is_dir() or not MATERIAL.is_dir():
        return []
    from ketav_basemodel.synthesis import load_material

    material = load_material(MATERIAL, bench, "validation")
    writers = []
    for number in range(count):
        lines = _synthetic_lines(material, _SEED + number, stages[-1] + _SYNTHETIC_MEASURED)
        corrected, measured = lines[: stages[-1]], lines[stages[-1] :]
        writers.append(
            Writer(f"synthetic {number + 1}", "modern_cursive", tuple(corrected), tuple(measured), stages)
        )
    return writers


def timing() -> list[Writer]:
    """Return one synthetic writer as three users: none, one and three clients read lines during trainings."""
    (alone,) = synthetic(count=1, stages=(50, 200))
    return [
        replace(alone, name=f"{alone.name}, {clients} clients reading", reading_clients=clients)
        for clients in (0, 1, 3)
    ]


def _synthetic_lines(material: "Material", seed: int, count: int) -> list[Line]:
    """Return `count` lines of one synthetic writer on paper of medium quality."""
    from ketav_basemodel.compose import draw_line
    from ketav_basemodel.degrade import Neighbours, photograph
    from ketav_basemodel.writers import make_writer

    random = np.random.default_rng(seed)
    writer = make_writer("hand", material.collection, material.fonts, random)
    drawn = [draw_line(material.texts.draw(random), writer) for _ in range(count + 2)]
    lines = []
    for above, line, below in zip(drawn, drawn[1:], drawn[2:], strict=False):
        neighbours = Neighbours(above, below, writer.style.line_distance * line.core)
        lines.append(Line(_png(photograph(line, neighbours, _DEGRADATION, random)), line.text))
    return lines


def _lines(folder: Path) -> list[Line]:
    """Read a folder's lines in the order of their names."""
    return [_line(path) for path in _paths(folder)]


def _paths(folder: Path) -> list[Path]:
    """Return the line images that have a text."""
    return [path for path in sorted(folder.glob("*.png")) if path.with_suffix(".gt.txt").exists()]


def _line(path: Path) -> Line:
    """Read an image and its text."""
    return Line(path.read_bytes(), path.with_suffix(".gt.txt").read_text(encoding="utf-8").strip())


def _png(image: NDArray[Any]) -> bytes:
    """Write a grey image as PNG."""
    return bytes(cv2.imencode(".png", image)[1])


def groups(names: str) -> Iterator[tuple[str, list[Writer]]]:
    """Yield the named groups (separated by commas) and their writers; raises NoBenchDataError.

    `timing` is one synthetic writer at the two sizes whose time is a goal, 50 and 200 lines, without other
    load and with clients that read lines continuously.
    """
    sources: dict[str, Callable[[], list[Writer]]] = {
        "notebook": notebook,
        "stam": scrolls,
        "synthetic": synthetic,
        "timing": timing,
    }
    for name in names.split(","):
        yield name, sources[name]()
