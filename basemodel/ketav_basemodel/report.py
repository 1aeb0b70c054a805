"""Plots of an evaluation: confused letters, confidence against correctness, the worst lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.alphabet import LETTERS
from ketav_basemodel.evaluate import Pair, Pairs, character_confidences, grey
from ketav_common.error_rates import cer
from ketav_engine.recognition.decode import to_display


def confusion_counts(pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """Count the letters read for each written letter, shape (27, 28); the last column counts all others."""
    counts = np.zeros((len(LETTERS), len(LETTERS) + 1), dtype=np.int64)
    for pair in pairs:
        for written, read_as in _aligned(pair):
            if written in LETTERS:
                column = LETTERS.find(read_as) if read_as and read_as in LETTERS else -1
                counts[LETTERS.index(written), column] += 1
    return counts


def reliability(pairs: Sequence[Pair], bins: int = 10) -> list[tuple[float, float, int]]:
    """Return (mean confidence, share correct, characters) of each band of confidence with any character."""
    confidences, correct = character_confidences(pairs)
    bands = np.minimum((confidences * bins).astype(int), bins - 1)
    return [
        (float(confidences[bands == b].mean()), float(correct[bands == b].mean()), int((bands == b).sum()))
        for b in range(bins)
        if (bands == b).any()
    ]


def draw(results: Mapping[str, Pairs], folder: Path) -> None:
    """Write confusion.png, reliability.png and worst.png into `folder`; the last reader is the one served.

    worst.png shows real lines and must not be published.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plot = pyplot()
    served = [pair for pairs in list(results.values())[-1].values() for pair in pairs]
    _draw_confusion(plot, served, folder / "confusion.png")
    _draw_reliability(plot, results, folder / "reliability.png")
    _draw_worst(served, folder / "worst.png")


def draw_course(points: list[dict[str, float]], path: Path) -> None:
    """Draw the validation CER against training lines: each point has `lines` and one CER for each kind."""
    plot = pyplot()
    figure, axes = plot.subplots(figsize=(7, 4))
    for kind in [name for name in points[0] if name != "lines"]:
        axes.plot([p["lines"] for p in points], [100 * p[kind] for p in points], marker="o", label=kind)
    axes.set(xlabel="synthetic training lines", ylabel="CER on validation lines, %", yscale="log")
    axes.legend()
    axes.grid(alpha=0.3, which="both")
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)


def pyplot() -> Any:  # noqa: ANN401  # matplotlib is untyped here
    """Return pyplot, which draws to files."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _aligned(pair: Pair) -> list[tuple[str, str]]:
    """Pair each written character with the character read for it; an empty string is none."""
    aligned = []
    for block in Levenshtein.opcodes(pair.truth, pair.reading):
        written = pair.truth[block.src_start : block.src_end]
        read_as = pair.reading[block.dest_start : block.dest_end]
        aligned += [(w, read_as[i] if i < len(read_as) else "") for i, w in enumerate(written)]
    return aligned


def _draw_confusion(plot: Any, pairs: Sequence[Pair], path: Path) -> None:  # noqa: ANN401  # as above
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


def _draw_reliability(plot: Any, results: Mapping[str, Pairs], path: Path) -> None:  # noqa: ANN401  # as above
    """Draw the share of correct characters against their confidence, one panel for each reader."""
    figure, panels = plot.subplots(1, len(results), figsize=(5 * len(results), 5), sharey=True, squeeze=False)
    for axes, (name, folders) in zip(panels[0], results.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
        for folder, pairs in folders.items():
            points = [point for point in reliability(pairs) if point[2] >= 20]
            axes.plot([p[0] for p in points], [p[1] for p in points], marker="o", label=folder)
        axes.set(xlabel="confidence of a character", title=name, xlim=(0, 1), ylim=(0, 1))
    panels[0][0].set_ylabel("share of correct characters")
    panels[0][0].legend()
    figure.savefig(path, dpi=80, bbox_inches="tight")
    plot.close(figure)


def _draw_worst(pairs: Sequence[Pair], path: Path, count: int = 24, width: int = 1000) -> None:
    """Draw the lines with the highest CER in one column, each with its text and its reading."""
    order = sorted(pairs, key=lambda pair: -cer([(pair.truth, pair.reading)]).rate)
    strips = []
    for pair in order[:count]:
        image = grey(pair.path)
        scale = min(1.0, width / image.shape[1])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        strips.append(np.pad(small, ((3, 3), (width - small.shape[1], 0)), constant_values=160))
        strips.append(_caption(f"{pair.truth}   |   {pair.reading}", width))
    if strips:
        cv2.imwrite(str(path), np.vstack(strips))


def _caption(text: str, width: int, height: int = 22) -> NDArray[np.uint8]:
    """Draw a text in logical order at the right end of a strip, shape (height, width)."""
    from matplotlib import font_manager

    strip = Image.new("L", (width, height), 235)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 14, layout_engine=ImageFont.Layout.BASIC)
    ImageDraw.Draw(strip).text((width - 6, 3), to_display(text), font=font, fill=0, anchor="ra")
    return np.asarray(strip, dtype=np.uint8)
