"""The recognizer's responses keep the contract, whatever the engine returns."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav.page.v1 import page_pb2
from ketav_engine.domain import ReadLine, ReadPage, ReadWord
from ketav_recognizer.convert import to_response

points = st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), max_size=6).map(tuple)


def line(text: str = "אב", confidence: float = 0.5, **fields: object) -> ReadLine:
    """Return a read line."""
    words = (ReadWord(text, confidence, 0, len(text)),)
    known: dict[str, object] = {
        "order": 0,
        "baseline": ((0, 0), (9, 0)),
        "boundary": ((0, 0), (9, 0), (9, 9)),
        "confidences": (confidence,) * len(text),
    }
    return ReadLine(text=text, confidence=confidence, words=words, **(known | fields))  # type: ignore[arg-type]


def encode(*lines: ReadLine) -> list[page_pb2.Line]:
    """Encode a page of 100 × 50 pixels with these lines."""
    return list(to_response(ReadPage(100, 50, lines), "base-1").lines)


@given(points, points)
def test_positions_lie_on_the_image(
    baseline: tuple[tuple[int, int], ...], boundary: tuple[tuple[int, int], ...]
) -> None:
    """Points outside are moved to the nearest pixel; none is dropped."""
    (encoded,) = encode(line(baseline=baseline, boundary=boundary))
    assert len(encoded.baseline) == len(baseline)
    assert len(encoded.boundary) == len(boundary)
    for point in (*encoded.baseline, *encoded.boundary):
        assert 0 <= point.x < 100
        assert 0 <= point.y < 50


@given(st.floats())
def test_confidences_lie_between_0_and_1(confidence: float) -> None:
    """Also where the engine says infinity or nothing at all."""
    (encoded,) = encode(line(confidence=confidence))
    for value in (encoded.confidence, *encoded.character_confidences, encoded.words[0].confidence):
        assert 0 <= value <= 1
        assert not math.isnan(value)


def test_the_order_of_lines_is_their_place_in_the_reading_order() -> None:
    """Lines are numbered from 0 in the order in which the engine gives them."""
    assert [encoded.order for encoded in encode(line("א"), line("ב"), line("ג"))] == [0, 1, 2]


@pytest.mark.parametrize("text", ["\ufb2a", "e\u0301"])
def test_text_that_is_not_nfc_is_a_defect_and_no_answer(text: str) -> None:
    """A presentation form or a decomposed letter from the engine must not be stored."""
    with pytest.raises(ValueError, match="NFC"):
        encode(line(text))


def test_a_text_without_a_confidence_for_each_code_point_is_a_defect() -> None:
    """Otherwise confidences would belong to other letters."""
    with pytest.raises(ValueError, match="confidence"):
        encode(line("אב", confidences=(0.5,)))
