"""Arrows below the text are no lines; strokes with ink on one side or along them stay."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ketav_engine.segmentation.arrows import erase_arrows
from ketav_engine.segmentation.line_finder import find_lines
from tests.parts.drawn_pages import paper, write

Mask = NDArray[np.uint8]


@pytest.mark.parametrize("width", [3, 6])
@pytest.mark.parametrize("end", [(400, 860), (720, 1010), (500, 1050), (860, 1000)])
def test_an_arrow_below_the_text_is_no_line(end: tuple[int, int], width: int) -> None:
    """Level, down, and slanting either way."""
    page = paper(1100)
    for top in range(80, 710, 90):
        write(page, 60, 960, top)
    cv2.arrowedLine(page, (700, 860), end, 30, width, cv2.LINE_AA, tipLength=0.15)
    assert len(find_lines(page, "page")) == 8


def blank() -> Mask:
    """Return a mask without ink."""
    return np.zeros((900, 1200), np.uint8)


def line(*ends: tuple[tuple[int, int], tuple[int, int]]) -> Mask:
    """Return a mask with strokes of four pixels."""
    mask = blank()
    for start, end in ends:
        cv2.line(mask, start, end, 1, 4)
    return mask


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(line(((200, 300), (500, 300))), id="a stroke without barbs"),
        pytest.param(line(((200, 300), (500, 300)), ((200, 300), (240, 260))), id="one barb"),
        pytest.param(line(((200, 300), (500, 300)), ((350, 250), (350, 350))), id="a cross"),
        pytest.param(
            line(((200, 300), (500, 300)), *(((x, 260), (x, 300)) for x in range(210, 500, 40))),
            id="an underlined word that touches its line",
        ),
        pytest.param(
            line(((100, 300), (1100, 300)), ((100, 300), (140, 260)), ((100, 300), (140, 340))), id="long"
        ),
    ],
)
def test_other_strokes_stay(mask: Mask) -> None:
    """They are the rules' part, or writing."""
    inked = mask.copy()
    erase_arrows(mask, inked)
    assert np.array_equal(inked, mask)


@pytest.mark.parametrize("barbs", [((240, 260), (240, 340)), ((230, 250), (235, 345))])
def test_an_arrow_is_erased_whole(barbs: tuple[tuple[int, int], tuple[int, int]]) -> None:
    """Its shaft, its barbs, and nothing else."""
    mask = line(((200, 300), (500, 300)), *(((200, 300), barb) for barb in barbs))
    mask[500:520, 300:320] = 1
    inked = mask.copy()
    erase_arrows(mask, inked)
    assert (int(inked.sum()), int(inked[500:520, 300:320].sum())) == (400, 400)
