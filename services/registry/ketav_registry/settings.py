"""What the registry is told by its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ketav_common.settings import BoundSettings
from ketav_registry.domain.corrections_quarantine import Limits


class StoreSettings(BaseSettings):
    """Where the memory lies; each is read from KETAV_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="KETAV_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="PostgreSQL, as the role ketav_service, which owns nothing.")
    blob_url: SecretStr = Field(
        description="Object store: file:///folder or s3://key:secret@host:port/bucket?secure=0."
    )
    spool_dir: Path | None = Field(
        None, description="Folder for uploads on their way to S3; the system's temporary folder by default."
    )
    database_pool_size: int = Field(10, ge=1, le=100, description="Most connections to the database.")
    database_timeout: float = Field(10, ge=1, le=60, description="Seconds a statement may take.")


class RegistrySettings(StoreSettings, BoundSettings):
    """Settings of the registry's server."""

    lease_seconds: int = Field(
        30, ge=1, le=3600, description="Seconds a worker holds a training run unless it renews its lease."
    )
    quarantine_distance: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Share of letters that must differ from a sure reading before a correction is doubted.",
    )
    quarantine_confidence: float = Field(
        0.8, ge=0, le=1, description="Mean confidence from which a reading counts as sure."
    )
    quarantine_crowding: float = Field(
        12, gt=0, description="Letters that can stand on a piece of line as wide as the line is high."
    )

    def limits(self) -> Limits:
        """Return how far a correction may be from what is plausible."""
        return Limits(
            distance=self.quarantine_distance,
            confidence=self.quarantine_confidence,
            crowding=self.quarantine_crowding,
        )

    webhook_private: bool = Field(
        False, description="Let webhooks go to private addresses, and by http to this machine."
    )
    object_sweep_seconds: float = Field(
        15, gt=0, description="Pause between two removals of objects whose rows were deleted."
    )
