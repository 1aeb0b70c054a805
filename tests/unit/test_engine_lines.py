"""Cropping and normalising lines."""

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ketav_engine.cropping import crop
from ketav_engine.lines import CORE, HEIGHT, MAX_ASPECT, core_band, normalise, to_tensor

Grey = NDArray[np.uint8]


def letters(height: int = 40, count: int = 12, margin: int = 20, paper: int = 230, ink: int = 40) -> Grey:
    """Draw a line of box-like letters of one height, every fourth with an ascender."""
    image = np.full((height + 2 * margin, count * height + 2 * margin), paper, dtype=np.uint8)
    stroke = max(2, height // 8)
    for index in range(count):
        left = margin + index * height
        top = margin - (height // 3 if index % 4 == 0 else 0)
        cv2.rectangle(image, (left, top), (left + height // 2, margin + height), ink, stroke)
    return image


def test_the_size_of_letters_does_not_depend_on_the_margins_of_the_crop() -> None:
    """The core band takes the same share of the height with narrow and with wide margins."""
    for margin in (15, 25, 40):
        line = normalise(letters(margin=margin))
        core, centre = core_band(line < 128)
        assert line.shape[0] == HEIGHT
        assert core / HEIGHT == pytest.approx(CORE, rel=0.25)
        assert centre / HEIGHT == pytest.approx(0.5, abs=0.1)


def test_the_size_of_letters_does_not_depend_on_the_resolution() -> None:
    """The same line at twice the resolution normalises to nearly the same width."""
    small, large = normalise(letters(30, margin=15)), normalise(letters(60, margin=30))
    assert large.shape[1] == pytest.approx(small.shape[1], rel=0.1)


def test_paper_becomes_white_and_ink_dark_under_a_shadow() -> None:
    """A gradient across the paper and faint ink leave white paper and dark letters."""
    image = letters(paper=200, ink=120).astype(np.float64)
    image *= np.linspace(0.5, 1.0, image.shape[1])
    line = normalise(image.astype(np.uint8))
    assert np.percentile(line, 60) > 240
    assert np.percentile(line, 3) < 60


def test_a_blank_crop_becomes_a_white_line() -> None:
    """Paper without ink, even noisy paper, normalises to pure white."""
    noise = np.random.default_rng(1).normal(220, 2, (50, 300)).clip(0, 255).astype(np.uint8)
    for blank in (np.full((50, 300), 255, np.uint8), np.zeros((1, 1), np.uint8), noise):
        line = normalise(blank)
        assert line.shape[0] == HEIGHT
        assert (line == 255).all()


def test_the_width_of_a_line_is_bounded() -> None:
    """A crop of extreme proportions cannot demand an extreme tensor."""
    image = np.tile(letters(20, 10, margin=2), (1, 200))
    assert normalise(image).shape[1] <= MAX_ASPECT * HEIGHT


def test_outside_the_boundary_is_paper_not_black() -> None:
    """A neighbour's ink outside the polygon is removed, and nothing darker than the paper replaces it."""
    page = np.full((120, 300), 210, dtype=np.uint8)
    page[10:20] = 0
    page[60:70, 40:260] = 30
    cut = crop(page, [(20, 75), (280, 75)], [(20, 45), (280, 45), (280, 90), (20, 90)])
    assert cut[0].min() == 210
    assert cut.min() == 30
    slanted = crop(page, [(20, 75), (280, 75)], [(20, 45), (280, 5), (280, 90), (20, 90)])
    assert slanted[0, :100].min() == 210


def test_a_sloping_line_is_levelled_along_its_baseline() -> None:
    """Ink drawn along a slope of six degrees is in few rows of the crop."""
    page = np.full((300, 600), 255, dtype=np.uint8)
    slope = math.tan(math.radians(6))
    ends = (30, 100), (570, round(100 + 540 * slope))
    cv2.line(page, ends[0], ends[1], 0, 4)
    boundary = [(30, 70), (570, ends[1][1] - 30), (570, ends[1][1] + 30), (30, 130)]
    for baseline in (list(ends), list(ends)[::-1]):
        rows = np.flatnonzero((crop(page, baseline, boundary) < 128).any(axis=1))
        assert np.ptp(rows) <= 8


def test_a_curved_line_is_levelled_along_its_baseline() -> None:
    """Ink drawn along an arc is in few rows of the crop."""
    page = np.full((200, 800), 255, dtype=np.uint8)
    xs = np.linspace(20, 780, 40)
    ys = 100 - 25 * np.sin((xs - 20) / 760 * np.pi)
    cv2.polylines(page, [np.stack([xs, ys], axis=1).astype(np.int32)], isClosed=False, color=0, thickness=4)
    points = list(zip(xs.tolist(), ys.tolist(), strict=True))
    boundary = [(x, y - 25) for x, y in points] + [(x, y + 25) for x, y in reversed(points)]
    rows = np.flatnonzero((crop(page, points, boundary) < 128).any(axis=1))
    assert np.ptp(rows) <= 10


@pytest.mark.parametrize(
    "boundary", [[], [(5, 5)], [(900, 900), (950, 900), (950, 950)], [(5, 5), (5, 5), (5, 5)]]
)
def test_a_boundary_without_area_on_the_page_gives_a_blank_crop(boundary: list[tuple[float, float]]) -> None:
    """Empty, single-point, outside and degenerate polygons give white lines."""
    page = np.zeros((100, 100), dtype=np.uint8)
    cut = crop(page, [(0, 50), (99, 50)], boundary)
    assert (normalise(cut) == 255).all()


@pytest.mark.kraken
def test_a_tensor_has_ink_one_and_paper_zero() -> None:
    """Lines of different widths are stacked, inverted, and padded with paper on the right."""
    tensor = to_tensor([np.full((4, 3), 0, np.uint8), np.full((4, 5), 255, np.uint8)])
    assert tuple(tensor.shape) == (2, 1, 4, 5)
    assert tensor[0, 0, :, :3].min() == 1
    assert tensor[0, 0, :, 3:].max() == 0
    assert tensor[1].max() == 0
