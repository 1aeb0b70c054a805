"""Other readers of the same lines: Tesseract 5, and a model trained as `ketos train` does by default."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from ketav_basemodel.evaluate import grey
from ketav_basemodel.stream import read_shard
from ketav_engine import models
from ketav_engine.domain import Reading
from ketav_engine.recognition.decode import to_logical

_BORDER: Final = 10
"""Pixels of paper around a line for Tesseract, which reads ink at an image's edge badly."""
_LINE_S: Final = 60
_VALIDATION: Final = 16
"""Lines that Kraken's trainer validates with when it is stopped: it insists on some."""


def tesseract_version() -> str:
    """Return the version of an installed Tesseract that knows Hebrew, else nothing."""
    program = shutil.which("tesseract")
    if program is None:
        return ""
    listed, said = (_output([program, question]) for question in ("--list-langs", "--version"))
    found = re.search(r"tesseract v?([\d.]+)", said)
    return found[1] if found and "heb" in listed.split() else ""


def _output(command: list[str]) -> str:
    """Run a program and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LINE_S)  # noqa: S603  # Tesseract
    return done.stdout + done.stderr


def read_with_tesseract(paths: Sequence[Path]) -> list[Reading]:
    """Read line images with Tesseract, each as a single text line (page segmentation mode 7), one thread."""
    with tempfile.TemporaryDirectory() as folder:
        return [_tesseract_line(path, Path(folder) / "line.png") for path in paths]


def _tesseract_line(path: Path, copy: Path) -> Reading:
    """Read one line; its confidences are not asked for."""
    image = grey(path)
    paper = int(np.median(image))
    cv2.imwrite(str(copy), np.pad(image, _BORDER, constant_values=paper))
    command = [shutil.which("tesseract") or "tesseract", str(copy), "stdout", "-l", "heb", "--psm", "7"]
    limits = os.environ | {"OMP_THREAD_LIMIT": "1"}
    done = subprocess.run(  # noqa: S603  # Tesseract
        command, capture_output=True, text=True, check=False, timeout=_LINE_S, env=limits
    )
    # Tesseract marks directions, which a transcription does not write.
    return Reading(re.sub("[\u200e\u200f\u202a-\u202e]", "", " ".join(done.stdout.split())), ())


def train_as_kraken_does(shards: Sequence[Path], to: Path, minutes: float) -> dict[str, float]:
    """Train Kraken's default network with its default settings on the lines of shards; write safetensors.

    Stops after so many minutes of this process's time. Returns the steps (a line each: batches hold one) and
    the minutes they took.
    """
    import torch
    from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
    from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel

    torch.manual_seed(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(path) for path in _write_pairs(shards, Path(folder))]
        data = VGSLRecognitionDataModule(
            VGSLRecognitionTrainingDataConfig(
                training_data=paths[_VALIDATION:],
                evaluation_data=paths[:_VALIDATION],
                partition=1,
                format_type="path",
                num_workers=0,
            )
        )
        model = VGSLRecognitionModel(VGSLRecognitionTrainingConfig())
        clock = _clock(minutes)
        trainer = KrakenTrainer(
            accelerator="cpu",
            devices=1,
            max_epochs=-1,
            min_epochs=0,
            enable_progress_bar=False,
            enable_summary=False,
            enable_checkpointing=False,
            num_sanity_val_steps=0,
            callbacks=[clock],
        )
        trainer.fit(model, data)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(models.save(model.net.eval(), {}))
    return {"lines": trainer.global_step, "minutes": clock.spent / 60}


def _clock(minutes: float) -> Any:  # noqa: ANN401  # lightning is untyped here
    """Return a callback that ends a training once its process has worked so long."""
    from lightning.pytorch.callbacks import Callback

    class Clock(Callback):
        """Counts this process's time from the first batch on."""

        began = 0.0
        spent = 0.0

        def on_train_start(self, *_: object) -> None:
            """Begin to count."""
            self.began = time.process_time()

        def on_train_batch_end(self, trainer: Any, *_: object) -> None:  # noqa: ANN401
            """Stop when the time is up."""
            self.spent = time.process_time() - self.began
            if self.spent > 60 * minutes:
                trainer.should_stop = True

    return Clock()


def _write_pairs(shards: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Write the lines of shards as image and transcription, as Kraken takes them; yield the images."""
    for shard_path in shards:
        shard = read_shard(shard_path)
        edges = [0, *shard.widths.cumsum().tolist()]
        for index, (left, right) in enumerate(pairwise(edges)):
            path = folder / f"{shard_path.stem}_{index:05d}.png"
            cv2.imwrite(str(path), shard.images[:, left:right])
            logical = to_logical(shard.targets[index], [1.0] * len(shard.targets[index])).text
            path.with_suffix("").with_suffix(".gt.txt").write_text(logical, encoding="utf-8")
            yield path
