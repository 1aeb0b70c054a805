"""The base model's training and evaluation: it resumes, its rate falls, its figures count what they say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ketav_basemodel.evaluate import Pair, as_markdown, confusions, figures
from ketav_basemodel.report import confusion_counts, reliability
from ketav_basemodel.stream import Shard, shard_path, take_shard, write_shard
from ketav_basemodel.synthesis import Material
from ketav_basemodel.texts import LETTERS, Texts
from tests.parts.letters import NO_FONTS, WORDS, block_hands

NOWHERE = Path("line.png")


def test_figures_count_edits_over_the_whole_folder() -> None:
    """CER is corpus-level: one wrong character of twelve, one wrong word of three."""
    found = figures("forms", [Pair(NOWHERE, "שלום עולם", "שלום עולס"), Pair(NOWHERE, "דבר", "דבר")])
    assert found.cer == pytest.approx(1 / 12)
    assert found.wer == pytest.approx(1 / 3)
    assert found.letters_cer == pytest.approx(1 / 11)
    assert "| forms | 2 | 12 | 8.3% |" in as_markdown([found])


def test_confusions_name_what_was_written_and_what_was_read() -> None:
    """A final mem read as samekh is one confusion, a lost letter another."""
    pairs = [Pair(NOWHERE, "עולם", "עולס"), Pair(NOWHERE, "דבר", "דר")]
    assert set(confusions(pairs)) == {("ם", "ס", 1), ("ב", "", 1)}
    counts = confusion_counts(pairs)
    assert counts[LETTERS.index("ם"), LETTERS.index("ס")] == 1
    assert counts[LETTERS.index("ב"), -1] == 1
    assert counts.sum() == 7


def test_reliability_sets_confidence_against_what_was_right() -> None:
    """Lines that were sure and right stand apart from lines that were unsure and wrong."""
    pairs = [Pair(NOWHERE, "אב", "אב", 0.9), Pair(NOWHERE, "אב", "גד", 0.2)]
    assert reliability(pairs, bins=2) == [(0.2, 0.0, 1), (0.9, 1.0, 1)]


@pytest.mark.kraken
def test_the_rate_warms_up_and_then_falls_with_the_lines_read() -> None:
    """Linear by steps at first, a cosine over the recipe's lines afterwards: the clock has no say."""
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
    anew = load_state(recipe, tmp_path / "elsewhere", file)
    assert anew.step == 0
    assert all(np.allclose(value, anew.mean[name]) for name, value in halves.mean.items())


def torch_equal(one: Any, other: Any) -> bool:  # tensors; torch is not imported by fast tests
    """Tell whether two tensors are the same bit for bit."""
    return bool((one == other).all())


def test_the_training_takes_each_shard_once_and_waits_for_a_missing_one(tmp_path: Path) -> None:
    """A shard is taken by its number and is gone then; a number that never comes is an error."""
    images = [np.full((48, 64), 255, np.uint8)] * 2
    for number in (3, 4):
        write_shard(shard_path(tmp_path, number), images, ["א", "ב"])
    assert take_shard(tmp_path, 4).targets == ["א", "ב"]
    assert [path.stem for path in tmp_path.glob("*.npz")] == ["000003"]
    with pytest.raises(TimeoutError):
        take_shard(tmp_path, 4, patience_s=0.0)


@pytest.mark.kraken
def test_validation_counts_each_kind_of_writer_apart(tmp_path: Path) -> None:
    """Lines are written once, and an untrained network misreads them."""
    from ketav_basemodel import network, validate

    material = Material(block_hands(), NO_FONTS, Texts(WORDS, []))
    lines = dict.fromkeys(validate.LINES, 4)
    validate.write_lines(material, tmp_path, 48, lines)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    validate.write_lines(material, tmp_path, 48, lines)
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    found = validate.measure(network.build(48).eval(), tmp_path)
    assert [(item.kind, item.lines) for item in found] == [(kind, 4) for kind in validate.LINES]
    assert all(item.cer > 0.5 for item in found)


@pytest.mark.kraken
def test_variants_of_one_kind_differ_from_the_first_in_one_thing() -> None:
    """Each short training changes the recipe or the blend, never both, and reads lines of its own height."""
    from ketav_basemodel.ablate import VARIANTS

    for name, variant in VARIANTS.items():
        first = VARIANTS["onward" if variant.after else "base"]
        same_recipe, same_blend = variant.recipe == first.recipe, variant.blend == first.blend
        assert variant is first or same_recipe != same_blend
        other = VARIANTS[variant.lines_of or name]
        assert (other.recipe.height, other.blend) == (variant.recipe.height, variant.blend)
        assert sum(variant.blend.kinds.values()) == pytest.approx(1.0)
