"""Settings of the trainer's server and worker, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from ketav_common.extensions import KRAKEN, check_engine
from ketav_common.setting_types import Device, GrpcAddress, NpzFile, RedisUrl, WritableDirectory
from ketav_common.settings import BoundSettings, ServiceSettings


class QueueSettings(ServiceSettings):
    """Settings that the trainer's server and its workers share."""

    registry_address: GrpcAddress = Field(description="Address of the registry: host:port or unix:path.")
    redis_url: RedisUrl = Field(description="Broker of Celery: redis://host:port/number.")


class TrainerSettings(QueueSettings, BoundSettings):
    """Settings of the trainer's server."""

    webhook_seconds: float = Field(
        default=5, gt=0, description="Seconds between two checks for webhook deliveries that are due."
    )
    webhook_private: bool = Field(
        default=False, description="Allow webhooks to private addresses, and by http to this machine."
    )


class WorkerSettings(QueueSettings):
    """Settings of a trainer's worker, which needs a directory that it can write."""

    data_dir: WritableDirectory = Field(
        default=Path(".ketav"), description="Directory of the trainings' temporary files."
    )
    engine: Annotated[str, AfterValidator(check_engine)] = Field(
        default=KRAKEN,
        description="`kraken`, or `tiny`: a deterministic engine that only development environments install.",
    )
    device: Device = Field(
        default="cpu", description="Where networks run: `cpu`, or `cuda` for an NVIDIA GPU (untested)."
    )
    heartbeat_seconds: float = Field(default=10, gt=0, description="Seconds between two renewals of a lease.")
    sweep_seconds: float = Field(
        default=15, gt=0, description="Seconds between two sweeps for waiting and abandoned runs."
    )
    training_memory_bytes: int = Field(
        default=12 * 1024**3,
        ge=0,
        description="Address space of a training process, which reserves more than it uses; 0 for no "
        "limit. With `cuda` there is none.",
    )
    training_seconds: float = Field(
        default=3600, gt=0, description="Seconds a training may take before it is killed."
    )
    training_standby: bool = Field(
        default=True,
        description="Keep a training process with the engine loaded: a training starts some seconds earlier, "
        "and an idle worker takes about 500 MB more memory.",
    )
    replay_lines: NpzFile | None = Field(
        default=None,
        description="File of other writers' lines that trainings replay against forgetting.",
    )
    general_lines: NpzFile | None = Field(
        default=None,
        description="File of other writers' lines, never replayed: their CER may increase only slightly.",
    )
    language_model: NpzFile | None = Field(
        default=None,
        description="File of the recognizer's language model: models are compared as they serve.",
    )
    training_epochs: int | None = Field(
        default=None, ge=1, description="Passes over the training lines; unset for a number that suits them."
    )
    training_seed: int = Field(default=0, ge=0, description="Seed of all random choices of a training.")
