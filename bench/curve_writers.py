"""The writers of the learning curve: whose lines are corrected, and which others are read afterwards."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ketav_basemodel.synthesis import Material

DATA: Final = Path(os.environ.get("KETAV_BENCH_DATA", "../shared/data"))
MATERIAL: Final = Path(os.environ.get("KETAV_BASEMODEL_DATA", "var/data"))
_SCROLL_CORRECTED: Final = 16
_SYNTHETIC_MEASURED: Final = 48
_SEED: Final = 4711
_PAPER: Final = 0.5
"""How much synthetic paper is degraded, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line's image, as PNG, and what is written on it."""

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
    """Never corrected: read with whatever model serves."""
    stages: tuple[int, ...]
    """Counts of corrected lines at which a training is started."""
    others: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    """Lines of other hands by their folder, read before the first training and after the last one."""

    reads_on: int = 0
    """Clients that read lines without a pause while a training runs."""

    def quick(self) -> "Writer":
        """Return the same writer with the first two stages only."""
        return replace(self, stages=self.stages[:2])


def notebook() -> list[Writer]:
    """One writer of modern cursive: pages of rock and ariel are corrected, other pages (agada) are read."""
    folder = DATA / "notebook"
    corrected = [*_lines(folder / "rock"), *_lines(folder / "ariel")]
    measured = _lines(folder / "agada")
    if not corrected or not measured:
        return []
    # Lines of all pages in turn, by a shuffle that never changes: a user corrects what is at hand.
    order = np.random.default_rng(_SEED).permutation(len(corrected))
    lines = tuple(corrected[index] for index in order)
    others = {name: tuple(_lines(DATA / name)) for name in ("forms", "stam")}
    stages = (16, 64, 256, 1000)
    return [Writer("notebook", "modern_cursive", lines, tuple(measured), stages, others)]


def scrolls() -> list[Writer]:
    """Return each scroll's scribe as a user: 16 of the 22 lines are corrected, the last 6 are read."""
    paths = _paths(DATA / "stam")
    writers = []
    for name, group in groupby(paths, key=lambda path: path.stem.rsplit("_", 1)[0]):
        lines = [_line(path) for path in group]
        corrected, measured = lines[:_SCROLL_CORRECTED], lines[_SCROLL_CORRECTED:]
        writers.append(
            Writer(f"scroll {name[:12]}", "square", tuple(corrected), tuple(measured), (_SCROLL_CORRECTED,))
        )
    return writers


def synthetic(count: int = 3, stages: tuple[int, ...] = (16, 64)) -> list[Writer]:
    """Return writers made of letters of real hands that were held out while the base model was made.

    Its last leg trained on them too: to measure unseen hands, point KETAV_MODELS_DIR at the held-out twin.

    Nothing without the letters of KETAV_BENCH_DATA and the material of KETAV_BASEMODEL_DATA.
    """
    if not (DATA / "letters_hhd").is_dir() or not MATERIAL.is_dir():
        return []
    from ketav_basemodel.synthesis import load_material

    material = load_material(MATERIAL, DATA, "validation")
    writers = []
    for number in range(count):
        drawn = _drawn(material, _SEED + number, stages[-1] + _SYNTHETIC_MEASURED)
        corrected, measured = drawn[: stages[-1]], drawn[stages[-1] :]
        writers.append(
            Writer(f"synthetic {number + 1}", "modern_cursive", tuple(corrected), tuple(measured), stages)
        )
    return writers


def timing() -> list[Writer]:
    """Return one synthetic writer as three users: none, one and three clients read lines meanwhile."""
    (alone,) = synthetic(count=1, stages=(50, 200))
    return [
        replace(alone, name=f"{alone.name}, {clients} reading on", reads_on=clients) for clients in (0, 1, 3)
    ]


def _drawn(material: "Material", seed: int, count: int) -> list[Line]:
    """Write lines with one hand, on paper of middling quality, until there are enough."""
    from ketav_basemodel.compose import draw_line
    from ketav_basemodel.degrade import Neighbours, photograph
    from ketav_basemodel.writers import make_writer

    random = np.random.default_rng(seed)
    writer = make_writer("hand", material.hands, material.fonts, random)
    written = [draw_line(material.texts.draw(random), writer) for _ in range(count + 2)]
    lines = []
    for above, line, below in zip(written, written[1:], written[2:], strict=False):
        around = Neighbours(above, below, writer.style.pitch * line.core)
        lines.append(Line(_png(photograph(line, around, _PAPER, random)), line.text))
    return lines


def _lines(folder: Path) -> list[Line]:
    """Read a folder's lines in the order of their names."""
    return [_line(path) for path in _paths(folder)]


def _paths(folder: Path) -> list[Path]:
    """List the line images that have a text beside them."""
    return [path for path in sorted(folder.glob("*.png")) if path.with_suffix(".gt.txt").exists()]


def _line(path: Path) -> Line:
    """Read an image and its text."""
    return Line(path.read_bytes(), path.with_suffix(".gt.txt").read_text(encoding="utf-8").strip())


def _png(image: NDArray[Any]) -> bytes:
    """Write a grey image as PNG."""
    return bytes(cv2.imencode(".png", image)[1])


def groups(wanted: str) -> Iterator[tuple[str, list[Writer]]]:
    """Yield the wanted groups, named with commas between, and their writers.

    `timing` is one synthetic writer at the two sizes whose time is a goal, 50 and 200 lines, once left alone
    and once with lines read without a pause meanwhile.
    """
    sources: dict[str, Callable[[], list[Writer]]] = {
        "notebook": notebook,
        "stam": scrolls,
        "synthetic": synthetic,
        "timing": timing,
    }
    for name in wanted.split(","):
        yield name, sources[name]()
