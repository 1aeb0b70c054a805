"""The training and the evaluation of the base model: resuming, learning rate, figures."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ketav_basemodel import report
from ketav_basemodel.alphabet import LETTERS
from ketav_basemodel.evaluate import (
    Pair,
    as_markdown,
    calibration_error,
    confusions,
    figures,
    folders,
    line_images,
)
from ketav_basemodel.report import confusion_counts, reliability
from ketav_basemodel.shards import Shard, shard_path, take_shard, write_shard
from ketav_basemodel.synthesis import Material
from ketav_basemodel.texts import Texts
from tests.parts.letters import NO_FONTS, WORDS, block_collection

NOWHERE = Path("line.png")


def test_figures_count_edits_over_the_whole_folder() -> None:
    """CER is corpus-level: one wrong character of twelve, one wrong word of three."""
    result = figures("forms", [Pair(NOWHERE, "שלום עולם", "שלום עולס"), Pair(NOWHERE, "דבר", "דבר")])
    assert result.cer == pytest.approx(1 / 12)
    assert result.wer == pytest.approx(1 / 3)
    assert result.letters_cer == pytest.approx(1 / 11)
    assert result.low <= result.cer <= result.high
    assert "| forms | greedy | 2 | 12 | 8.3 % (" in as_markdown({"greedy": [result]})


def test_confusions_name_the_written_and_the_read_character() -> None:
    """A final mem read as samekh is one confusion, a lost letter another."""
    pairs = [Pair(NOWHERE, "עולם", "עולס"), Pair(NOWHERE, "דבר", "דר")]
    assert set(confusions(pairs)) == {("ם", "ס", 1), ("ב", "", 1)}
    counts = confusion_counts(pairs)
    assert counts[LETTERS.index("ם"), LETTERS.index("ס")] == 1
    assert counts[LETTERS.index("ב"), -1] == 1
    assert counts.sum() == 7


def test_reliability_compares_confidence_with_correctness() -> None:
    """Confident correct characters and uncertain wrong ones are in different bands."""
    pairs = [Pair(NOWHERE, "אב", "אב", 0.9, (0.9, 0.9)), Pair(NOWHERE, "אב", "גד", 0.2, (0.2, 0.2))]
    assert reliability(pairs, bins=2) == [(0.2, 0.0, 2), (0.9, 1.0, 2)]
    assert calibration_error(pairs) == pytest.approx(0.15)
    assert calibration_error([Pair(NOWHERE, "אב", "אב")]) == 0.0


def test_every_folder_with_line_images_and_texts_is_found(tmp_path: Path) -> None:
    """Known folders come first, others after them; an image or a text alone is no line."""
    for name in ("zelda/notes", "stam", "letters_hhd/0", "pages"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.png").write_bytes(b"")
    for name in ("zelda/notes", "stam"):
        (tmp_path / name / "a.gt.txt").write_text("אב")
    (tmp_path / "pages" / "b.gt.txt").write_text("אב")
    assert folders(tmp_path) == ["stam", "zelda/notes"]
    assert line_images(tmp_path / "stam") == [tmp_path / "stam/a.png"]


def test_thinning_takes_lines_from_the_whole_folder(tmp_path: Path) -> None:
    """Four of twelve lines are every third."""
    for number in range(12):
        (tmp_path / f"{number:02d}.png").write_bytes(b"")
        (tmp_path / f"{number:02d}.gt.txt").write_text("אב")
    assert [path.stem for path in line_images(tmp_path, 4)] == ["00", "03", "06", "09"]


def test_the_plots_are_drawn_and_the_worst_lines_have_their_texts(tmp_path: Path) -> None:
    """Three plots for two readers; one shows each line with its text."""
    path = tmp_path / "line.png"
    cv2.imwrite(str(path), np.full((40, 300), 255, np.uint8))
    pairs = [Pair(path, "אב", "גד", 0.2, (0.2, 0.2)), Pair(path, "אב", "אב", 0.9, (0.9, 0.9))]
    report.draw({"greedy": {"forms": pairs}, "beam": {"forms": pairs}}, tmp_path / "out")
    assert {plot.name for plot in (tmp_path / "out").iterdir()} == {
        "confusion.png",
        "reliability.png",
        "worst.png",
    }
    worst = cv2.imread(str(tmp_path / "out/worst.png"))
    assert worst is not None
    assert worst.shape[:2] == (2 * (40 + 6 + 22), 1000)


@pytest.mark.kraken
def test_the_rate_warms_up_and_then_falls_with_the_lines_read() -> None:
    """Linear by steps at first, a cosine over the recipe's lines afterwards, independent of the clock."""
    from ketav_basemodel.train import Recipe, rate_at

    recipe = Recipe(1000)
    assert rate_at(recipe, 0, 0) < rate_at(recipe, 100, 0) < rate_at(recipe, 500, 0) == recipe.rate
    assert rate_at(recipe, 500, 500) == pytest.approx(recipe.rate / 2)
    assert rate_at(recipe, 500, 1000) < 0.02 * recipe.rate


def _shard(number: int) -> Shard:
    """Return a small shard that follows from its number."""
    random = np.random.default_rng(number)
    images = random.integers(0, 256, (48, 4 * 64), dtype=np.uint8)
    return Shard(images, np.full(4, 64, dtype=np.int32), ["אב", "ג", "דה", "ו"])


@pytest.mark.kraken
def test_an_interrupted_training_ends_with_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    """Twice 16 lines with a checkpoint between are 32 lines at once, to the last bit; the model loads."""
    from ketav_basemodel.train import Recipe, load_state, train
    from ketav_engine.models import load

    recipe = Recipe(32, save_every=16)
    whole = train(recipe, _shard, tmp_path / "whole")

    def broken(number: int) -> Shard:
        """Fail when the second half begins."""
        if number >= 4:
            raise TimeoutError
        return _shard(number)

    with pytest.raises(TimeoutError):
        train(recipe, broken, tmp_path / "halves")
    assert load_state(recipe, tmp_path / "halves").lines == 16
    halves = train(recipe, _shard, tmp_path / "halves")
    assert (halves.lines, halves.step, halves.shards) == (whole.lines, whole.step, whole.shards) == (32, 4, 8)
    assert all(torch_equal(value, halves.mean[name]) for name, value in whole.mean.items())
    file = tmp_path / "halves/base.safetensors"
    assert load(file.read_bytes()).info.height == 48
    new = load_state(recipe, tmp_path / "elsewhere", file)
    assert new.step == 0
    assert all(np.allclose(value, new.mean[name]) for name, value in halves.mean.items())


def torch_equal(one: Any, other: Any) -> bool:  # tensors; torch is not imported by fast tests
    """Return whether two tensors are bitwise equal."""
    return bool((one == other).all())


def test_the_training_takes_each_shard_once_and_waits_for_a_missing_one(tmp_path: Path) -> None:
    """A shard is read by its number and deleted; a number that never appears is an error."""
    images = [np.full((48, 64), 255, np.uint8)] * 2
    for number in (3, 4):
        write_shard(shard_path(tmp_path, number), images, ["א", "ב"])
    assert take_shard(tmp_path, 4).targets == ["א", "ב"]
    assert [path.stem for path in tmp_path.glob("*.npz")] == ["000003"]
    with pytest.raises(TimeoutError):
        take_shard(tmp_path, 4, timeout_s=0.0)


@pytest.mark.kraken
def test_validation_counts_each_kind_of_writer_separately(tmp_path: Path) -> None:
    """Lines are written once, and an untrained network misreads them."""
    from ketav_basemodel import network, validate

    material = Material(block_collection(), NO_FONTS, Texts(WORDS, []))
    lines = dict.fromkeys(validate.LINES, 4)
    validate.write_lines(material, tmp_path, 48, lines)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    validate.write_lines(material, tmp_path, 48, lines)
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    results = validate.measure(network.build(48).eval(), tmp_path)
    assert [(item.kind, item.lines) for item in results] == [(kind, 4) for kind in validate.LINES]
    assert all(item.cer > 0.5 for item in results)


@pytest.mark.kraken
def test_variants_of_one_kind_differ_from_the_first_in_one_thing() -> None:
    """Each short training changes the recipe or the mixture, never both; its lines have its own height."""
    from ketav_basemodel.ablate import VARIANTS

    for name, variant in VARIANTS.items():
        first = VARIANTS["onward" if variant.after else "base"]
        same_recipe = variant.recipe == first.recipe
        same_mixture = variant.mixture == first.mixture
        assert variant is first or same_recipe != same_mixture
        other = VARIANTS[variant.lines_of or name]
        assert (other.recipe.height, other.mixture) == (variant.recipe.height, variant.mixture)
        assert sum(variant.mixture.kinds.values()) == pytest.approx(1.0)
