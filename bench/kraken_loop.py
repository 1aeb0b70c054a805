"""Fine-tune a model with Kraken's own trainer and the defaults of `ketos train`, for some seconds.

    python -m bench.kraken_loop START LINES TO --seconds 40

LINES is a folder of line images with transcriptions (.gt.txt). It does what `ketos train -f path -i START
--resize union` does: batches of one line, AdamW at 1e-3, a random tenth of the lines to validate with, early
stopping, and the epoch with the best validation is kept. The seconds are processor time from the first batch
on.
"""

import argparse
import logging
import time
import warnings
from pathlib import Path
from typing import Any


def train(start: Path, lines: Path, to: Path, seconds: float) -> int:
    """Train until early stopping or the end of the time; write safetensors; return the steps of one line."""
    import torch
    from kraken.configs import VGSLRecognitionTrainingConfig, VGSLRecognitionTrainingDataConfig
    from kraken.train import KrakenTrainer, VGSLRecognitionDataModule, VGSLRecognitionModel

    from ketav_engine import models

    torch.manual_seed(1)
    torch.set_num_threads(1)
    paths = [str(path) for path in sorted(lines.glob("*.png"))]
    data = VGSLRecognitionDataModule(
        VGSLRecognitionTrainingDataConfig(training_data=paths, format_type="path", num_workers=0)
    )
    config = VGSLRecognitionTrainingConfig(resize="union")
    model = VGSLRecognitionModel.load_from_weights(str(start), config=config)
    best = _best_epoch(seconds)
    trainer = KrakenTrainer(
        accelerator="cpu",
        devices=1,
        max_epochs=-1,
        min_epochs=0,
        enable_progress_bar=False,
        enable_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        callbacks=[best],
    )
    trainer.fit(model, data)
    if best.weights is not None:
        model.net.load_state_dict(best.weights)
    to.write_bytes(models.save(model.net.eval(), {}))
    return int(trainer.global_step)


def _best_epoch(seconds: float) -> Any:  # noqa: ANN401  # lightning is untyped here
    """Return a callback that keeps the best epoch's weights and stops the training at the end of the time."""
    from lightning.pytorch.callbacks import Callback

    class BestEpoch(Callback):
        """Keeps the weights with the highest accuracy on the validation lines, the first of equals."""

        accuracy = -1.0
        weights: dict[str, Any] | None = None
        stopping = False
        began = 0.0

        def on_train_start(self, *_: object) -> None:
            """Start counting."""
            self.began = time.process_time()

        def on_train_batch_end(self, trainer: Any, *_: object) -> None:  # noqa: ANN401
            """Stop the training at the end of the time."""
            if time.process_time() - self.began > seconds:
                self.stopping = trainer.should_stop = True

        def on_validation_end(self, trainer: Any, module: Any) -> None:  # noqa: ANN401
            """Keep the weights if they are the best; the validation after the end does not count."""
            accuracy = float(trainer.callback_metrics["val_accuracy"])
            if accuracy > self.accuracy and not self.stopping:
                self.accuracy = accuracy
                states = module.net.state_dict()
                self.weights = {name: value.detach().clone() for name, value in states.items()}

    return BestEpoch()


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description="Fine-tune with Kraken's trainer for some seconds.")
    for name in ("start", "lines", "to"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(train(arguments.start, arguments.lines, arguments.to, arguments.seconds))


if __name__ == "__main__":
    main()
