"""The base model's training and evaluation: it resumes, its rate falls, its figures count what they say."""

from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel.evaluate import Pair, as_markdown, confusions, figures
from ketav_basemodel.report import confusion_counts, reliability
from ketav_basemodel.stream import write_shard
from ketav_basemodel.texts import LETTERS

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
def test_the_rate_warms_up_and_then_falls_with_time() -> None:
    """Linear by steps at first, a cosine over the recipe's hours afterwards."""
    from ketav_basemodel.train import Recipe, rate_at

    recipe = Recipe(hours=1.0)
    assert rate_at(recipe, 0, 0.0) < rate_at(recipe, 100, 0.0) < rate_at(recipe, 500, 0.0) == recipe.rate
    assert rate_at(recipe, 500, 1800.0) == pytest.approx(recipe.rate / 2)
    assert rate_at(recipe, 500, 3600.0) < 0.02 * recipe.rate


def _fill(ring: Path) -> None:
    """Write as many small shards as a training needs before it may use one again."""
    random = np.random.default_rng(2)
    for number in range(8):
        images = [random.integers(0, 256, (48, 64), dtype=np.uint8) for _ in range(4)]
        write_shard(ring / f"{number}.npz", images, ["אב"] * 4)


@pytest.mark.kraken
def test_a_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A second start with more time continues the first one's steps, and leaves a model that loads."""
    from ketav_basemodel.train import Recipe, load_state, train
    from ketav_engine.models import load

    _fill(tmp_path)
    first = train(Recipe(hours=0.1 / 3600), tmp_path, tmp_path / "out")
    before = load_state(Recipe(hours=1.0), tmp_path / "out")
    _fill(tmp_path)
    train(Recipe(hours=before.seconds / 3600 + 0.1 / 3600), tmp_path, tmp_path / "out")
    after = load_state(Recipe(hours=1.0), tmp_path / "out")
    assert load(first.read_bytes()).info.height == 48
    assert 0 < before.step < after.step
    assert before.seconds < after.seconds
    anew = load_state(Recipe(hours=1.0), tmp_path / "elsewhere", first)
    assert anew.step == 0
    assert all(np.allclose(value, anew.mean[name]) for name, value in after.mean.items())
