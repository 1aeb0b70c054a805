"""The simulated user trains with the product's process, and harmful corrections are counted as harmful."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.effort import PEER, PRODUCT, Simulation, Training
from bench.effort_report import as_markdown
from bench.hand_pages import Hand, TrueLine
from bench.harmful_corrections import HARMS, UNRELATED, Trial, upper_bound
from bench.trainings import CorrectedLine, Shipped, read, stack, train
from ketav_common.error_rates import cer
from ketav_engine.images import decode
from ketav_engine.segmentation.line_finder import to_grey
from ketav_testing import tiny
from tests.parts.pages import draw_page, place_of, random_lines

SHIPPED = Shipped(base=tiny.save(), engine="tiny")


def drawn(lines: int = 10) -> list[TrueLine]:
    """Return drawn lines that the tiny engine learns to read."""
    texts = random_lines(lines)
    page = to_grey(decode(draw_page(texts)))
    cut = []
    for row, text in enumerate(texts):
        left, top, width, height = cv2.boundingRect(np.array(place_of(row, texts)[1]))
        cut.append(TrueLine(page[top : top + height, left : left + width], text))
    return cut


def corrected(lines: list[TrueLine], texts: list[str]) -> list[list[CorrectedLine]]:
    """Return each line as a page, every third one held out, with the given texts."""
    return [
        [CorrectedLine(line.image, text, index % 3 == 0)]
        for index, (line, text) in enumerate(zip(lines, texts, strict=True))
    ]


def test_stacked_lines_are_one_below_another_where_their_boundaries_say() -> None:
    """Every boundary encloses its line's pixels, flush right."""
    images = [np.full((20, 30 + 10 * number), number, dtype=np.uint8) for number in range(3)]
    page, outlines = stack(images)
    for image, line in zip(images, outlines, strict=True):
        (left, top), (right, _), (_, bottom), _ = line.boundary
        assert (page[top : bottom + 1, left : right + 1] == image).all()
        assert right == page.shape[1] - 1


def test_a_training_on_true_texts_is_promoted_and_reads_them() -> None:
    """The candidate reads the held-out lines with less than half of the parent's errors."""
    lines = drawn(18)
    trained = train(corrected(lines, [line.text for line in lines]), SHIPPED.base, SHIPPED)
    assert trained.verdict.promote, trained.verdict.sentence
    texts = read(SHIPPED.make_engine(), trained.content, [line.image for line in lines])
    pairs = list(zip([line.text for line in lines], texts, strict=True))
    held_out = cer(pairs[::3]).rate
    assert held_out < trained.verdict.cer_before / 2


@pytest.mark.parametrize("harm", UNRELATED)
def test_texts_of_other_lines_are_no_longer_at_their_line(harm: str) -> None:
    """No text stays at its line, so a promotion after it is wrong whatever the model reads."""
    lines = drawn()
    texts = HARMS[harm](lines, np.random.default_rng(1))
    assert all(text != line.text for text, line in zip(texts, lines, strict=True))
    assert Trial(0, harm, "hand", 10, 1.0, promoted=True, verdict="").harmful


def test_half_of_the_texts_stay_at_their_lines() -> None:
    """Half of them shuffled: the others remain true."""
    lines = drawn()
    texts = HARMS["half of them shuffled"](lines, np.random.default_rng(1))
    assert sum(text == line.text for text, line in zip(texts, lines, strict=True)) == len(lines) // 2


def test_a_promotion_after_careless_corrections_is_harmful_if_the_model_reads_worse() -> None:
    """A model that reads true lines better is no harm, although a third of the letters was wrong."""
    trial = Trial(0, "three letters in ten replaced", "hand", 16, 1.0, True, "", base_cer=0.1, cer=0.08)
    assert not trial.harmful
    assert replace(trial, cer=0.12).harmful
    assert not replace(trial, cer=0.12, promoted=False).harmful


def test_no_harm_in_two_hundred_trials_bounds_the_share_below_two_per_cent() -> None:
    """The interval of a share is wider than the share."""
    assert upper_bound(0, 200) == pytest.approx(0.0149, abs=1e-3)
    assert upper_bound(2, 200) > 0.02
    assert upper_bound(3, 3) == 1.0


def test_a_model_serves_from_the_page_after_those_that_the_user_corrects_meanwhile() -> None:
    """A training of half a minute after the first page ends during the second one and serves the third."""
    training = Training(PRODUCT, page=0, lines=16, seconds=30, verdict="", promoted=True)
    assert training.first_page == 2
    assert replace(training, seconds=70).first_page == 3


def test_a_simulation_goes_on_where_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages and trainings are those of an uninterrupted simulation, and a learned page needs fewer edits."""
    # Kraken's trainer cannot continue a model of the tiny engine; its loop is tested by running it.
    monkeypatch.setattr("bench.effort.run_kraken", lambda lines, start, to, seconds: to.write_bytes(start))
    monkeypatch.setattr("bench.effort.make_engine", lambda _: SHIPPED.make_engine())
    lines = drawn(27)
    hand = Hand("drawn", tuple(tuple(lines[start : start + 9]) for start in range(0, 27, 9)))
    hand = replace(hand, pages=(*hand.pages, *hand.pages[:2]))
    for _ in hand.pages:
        Simulation(hand, tmp_path, SHIPPED).correct_page()
    finished = Simulation(hand, tmp_path, SHIPPED)
    assert finished.finished
    assert [(t.learner, t.lines) for t in finished.trainings] == [
        (PRODUCT, 18),
        (PEER, 18),
        (PRODUCT, 36),
        (PEER, 36),
    ]
    last = finished.pages[-1].edits
    assert last[PRODUCT] < last["without learning"]


def test_the_report_sums_the_edits_of_a_hand() -> None:
    """A row for each way of reading."""
    page = {"hand": "A", "page": 0, "lines": 8, "characters": 100, "reading_seconds": 0.5}
    ways = {"without learning": 10, "with learning": 5}
    text = as_markdown([page | {"edits": ways}, page | {"page": 1, "edits": ways}], [])
    assert "| A | 2, 16, 200 | with learning | 10 | 5.0 % | 5.0 % |" in text
