"""Other readers get the same images and the same texts."""

from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel import peers
from ketav_basemodel.evaluate import grey
from ketav_basemodel.shards import shard_path, write_shard

pytestmark = pytest.mark.kraken


def test_shards_become_pairs_of_image_and_logical_text(tmp_path: Path) -> None:
    """Targets are in display order; a transcription is in logical order, and each image keeps its pixels."""
    images = [np.full((48, width), shade, np.uint8) for width, shade in ((64, 10), (96, 200))]
    write_shard(shard_path(tmp_path, 3), images, ["בא", "12 דג"])
    out = tmp_path / "out"
    out.mkdir()
    paths = list(peers._write_pairs([shard_path(tmp_path, 3)], out))
    for path, image, text in zip(paths, images, ("אב", "גד 12"), strict=True):
        assert np.array_equal(grey(path), image)
        assert path.with_suffix(".gt.txt").read_text(encoding="utf-8") == text


def test_without_tesseract_there_is_no_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the program the version is empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peers.tesseract_version() == ""


def test_a_tesseract_without_hebrew_has_no_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program is of no use without its Hebrew model."""
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho tesseract 5.3.0\necho eng\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert peers.tesseract_version() == ""
    program.write_text("#!/bin/sh\necho tesseract 5.3.0\necho heb\n")
    assert peers.tesseract_version() == "5.3.0"
