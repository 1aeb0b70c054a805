"""Replayed lines are written and read."""

from pathlib import Path

import numpy as np
import pytest

from ketav_engine import models
from ketav_engine.domain import TrainingLine, UnusableModelError
from ketav_engine.training import replay

MODELS = Path(__file__).parents[2] / "models"


def test_lines_come_back_in_order_with_their_texts_and_nearly_their_greys(tmp_path: Path) -> None:
    """Sixteen greys are kept; black and white stay exact."""
    random = np.random.default_rng(1)
    lines = [
        TrainingLine(random.integers(0, 256, (48, width), dtype=np.uint8), text)
        for width, text in ((30, "אבג"), (70, 'רש"י 12'), (9, "כן"))
    ]
    lines[0].image[:, :2] = [0, 255]
    path = tmp_path / "lines.npz"
    replay.write(lines, path)
    for line, stored in zip(lines, replay.read(path), strict=True):
        assert stored.text == line.text
        assert stored.image.shape == line.image.shape
        assert np.abs(stored.image.astype(int) - line.image.astype(int)).max() <= 9
    assert replay.read(path)[0].image[0, :2].tolist() == [0, 255]


@pytest.mark.parametrize("height", [24, 120])
def test_lines_are_scaled_to_the_height_of_a_model(height: int, tmp_path: Path) -> None:
    """A model of another height is trained and measured with the same lines."""
    path = tmp_path / "lines.npz"
    replay.write([TrainingLine(np.full((48, 96), 255, np.uint8), "אב")], path)
    (line,) = replay.read(path, height)
    assert line.image.shape == (height, 2 * height)
    assert line.image.min() >= 250


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"\x80\x04pickle"])
def test_a_damaged_file_is_refused(damage: bytes, tmp_path: Path) -> None:
    """Anything else is an unusable file, pickles included."""
    path = tmp_path / "lines.npz"
    path.write_bytes(damage)
    with pytest.raises(UnusableModelError):
        replay.read(path)


@pytest.mark.kraken
@pytest.mark.parametrize(("name", "min_lines"), [("replay_lines.npz", 400), ("general_lines.npz", 100)])
def test_shipped_lines_fit_the_shipped_model_and_are_small(name: str, min_lines: int) -> None:
    """They have the base model's height and letters, and their files are small."""
    info = models.load((MODELS / "hebrew_base.safetensors").read_bytes()).info
    lines = replay.read(MODELS / name)
    assert len(lines) >= min_lines
    assert {line.image.shape[0] for line in lines} == {info.height}
    assert set("".join(line.text for line in lines)) <= set(info.alphabet)
    assert (MODELS / name).stat().st_size < 2 * 1024 * 1024


def test_the_general_set_has_no_replayed_line() -> None:
    """The lines that measure forgetting are never trained on."""
    general, replayed = (replay.read(MODELS / f"{name}_lines.npz") for name in ("general", "replay"))
    assert not {line.image.tobytes() for line in general} & {line.image.tobytes() for line in replayed}
