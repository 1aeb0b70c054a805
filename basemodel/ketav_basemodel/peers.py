"""Other readers of the same lines: Tesseract 5, and a model trained with the defaults of `ketos train`."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from ketav_basemodel.evaluate import grey
from ketav_basemodel.shards import read_shard
from ketav_engine import models
from ketav_engine.domain import Reading
from ketav_engine.recognition.decode import to_logical

_BORDER: Final = 10
"""Pixels of paper around a line for Tesseract, which reads ink at an image's edge badly."""
_TIMEOUT_S: Final = 60
"""Seconds that Tesseract may take for a line."""
_VALIDATION_LINES: Final = 16
"""Lines that Kraken's trainer validates with when it is stopped; it needs some."""


def tesseract_version() -> str:
    """Return the version of the installed Tesseract, empty without Tesseract or without its Hebrew model."""
    program = shutil.which("tesseract")
    if program is None:
        return ""
    languages, version = (_output([program, option]) for option in ("--list-langs", "--version"))
    match = re.search(r"tesseract v?([\d.]+)", version)
    return match[1] if match and "heb" in languages.split() else ""


def _output(command: list[str]) -> str:
    """Run a program and return its output."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)  # noqa: S603  # Tesseract
    return ran.stdout + ran.stderr


def read_with_tesseract(paths: Sequence[Path]) -> list[Reading]:
    """Read line images with Tesseract, each as a single text line (page segmentation mode 7), one thread."""
    with tempfile.TemporaryDirectory() as folder:
        return [_tesseract_line(path, Path(folder) / "line.png") for path in paths]


def _tesseract_line(path: Path, copy: Path) -> Reading:
    """Read one line, without confidences."""
    image = grey(path)
    paper = int(np.median(image))
    cv2.imwrite(str(copy), np.pad(image, _BORDER, constant_values=paper))
    command = [shutil.which("tesseract") or "tesseract", str(copy), "stdout", "-l", "heb", "--psm", "7"]
    one_thread = os.environ | {"OMP_THREAD_LIMIT": "1"}
    ran = subprocess.run(  # noqa: S603  # Tesseract
        command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, env=one_thread
    )
    # Tesseract adds marks of direction, which transcriptions do not have.
    return Reading(re.sub("[\u200e\u200f\u202a-\u202e]", "", " ".join(ran.stdout.split())), ())


def train_with_kraken_defaults(shards: Sequence[Path], to: Path, minutes: float) -> dict[str, float]:
    """Train Kraken's default network with its default settings on the lines of shards; write safetensors.

    The training stops after `minutes` of this process's processor time. Returns the steps, of one line each,
    and the minutes that they took.
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
                training_data=paths[_VALIDATION_LINES:],
                evaluation_data=paths[:_VALIDATION_LINES],
                partition=1,
                format_type="path",
                num_workers=0,
            )
        )
        model = VGSLRecognitionModel(VGSLRecognitionTrainingConfig())
        clock = _time_limit(minutes)
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


def _time_limit(minutes: float) -> Any:  # noqa: ANN401  # lightning is untyped here
    """Return a callback that stops a training after so many minutes of processor time."""
    from lightning.pytorch.callbacks import Callback

    class TimeLimit(Callback):
        """Counts the processor time from the first batch on."""

        began = 0.0
        spent = 0.0

        def on_train_start(self, *_: object) -> None:
            """Start counting."""
            self.began = time.process_time()

        def on_train_batch_end(self, trainer: Any, *_: object) -> None:  # noqa: ANN401
            """Stop the training at the limit."""
            self.spent = time.process_time() - self.began
            if self.spent > 60 * minutes:
                trainer.should_stop = True

    return TimeLimit()


def _write_pairs(shards: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Write the lines of shards as images and transcriptions for Kraken; yield the paths of the images."""
    for shard_path in shards:
        shard = read_shard(shard_path)
        for index, image in enumerate(shard.lines()):
            path = folder / f"{shard_path.stem}_{index:05d}.png"
            cv2.imwrite(str(path), image)
            logical = to_logical(shard.targets[index], [1.0] * len(shard.targets[index])).text
            path.with_suffix("").with_suffix(".gt.txt").write_text(logical, encoding="utf-8")
            yield path
