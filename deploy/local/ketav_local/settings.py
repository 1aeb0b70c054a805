"""Settings of the local system; each has a default that works."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field

from ketav_common.extensions import KRAKEN, check_engine
from ketav_common.setting_types import (
    BlobUrl,
    DatabaseUrl,
    ExistingDirectory,
    RedisUrl,
    WritableDirectory,
)
from ketav_common.settings import LOG_LEVELS, EnvironmentSettings


class LocalSettings(EnvironmentSettings):
    """Settings of the supervisor. A store whose URL is set is not started here."""

    port: int = Field(default=8000, ge=1, le=65535, description="TCP port of the gateway on 127.0.0.1.")
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65531,
        description="Port of the gateway's metrics; registry, recognizer, trainer and worker take the next "
        "four; 0 serves none.",
    )
    data_dir: WritableDirectory = Field(
        default=Path(".ketav"), description="Directory of all data, secrets and logs."
    )
    models_dir: ExistingDirectory = Field(
        default=Path("models"), description="Directory of hebrew_base.safetensors."
    )
    engine: Annotated[str, AfterValidator(check_engine)] = Field(
        default=KRAKEN,
        description="`kraken`, or `tiny`: a deterministic engine that only development environments install.",
    )
    database_url: DatabaseUrl | None = Field(
        default=None, description="PostgreSQL of the registry's own role."
    )
    user_database_url: DatabaseUrl | None = Field(
        default=None, description="PostgreSQL of the registry's role for the work of users."
    )
    migration_database_url: DatabaseUrl | None = Field(
        default=None, description="PostgreSQL of the migrating role."
    )
    redis_url: RedisUrl | None = Field(default=None, description="Redis or Valkey of the training queue.")
    blob_url: BlobUrl | None = Field(
        default=None, description="file:///folder or s3://key:secret@host/bucket."
    )
    log_level: str = Field(
        default="INFO", pattern=LOG_LEVELS, description="Least severe event that the services log."
    )
    start_timeout_s: float = Field(default=120.0, gt=0, description="Seconds until a start counts as failed.")

    @classmethod
    def apart(cls, folder: Path, port: int) -> Self:
        """Return settings of a system with stores of its own, even where the environment has other URLs."""
        names = ("database_url", "user_database_url", "migration_database_url", "redis_url", "blob_url")
        none = dict.fromkeys(names)
        return cls().model_copy(update={"data_dir": folder, "port": port} | none)
