"""Tables around the paper, the grain of paper, and noise are no writing."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ketav_engine.segmentation.grain import grain_of
from ketav_engine.segmentation.line_finder import find_lines
from tests.parts.drawn_pages import Image, box, paper, write

SIZE = (900, 1000)
"""Height and width of the paper on a table."""


def noise(size: tuple[int, int], blur: float, seed: int = 0) -> NDArray[np.float64]:
    """Return noise of standard deviation 1; `blur` in pixels makes it as coarse as strokes."""
    field: NDArray[np.float64] = np.random.default_rng(seed).normal(0, 1, size)
    field = np.asarray(cv2.GaussianBlur(field, (0, 0), blur)) if blur else field
    return np.asarray(field / field.std(), dtype=np.float64)


def wood(
    size: tuple[int, int], level: int, share: float, seed: int = 0, period: int = 6
) -> NDArray[np.float64]:
    """Return the level grain of a wooden table, which varies by a share of its brightness within a period."""
    rows, columns = size
    rng = np.random.default_rng(seed)
    field = cv2.resize(
        rng.normal(0, 1, (rows // period, columns // 60)), size[::-1], interpolation=cv2.INTER_CUBIC
    )
    return np.asarray(level * (1 + share * field / field.std()), dtype=np.float64)


def written_paper(lines: int = 7) -> Image:
    """Return paper with lines."""
    leaf = paper(*SIZE)
    for index in range(lines):
        write(leaf, 120, 880, 120 + 100 * index)
    return leaf


def as_image(values: NDArray[np.float64]) -> Image:
    """Return grey levels as an image."""
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("level", "share"), [(45, 0.3), (70, 0.5), (100, 0.3), (140, 0.3)])
@pytest.mark.parametrize("degrees", [0, 3])
def test_a_wooden_table_has_no_lines(level: int, share: float, degrees: int) -> None:
    """However strong its grain is, and how bright it is: only the paper has writing."""
    table = wood((1300, 1600), level, share, seed=level)
    move = cv2.getRotationMatrix2D((500, 450), degrees, 1)
    move[:, 2] += (300, 200)
    leaf = cv2.warpAffine(written_paper().astype(np.float64), move, (1600, 1300), borderValue=-1.0)
    photograph = cv2.GaussianBlur(np.where(leaf < 0, table, leaf), (0, 0), 1.0)
    assert len(find_lines(as_image(photograph + noise((1300, 1600), 0) * 3), "page")) == 7


def test_writing_in_a_shadow_that_looks_like_a_table_is_found() -> None:
    """A dark part of the paper up to the edge of the image has writing as strong as the rest."""
    leaf = written_paper().astype(np.float64)
    leaf[:, :500] *= 0.4
    lines = find_lines(as_image(leaf), "page")
    assert len(lines) == 7
    assert all(box(line)[0] < 200 for line in lines)


def test_darker_paper_on_a_white_table_keeps_its_lines() -> None:
    """The brightest region is no paper if its writing is not the strongest."""
    page = np.full((1300, 1600), 250, np.uint8)
    page[200:1100, 300:1300] = (written_paper() * 0.6).astype(np.uint8)
    assert len(find_lines(page, "page")) == 7


@pytest.mark.parametrize(("deviation", "blur"), [(10, 0.0), (40, 0.0), (20, 1.0), (40, 1.0)])
def test_noise_is_no_writing(deviation: int, blur: float) -> None:
    """A page of the noise of a sensor has no line."""
    page = as_image(200 + deviation * noise((1400, 1000), blur, seed=deviation))
    assert find_lines(page, "page") == ()


def test_the_surface_of_a_table_is_no_writing() -> None:
    """Without any paper."""
    assert find_lines(as_image(wood((1400, 1000), 120, 0.2, period=3)), "page") == ()


@pytest.mark.parametrize(("deviation", "blur"), [(20, 0.7), (20, 1.5), (15, 2.0), (30, 1.0)])
def test_lines_on_strongly_grained_paper_are_found(deviation: int, blur: float) -> None:
    """Paper whose grain is as coarse as strokes, or as fine as pixels."""
    grained = written_paper() * 0.85 + deviation * noise(SIZE, blur, seed=deviation)
    assert len(find_lines(as_image(grained), "page")) == 7


def test_writing_is_no_grain_of_its_paper() -> None:
    """The grain of a clean page is small although a tenth of it is inked."""
    assert grain_of(written_paper()) < 1
    assert 9 < grain_of(as_image(200 + 10 * noise(SIZE, 0))) < 11
