"""Large letters are found whole, and drawn curves are no lines."""

import numpy as np
import pytest

from bench.drawn_kinds import Page as HandwrittenPage
from ketav_engine.segmentation.line_finder import find_lines
from ketav_local.demo.page import INK


@pytest.mark.parametrize("text", ["ש", "מ", "שלום"])
@pytest.mark.parametrize("size", [120, 250])
def test_large_letters_are_found_whole(text: str, size: int) -> None:
    """Their broad strokes are no paper, whatever the size of the image."""
    page = HandwrittenPage(seed=1, width=1000, height=700)
    page.write(900, 200, text, size)
    (line,) = find_lines(page.grey, "page")
    rows, columns = np.nonzero(page.grey < 128)
    left, top = np.min(line.boundary, axis=0)
    right, bottom = np.max(line.boundary, axis=0)
    assert max(left - columns.min(), top - rows.min(), columns.max() - right, rows.max() - bottom) <= 5


@pytest.mark.parametrize("shape", ["circle", "half", "wave"])
@pytest.mark.parametrize("width", [3, 6])
def test_a_drawn_curve_is_no_line(shape: str, width: int) -> None:
    """It is one stroke, which letters joined over its length are not."""
    page = HandwrittenPage(seed=3, width=1400, height=1200)
    page.write_lines(7, 6)
    angles = np.linspace(0, {"circle": 2, "half": 1, "wave": 4}[shape] * np.pi, 200)
    across = 150 * (1 - np.cos(angles)) if shape != "wave" else 40 * angles
    curve = np.stack([500 + across, 950 + 120 * np.sin(angles)], axis=1).astype(int)
    page.pen.line([(x, y) for x, y in curve.tolist()], fill=INK, width=width)
    if shape == "circle":
        page.pen.line([(650, 800), (650, 1100)], fill=INK, width=width)
    assert len(find_lines(page.grey, "page")) == 7
