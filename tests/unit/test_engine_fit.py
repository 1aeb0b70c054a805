"""Fine-tuning learns, repeats exactly, resumes and can be cancelled."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from ketav_engine import models
from ketav_engine.domain import (
    FitCancelledError,
    FitOptions,
    FitProgress,
    NothingToLearnError,
    TrainingLine,
    UnusableModelError,
)
from ketav_engine.models import LoadedModel
from ketav_engine.training import augment, blend, fit, samples

pytestmark = pytest.mark.kraken

SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,16 Mp4,2 S1(1x0)1,3 Lbx24]"


def line(text: str) -> TrainingLine:
    """Draw each letter as a shape of its own: alef a bar, bet a box, gimel a cross."""
    image = np.full((48, 24 + 24 * len(text)), 255, np.uint8)
    for index, letter in enumerate(reversed(text)):
        left = 12 + 24 * index
        if letter == "א":
            cv2.line(image, (left + 8, 14), (left + 8, 34), 0, 4)
        elif letter == "ב":
            cv2.rectangle(image, (left + 2, 16), (left + 16, 32), 0, 3)
        elif letter == "ג":
            cv2.line(image, (left + 2, 16), (left + 16, 32), 0, 3)
            cv2.line(image, (left + 16, 16), (left + 2, 32), 0, 3)
    return TrainingLine(image, text)


def some_lines(count: int, seed: int, alphabet: str = "אב") -> list[TrainingLine]:
    """Draw random lines of five letters."""
    rng = np.random.default_rng(seed)
    return [line("".join(rng.choice(list(alphabet), 5))) for _ in range(count)]


@pytest.fixture(scope="module")
def parent() -> Iterator[LoadedModel]:
    """Build a small untrained network, always the same."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        net = models.build(SPEC, "אב")
        for layer in net.nn.modules():
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.kaiming_uniform_(layer.weight, a=1)
        yield models.load(models.save(net))


def proceed(_: FitProgress) -> bool:
    """Continue the fit."""
    return True


def test_a_fit_learns_its_lines(parent: LoadedModel) -> None:
    """The copy reads most letters of unseen lines, and the parent does not change."""
    before = models.save(parent.net)
    options = FitOptions(epochs=60, rate=1e-2, early_share=1.0)
    result = fit.fit(parent, some_lines(32, 1), some_lines(20, 2), [], options, proceed)
    assert result.before > 0.4
    assert result.after < 0.1
    assert models.save(parent.net) == before
    tuned = models.load(result.content)
    assert fit.corpus_cer(some_lines(20, 2), tuned) == pytest.approx(result.after)


def test_equal_arguments_give_equal_bytes_and_another_seed_others(parent: LoadedModel) -> None:
    """A fit is deterministic under its seed, whatever was drawn before it."""
    import torch

    def run(seed: int) -> bytes:
        """Fit two epochs."""
        torch.rand(7)
        options = FitOptions(seed=seed, epochs=2)
        lines = some_lines(6, 1, "אבג")  # gimel is new: its weights are drawn as well
        return fit.fit(parent, lines, some_lines(3, 2), some_lines(4, 3), options, proceed).content

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_an_interrupted_fit_ends_with_the_same_bytes_as_an_unbroken_one(
    parent: LoadedModel, tmp_path: Path
) -> None:
    """Cancelled after each epoch and started again from its checkpoint, a fit arrives at the same weights."""
    lines, holdout = some_lines(6, 1), some_lines(4, 2)
    whole = fit.fit(parent, lines, holdout, [], FitOptions(epochs=3), proceed)
    options = FitOptions(epochs=3, checkpoint=str(tmp_path / "fit.safetensors"))
    for _ in range(2):
        with pytest.raises(FitCancelledError):
            fit.fit(parent, lines, holdout, [], options, lambda _: False)
    resumed = fit.fit(parent, lines, holdout, [], options, proceed)
    assert resumed.content == whole.content
    assert (resumed.before, resumed.after) == (whole.before, whole.after)


def test_a_damaged_checkpoint_is_refused(parent: LoadedModel, tmp_path: Path) -> None:
    """Half a checkpoint is an error; the fit does not start again silently."""
    path = tmp_path / "fit.safetensors"
    path.write_bytes(b"\x10" * 100)
    with pytest.raises(UnusableModelError):
        fit.fit(parent, some_lines(4, 1), [], [], FitOptions(epochs=1, checkpoint=str(path)), proceed)


def test_new_characters_enter_the_alphabet_when_several_lines_hold_them(parent: LoadedModel) -> None:
    """A letter of three lines is learnt; lines with a character seen once are left out and counted."""
    lines = [*some_lines(6, 1, "אבג"), line("גגגגא"), line("גאגאג"), line("גבגבג"), line("אאא%א")]
    result = fit.fit(parent, lines, [], [], FitOptions(epochs=1), proceed)
    assert models.load(result.content).info.alphabet == "אבג"
    assert result.skipped == 1


@pytest.mark.parametrize("sign", "<>[]≤≥")
def test_a_new_sign_that_is_mirrored_between_letters_trains(parent: LoadedModel, sign: str) -> None:
    """The network learns its mirror image, and the model reads it as the sign."""
    lines = [*some_lines(3, 1), *(line(f"א{sign}ב") for _ in range(3))]
    result = fit.fit(parent, lines, [], [], FitOptions(epochs=1), proceed)
    assert result.skipped == 0
    assert sign in models.load(result.content).info.alphabet


def test_lines_that_cannot_be_learnt_are_left_out(parent: LoadedModel) -> None:
    """Empty text and text longer than the image allows are no samples; none left is an error."""
    bad = [TrainingLine(line("אב").image, ""), TrainingLine(line("א").image, "א" * 60)]
    assert samples.prepare(bad, parent.net) == ([], 2)
    with pytest.raises(NothingToLearnError):
        fit.fit(parent, bad, [], [], FitOptions(), proceed)


def test_the_holdout_measures_and_chooses_nothing(parent: LoadedModel) -> None:
    """Whatever is held out, a fit ends with the same weights: those after its last epoch."""
    options = FitOptions(epochs=10, rate=1e-2)
    contents = [
        fit.fit(parent, some_lines(16, 1), holdout, [], options, proceed).content
        for holdout in ([], some_lines(24, 2), some_lines(24, 3, "ב"))
    ]
    assert contents[0] == contents[1] == contents[2]


def test_progress_counts_epochs_and_reports_the_holdout(parent: LoadedModel) -> None:
    """Each epoch is reported once, in order, with a finite loss."""
    reports: list[FitProgress] = []

    def note(progress: FitProgress) -> bool:
        """Record the progress."""
        reports.append(progress)
        return True

    fit.fit(parent, some_lines(4, 1), some_lines(2, 2), [], FitOptions(epochs=3), note)
    assert [progress.epoch for progress in reports] == [1, 2, 3]
    assert all(np.isfinite(progress.loss) and progress.before == reports[0].before for progress in reports)
    assert all(progress.cer is not None and progress.cer >= 0 for progress in reports)


def test_without_a_holdout_no_cer_is_reported(parent: LoadedModel) -> None:
    """Both rates are None."""
    reports: list[FitProgress] = []

    def note(progress: FitProgress) -> bool:
        """Record the progress."""
        reports.append(progress)
        return True

    fit.fit(parent, some_lines(4, 1), [], [], FitOptions(epochs=1), note)
    assert [(progress.before, progress.cer) for progress in reports] == [(None, None)]


def test_only_the_last_layers_can_be_trained(parent: LoadedModel) -> None:
    """With scope "last" the convolutions keep their weights."""
    result = fit.fit(parent, some_lines(4, 1), [], [], FitOptions(epochs=1, scope="last"), proceed)
    old, new = parent.net.state_dict(), models.load(result.content).net.state_dict()
    changed = {name for name in old if not old[name].equal(new[name])}
    assert changed
    assert not any("C_" in name for name in changed)


def test_few_lines_get_many_epochs() -> None:
    """The budget falls with the number of lines and stays within its bounds."""
    assert [fit.epochs_for(count) for count in (1, 16, 64, 256, 10_000)] == [32, 28, 18, 18, 4]


def test_variation_keeps_the_shape_of_a_line_and_follows_its_generator() -> None:
    """A varied line has the same height, about the same width and ink, and repeats under the same seed."""
    image = line("אבאבאבאב").image
    for seed in range(20):
        varied = augment.vary(image, np.random.default_rng(seed))
        assert varied.shape[0] == image.shape[0]
        assert 0.8 < varied.shape[1] / image.shape[1] < 1.25
        assert (
            0.4
            < (255 - varied[varied < 128].astype(float)).sum()
            / (255 - image[image < 128].astype(float)).sum()
            < 1.8
        )
        assert np.array_equal(varied, augment.vary(image, np.random.default_rng(seed)))


def test_blending_stops_where_general_lines_lose_too_much() -> None:
    """The largest share with which general lines lose no more than allowed is taken, else the smallest."""
    import torch

    parent, tuned = {"w": torch.zeros(2, 3)}, {"w": torch.ones(3, 3)}
    for limit, expected in ((1.0, 1.0), (0.6, 0.53125), (0.01, 0.25)):

        def general_cer(weights: dict[str, torch.Tensor], limit: float = limit) -> float:
            """Return a higher CER when the weights are beyond a limit."""
            return 0.5 if float(weights["w"][0, 0]) > limit else 0.1

        share = blend.largest_share(parent, tuned, general_cer)
        weights = blend.mix(parent, tuned, share)
        assert share == expected
        assert weights["w"][0].tolist() == pytest.approx([expected] * 3)
        assert weights["w"][2].tolist() == [1.0] * 3


@pytest.mark.parametrize(
    ("spec", "alphabet"), [(SPEC, "אג"), (SPEC.replace("Lbx24", "Lbx16"), "אב"), (SPEC, "א")]
)
def test_only_a_copy_of_the_parent_can_be_blended(parent: LoadedModel, spec: str, alphabet: str) -> None:
    """Other characters under the parent's labels, other layers, or fewer characters: it is another model."""
    foreign = models.load(models.save(models.build(spec, alphabet)))
    with pytest.raises(UnusableModelError, match="no fine-tuned copy"):
        blend.blended_file(parent, foreign, 0.5)


def test_a_fit_with_many_replayed_lines_measures_forgetting(parent: LoadedModel) -> None:
    """Lines reserved from the replay limit the share of the tuned weights; results repeat exactly."""
    replay = some_lines(140, 9)
    results = [
        fit.fit(parent, some_lines(8, 1), some_lines(4, 2), replay, FitOptions(epochs=2), proceed)
        for _ in range(2)
    ]
    assert results[0].content == results[1].content
    assert results[0].after == pytest.approx(
        fit.corpus_cer(some_lines(4, 2), models.load(results[0].content)), abs=1e-9
    )
