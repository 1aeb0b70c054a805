"""The contract of the port `Engine`, which every engine passes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ketav_engine import domain
from ketav_engine.budgets import OUT_OF_TIME, TOO_MANY_LINES, PageBudgets, reading_within
from ketav_testing import tiny

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """An engine with a model file that it can load."""

    engine: domain.Engine
    content: bytes

    def model(self) -> domain.Model:
        """Load the file."""
        return self.engine.load_model(self.content, hashlib.sha256(self.content).hexdigest())


def tiny_case() -> Case:
    """Build the deterministic engine with an empty table."""
    return Case(tiny.TinyEngine(), tiny.save())


def kraken_case() -> Case:
    """Build the real engine with a small untrained network, always the same."""
    import torch

    from ketav_engine import models
    from ketav_engine.kraken_engine import KrakenEngine

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        net = models.build("[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,16 Mp4,2 S1(1x0)1,3 Lbx24]", tiny.LETTERS + " .,")
    return Case(KrakenEngine(), models.save(net))


def beam_case() -> Case:
    """Build the real engine with a language model."""
    from ketav_basemodel import language_model
    from ketav_basemodel.running_text import RunningText
    from ketav_engine.kraken_engine import KrakenEngine

    texts = RunningText([], ["שלום אבא"], [])
    language = language_model.train({"שלום": 0.6, "אבא": 0.4}, texts, tiny.LETTERS + " .,")
    return Case(KrakenEngine(language), kraken_case().content)


CASES = [
    pytest.param(tiny_case, id="tiny"),
    pytest.param(kraken_case, id="kraken", marks=pytest.mark.kraken),
    pytest.param(beam_case, id="kraken-beam", marks=pytest.mark.kraken),
]


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    """Return each engine in turn."""
    build: Callable[[], Case] = request.param
    return build()


def draw_page(lines: int = 3, width: int = 900) -> Image:
    """Draw lines of box-like letters with word gaps."""
    page = np.full((120 * lines + 60, width), 245, dtype=np.uint8)
    rng = np.random.default_rng(7)
    for line in range(lines):
        top = 50 + 120 * line
        for left in range(60, width - 80, 42):
            if rng.random() < 0.15:
                continue
            cv2.rectangle(page, (left, top), (left + int(rng.integers(12, 30)), top + 36), 20, 5)
    return page


def test_a_page_gives_its_lines_from_top_to_bottom(case: Case) -> None:
    """Three lines are found in order, each within the image and around its ink."""
    lines = case.engine.find_lines(draw_page(3), "page")
    assert [line.order for line in lines] == [0, 1, 2]
    for index, line in enumerate(lines):
        xs, ys = zip(*line.boundary, strict=True)
        assert min(xs) >= 0
        assert max(xs) < 900
        assert min(ys) <= 50 + 120 * index
        assert max(ys) >= 86 + 120 * index
        assert max(ys) - min(ys) < 110
        assert line.baseline[0][0] < line.baseline[-1][0]


def test_a_colour_page_gives_the_same_lines_as_a_grey_one(case: Case) -> None:
    """RGB of equal channels is the same page."""
    page = draw_page(2)
    assert case.engine.find_lines(np.dstack([page] * 3), "page") == case.engine.find_lines(page, "page")


def test_a_blank_page_has_no_lines_and_no_text(case: Case) -> None:
    """White, black and noisy paper give an empty page."""
    noise = np.random.default_rng(1).normal(225, 4, (300, 400)).clip(0, 255).astype(np.uint8)
    for blank in (np.full((300, 400), 255, np.uint8), np.zeros((300, 400), np.uint8), noise):
        page = case.engine.read_page(blank, "page", case.model())
        assert page.lines == ()
        assert page.text == ""
        assert page.confidence == 0
        assert (page.width, page.height) == (400, 300)


def test_with_layout_line_the_whole_image_is_one_line(case: Case) -> None:
    """Even blank, the image is one line that spans it."""
    for image in (draw_page(1), np.full((40, 200), 255, np.uint8), np.full((1, 1), 255, np.uint8)):
        (line,) = case.engine.find_lines(image, "line")
        xs = [x for x, _ in line.boundary]
        assert min(xs) == 0
        assert max(xs) >= image.shape[1] - 1
        assert len(case.engine.read_page(image, "line", case.model()).lines) == 1


def test_reading_the_same_page_twice_gives_the_same_page(case: Case) -> None:
    """Engines are deterministic."""
    page, model = draw_page(2), case.model()
    assert case.engine.read_page(page, "page", model) == case.engine.read_page(page, "page", model)


def test_the_reading_of_a_line_does_not_depend_on_the_other_lines(case: Case) -> None:
    """Lines read together and alone have the same text and nearly the same confidences."""
    page, model = draw_page(4), case.model()
    lines = case.engine.cut_lines(page, case.engine.find_lines(page, "page"), model.info.height)
    lines += [line[:, : line.shape[1] // 2] for line in lines]
    together = case.engine.read_lines(lines, model)
    for line, reading in zip(lines, together, strict=True):
        (alone,) = case.engine.read_lines([line], model)
        assert alone.text == reading.text
        assert alone.confidences == pytest.approx(reading.confidences, abs=0.02)


def test_each_code_point_has_a_confidence_and_words_have_their_offsets(case: Case) -> None:
    """Words cut out of the line's text by their offsets are the words."""
    page = case.engine.read_page(draw_page(2), "page", case.model())
    for line in page.lines:
        assert len(line.confidences) == len(line.text)
        assert all(0 <= value <= 1 for value in (line.confidence, *line.confidences))
        assert [line.text[word.start : word.end] for word in line.words] == [word.text for word in line.words]
        assert " ".join(word.text for word in line.words) == line.text


def test_characters_have_extents_along_their_line_or_none_has(case: Case) -> None:
    """Within the line's box, and each word of Hebrew letters is to the left of the one before it."""
    page = case.engine.read_page(draw_page(2), "page", case.model())
    for line in page.lines:
        assert len(line.extents) in {0, len(line.text)}
        length = max(x for x, _ in line.boundary) - min(x for x, _ in line.boundary)
        assert all(-length <= start <= end <= 2 * length for start, end in line.extents)


def test_reading_no_lines_gives_no_readings(case: Case) -> None:
    """An empty batch is not an error."""
    assert case.engine.read_lines([], case.model()) == []


@pytest.mark.parametrize("shape", [(0, 10), (10, 0), (10, 10, 4), (10,), (2, 2, 2, 2)])
def test_an_array_that_is_no_image_is_refused(case: Case, shape: tuple[int, ...]) -> None:
    """No pixels, four channels or another number of axes is an unusable image."""
    with pytest.raises(domain.UnusableImageError):
        case.engine.find_lines(np.zeros(shape, np.uint8), "page")


def test_a_file_with_another_digest_is_refused(case: Case) -> None:
    """The digest is checked before the content."""
    with pytest.raises(domain.UnusableModelError):
        case.engine.load_model(case.content, "0" * 64)


@pytest.mark.parametrize("damage", [b"", b"\x00" * 8, b"\xff" * 100, b"pickle"])
def test_a_damaged_file_is_refused(case: Case, damage: bytes) -> None:
    """Bytes that are no model are refused even when their digest is the expected one."""
    with pytest.raises(domain.UnusableModelError):
        case.engine.load_model(damage, hashlib.sha256(damage).hexdigest())


def test_a_truncated_file_is_refused(case: Case) -> None:
    """Half a model is no model."""
    half = case.content[: len(case.content) // 2]
    with pytest.raises(domain.UnusableModelError):
        case.engine.load_model(half, hashlib.sha256(half).hexdigest())


def drawn_lines(case: Case, texts: list[str]) -> list[domain.TrainingLine]:
    """Draw texts with a shape for each letter and cut them as reading would."""
    lines = []
    for text in texts:
        page = np.full((90, 60 + 60 * len(text)), 250, np.uint8)
        for index, letter in enumerate(reversed(text)):
            left, height = 30 + 60 * index, 20 + 10 * tiny.LETTERS.index(letter)
            cv2.rectangle(page, (left, 70 - height), (left + 24, 70), 10, 5)
        (image,) = case.engine.cut_lines(page, case.engine.find_lines(page, "line"), case.model().info.height)
        lines.append(domain.TrainingLine(image, text))
    return lines


def test_a_fit_gives_a_model_that_is_no_worse_and_loads(case: Case) -> None:
    """The result has the best weights on the holdout, and the parent does not change."""
    lines = drawn_lines(case, ["אבג", "בגא", "גאב", "אאב", "בבג", "גגא"] * 4)
    progress: list[domain.FitProgress] = []

    def note(step: domain.FitProgress) -> bool:
        """Record the progress."""
        progress.append(step)
        return True

    parent = case.model()
    images = [line.image for line in lines]
    read = case.engine.read_lines(images, parent)
    result = case.engine.fit(parent, lines, lines[:20], [], domain.FitOptions(epochs=3), note)
    assert case.engine.read_lines(images, parent) == read
    assert result.after <= result.before
    assert [step.epoch for step in progress] == [1, 2, 3]
    digest = hashlib.sha256(result.content).hexdigest()
    assert case.engine.load_model(result.content, digest).info.sha256 == digest


def test_copies_of_lines_are_the_same_each_time_and_can_be_read(case: Case) -> None:
    """Two models are compared on equal copies; the lines themselves stay as they are."""
    images = [line.image for line in drawn_lines(case, ["אבג", "בגאגב"])]
    unchanged = [image.copy() for image in images]
    copies, again = (case.engine.vary_lines(images, seed=1) for _ in range(2))
    assert all(np.array_equal(*pair) for pair in zip(copies, again, strict=True))
    assert all(np.array_equal(*pair) for pair in zip(images, unchanged, strict=True))
    assert {image.shape[0] for image in copies} == {case.model().info.height}
    assert len(case.engine.read_lines(copies, case.model())) == 2


def test_models_between_a_parent_and_its_copy_load(case: Case) -> None:
    """Share 1 is the copy, share 0 reads like the parent, and equal shares give equal files."""
    lines = drawn_lines(case, ["אבג", "בגא", "גאב"] * 4)
    images = [line.image for line in lines]
    parent = case.model()
    content = case.engine.fit(parent, lines, [], [], domain.FitOptions(epochs=3), lambda _: True).content
    tuned = case.engine.load_model(content, hashlib.sha256(content).hexdigest())
    none, half, whole = (case.engine.blend(parent, tuned, share) for share in (0.0, 0.5, 1.0))
    assert whole == content
    assert half == case.engine.blend(parent, tuned, 0.5)
    assert half not in {none, whole}
    for file, model in ((none, parent), (whole, tuned)):
        blended = case.engine.load_model(file, hashlib.sha256(file).hexdigest())
        assert case.engine.read_lines(images, blended) == case.engine.read_lines(images, model)


def test_a_cancelled_fit_continues_from_its_checkpoint(case: Case, tmp_path: Path) -> None:
    """Cancelled after the first epoch, the next call reports the second and ends like an unbroken fit."""
    lines = drawn_lines(case, ["אבג", "בגא", "גאב"])
    options = domain.FitOptions(epochs=2, checkpoint=str(tmp_path / "fit"))
    with pytest.raises(domain.FitCancelledError):
        case.engine.fit(case.model(), lines, lines, [], options, lambda _: False)
    epochs: list[int] = []

    def follow(step: domain.FitProgress) -> bool:
        """Record the epoch and continue."""
        epochs.append(step.epoch)
        return True

    resumed = case.engine.fit(case.model(), lines, lines, [], options, follow)
    whole = case.engine.fit(case.model(), lines, lines, [], domain.FitOptions(epochs=2), lambda _: True)
    assert epochs == [2]
    assert resumed.content == whole.content


def test_nothing_to_learn_is_an_error_of_its_own(case: Case) -> None:
    """Lines without text cannot be fitted."""
    (line,) = drawn_lines(case, ["אב"])
    with pytest.raises(domain.NothingToLearnError):
        case.engine.fit(
            case.model(), [domain.TrainingLine(line.image, "")], [], [], domain.FitOptions(), lambda _: True
        )


def test_a_page_with_more_lines_than_its_budget_is_read_up_to_it(case: Case) -> None:
    """The first lines are read, and a warning says that there are more."""
    model = case.model()
    whole = case.engine.read_page(draw_page(3), "page", model)
    assert len(whole.lines) > 2
    with reading_within(PageBudgets(lines=2, lines_per_megapixel=0, seconds=60).of(0)):
        part = case.engine.read_page(draw_page(3), "page", model)
        again = case.engine.read_page(draw_page(1), "page", model)
    assert part.warnings == (TOO_MANY_LINES,)
    assert [line.text for line in part.lines] == [line.text for line in whole.lines[:2]]
    assert again.warnings == whole.warnings == ()


def test_lines_for_which_no_time_is_left_are_found_but_have_no_text(case: Case) -> None:
    """They can be corrected, and read again."""
    model = case.model()
    with reading_within(PageBudgets(seconds=0, seconds_per_megapixel=0).of(0)):
        read = case.engine.read_page(draw_page(3), "page", model)
    assert read.warnings == (OUT_OF_TIME,)
    assert len(read.lines) > 2
    assert {line.text for line in read.lines} == {""}
