"""The configuration of trainings in tests: the deterministic engine, no limits, a minute."""

from pathlib import Path

from ketav_trainer.domain import TrainingConfig


def training_config(folder: Path, *, heartbeat_s: float) -> TrainingConfig:
    """Return a configuration whose private directories are below `folder`."""
    return TrainingConfig(
        directory=folder / "training",
        engine="tiny",
        seed=0,
        epochs=None,
        memory_bytes=0,
        seconds=60,
        heartbeat_s=heartbeat_s,
        worker="worker",
    )
