"""What the registry is told by its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ketav_common.settings import BoundSettings


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
