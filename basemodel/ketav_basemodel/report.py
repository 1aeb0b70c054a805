"""Pictures of an evaluation: which letters are taken for which, confidence against truth, the worst lines."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.evaluate import Pair
from ketav_basemodel.texts import LETTERS
from ketav_common.metrics import cer


def confusion_counts(pairs: list[Pair]) -> NDArray[np.int64]:
    """Count letters read for letters written, shape (27, 28); the last column counts what was not read."""
    counts = np.zeros((len(LETTERS), len(LETTERS) + 1), dtype=np.int64)
    for pair in pairs:
        for written, got in _aligned(pair):
            if written in LETTERS:
                counts[LETTERS.index(written), LETTERS.find(got) if got and got in LETTERS else -1] += 1
    return counts


def reliability(pairs: list[Pair], bins: int = 10) -> list[tuple[float, float, int]]:
    """Return (mean confidence, 1 - CER, lines) of the lines in each tenth of confidence that holds any."""
    order = sorted(pairs, key=lambda pair: pair.confidence)
    found = []
    for index in range(bins):
        group = order[index * len(order) // bins : (index + 1) * len(order) // bins]
        if group:
            rate = cer([(pair.truth, pair.reading) for pair in group]).rate
            found.append((float(np.mean([pair.confidence for pair in group])), 1 - rate, len(group)))
    return found


def draw(pairs: dict[str, list[Pair]], folder: Path) -> None:
    """Write confusion.png, reliability.png and worst.png into `folder`.

    worst.png shows real lines: it is for looking at and never leaves the machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plot = pyplot()
    _draw_confusion(plot, [pair for found in pairs.values() for pair in found], folder / "confusion.png")
    _draw_reliability(plot, pairs, folder / "reliability.png")
    _draw_worst([pair for found in pairs.values() for pair in found], folder / "worst.png")


def draw_course(points: list[dict[str, float]], path: Path) -> None:
    """Draw validation's CER against training lines: `points` hold `lines` and one CER per kind's name."""
    plot = pyplot()
    figure, axes = plot.subplots(figsize=(7, 4))
    for kind in [name for name in points[0] if name != "lines"]:
        axes.plot([p["lines"] for p in points], [100 * p[kind] for p in points], marker="o", label=kind)
    axes.set(xlabel="synthetic lines seen", ylabel="CER on validation lines, %", yscale="log")
    axes.legend()
    axes.grid(alpha=0.3, which="both")
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)


def pyplot() -> Any:  # noqa: ANN401  # matplotlib is untyped here
    """Return pyplot drawing to files."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _aligned(pair: Pair) -> list[tuple[str, str]]:
    """Pair each written character with what was read for it; an empty string is nothing."""
    found = []
    for block in Levenshtein.opcodes(pair.truth, pair.reading):
        written = pair.truth[block.src_start : block.src_end]
        got = pair.reading[block.dest_start : block.dest_end]
        found += [(w, got[i] if i < len(got) else "") for i, w in enumerate(written)]
    return found


def _draw_confusion(plot: Any, pairs: list[Pair], path: Path) -> None:  # noqa: ANN401  # as above
    """Draw the letters' confusions as shares of each written letter."""
    counts = confusion_counts(pairs)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = plot.subplots(figsize=(8, 8))
    axes.imshow(np.sqrt(shares), cmap="Blues")
    axes.set_xticks(range(len(LETTERS) + 1), [*LETTERS, "-"])
    axes.set_yticks(range(len(LETTERS)), list(LETTERS))
    axes.set(xlabel="read", ylabel="written")
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)


def _draw_reliability(plot: Any, pairs: dict[str, list[Pair]], path: Path) -> None:  # noqa: ANN401  # as above
    """Draw what share of the characters is right against the confidence claimed for them."""
    figure, axes = plot.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for folder, found in pairs.items():
        points = reliability(found)
        axes.plot([p[0] for p in points], [p[1] for p in points], marker="o", label=folder)
    axes.set(xlabel="mean confidence of a line", ylabel="1 - CER", xlim=(0.3, 1), ylim=(0.3, 1))
    axes.legend()
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)


def _draw_worst(pairs: list[Pair], path: Path, most: int = 24, width: int = 1000) -> None:
    """Put the lines with the highest CER under one another."""
    order = sorted(pairs, key=lambda pair: -cer([(pair.truth, pair.reading)]).rate)
    strips = []
    for pair in order[:most]:
        image = cv2.imread(str(pair.path), cv2.IMREAD_GRAYSCALE)
        if image is None:
            continue
        scale = min(1.0, width / image.shape[1])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        strips.append(np.pad(small, ((3, 3), (0, width - small.shape[1])), constant_values=160))
    if strips:
        cv2.imwrite(str(path), np.vstack(strips))
