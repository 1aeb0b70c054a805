"""Pictures of an evaluation: which letters are taken for which, confidence against truth, the worst lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from ketav_basemodel.evaluate import Pair, Pairs, certainties, grey
from ketav_basemodel.texts import LETTERS
from ketav_common.metrics import cer
from ketav_engine.recognition.decode import to_display


def confusion_counts(pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """Count letters read for letters written, shape (27, 28); the last column counts what was not read."""
    counts = np.zeros((len(LETTERS), len(LETTERS) + 1), dtype=np.int64)
    for pair in pairs:
        for written, got in _aligned(pair):
            if written in LETTERS:
                counts[LETTERS.index(written), LETTERS.find(got) if got and got in LETTERS else -1] += 1
    return counts


def reliability(pairs: Sequence[Pair], bins: int = 10) -> list[tuple[float, float, int]]:
    """Return (mean confidence, share right, characters) of each band of confidence that holds any."""
    sure, right = certainties(pairs)
    places = np.minimum((sure * bins).astype(int), bins - 1)
    return [
        (float(sure[places == band].mean()), float(right[places == band].mean()), int((places == band).sum()))
        for band in range(bins)
        if (places == band).any()
    ]


def draw(found: Mapping[str, Pairs], folder: Path) -> None:
    """Write confusion.png, reliability.png and worst.png into `folder`; the last reader is the one served.

    worst.png shows real lines: it is for looking at and never leaves the machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plot = pyplot()
    served = [pair for pairs in list(found.values())[-1].values() for pair in pairs]
    _draw_confusion(plot, served, folder / "confusion.png")
    _draw_reliability(plot, found, folder / "reliability.png")
    _draw_worst(served, folder / "worst.png")


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


def _draw_reliability(plot: Any, found: Mapping[str, Pairs], path: Path) -> None:  # noqa: ANN401  # as above
    """Draw what share of the characters is right against the confidence claimed, a panel for each reader."""
    figure, panels = plot.subplots(1, len(found), figsize=(5 * len(found), 5), sharey=True, squeeze=False)
    for axes, (name, folders) in zip(panels[0], found.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
        for folder, pairs in folders.items():
            points = [point for point in reliability(pairs) if point[2] >= 20]
            axes.plot([p[0] for p in points], [p[1] for p in points], marker="o", label=folder)
        axes.set(xlabel="confidence of a character", title=name, xlim=(0, 1), ylim=(0, 1))
    panels[0][0].set_ylabel("share of right characters")
    panels[0][0].legend()
    figure.savefig(path, dpi=80, bbox_inches="tight")
    plot.close(figure)


def _draw_worst(pairs: Sequence[Pair], path: Path, most: int = 24, width: int = 1000) -> None:
    """Put the lines with the highest CER under one another, each with its text and what was read."""
    order = sorted(pairs, key=lambda pair: -cer([(pair.truth, pair.reading)]).rate)
    strips = []
    for pair in order[:most]:
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
