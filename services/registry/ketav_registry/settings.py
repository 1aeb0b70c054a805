"""Settings of the registry and of its command `ketav`, read from the environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from sqlalchemy.engine import URL

from ketav_common.setting_types import BlobUrl, DatabaseUrl, GrpcAddress, RedisUrl, WritableDirectory
from ketav_common.settings import BoundSettings, EnvironmentSettings
from ketav_registry.database_logins import database_url, user_database_url
from ketav_registry.domain.corrections_quarantine import QuarantineLimits

_USER_URL = (
    "URL with the role `ketav_user`, which row-level security restricts to one user; unset: that of "
    "KETAV_DATABASE_URL, with this role and a password that follows from its password."
)


def _secret(url: SecretStr | None) -> str | None:
    """Return the value of a URL that may be unset."""
    return url.get_secret_value() if url else None


class StoreSettings(EnvironmentSettings):
    """Locations of the stores."""

    database_url: DatabaseUrl = Field(
        description="URL of PostgreSQL with the role `ketav_service`, which owns no table."
    )
    user_database_url: DatabaseUrl | None = Field(None, description=_USER_URL)
    blob_url: BlobUrl = Field(
        description="Object store: file:///folder or s3://key:secret@host:port/bucket?secure=0."
    )
    spool_dir: WritableDirectory | None = Field(
        None, description="Folder for uploads on their way to S3; the system's temporary folder when unset."
    )
    database_pool_size: int = Field(
        10, ge=1, le=100, description="Maximum number of database connections for the work of users."
    )
    database_system_pool_size: int = Field(
        5,
        ge=1,
        le=100,
        description="Maximum number of database connections for work that is not of one user.",
    )
    database_timeout: float = Field(10, ge=1, le=60, description="Maximum seconds of a statement.")

    def database_urls(self) -> tuple[URL, URL]:
        """Return the URLs of the login for users and of the login of the services."""
        system, user = self.database_url.get_secret_value(), _secret(self.user_database_url)
        return user_database_url(system, user), database_url(system)


class MigrationSettings(EnvironmentSettings):
    """Settings of `ketav migrate`."""

    migration_database_url: DatabaseUrl | None = Field(
        None, description="URL of PostgreSQL with the role that owns the tables; unset: KETAV_DATABASE_URL."
    )
    database_url: DatabaseUrl | None = Field(
        None, description="URL with the role `ketav_service`, which gets the password of this URL."
    )

    user_database_url: DatabaseUrl | None = Field(
        None,
        description="URL with the role `ketav_user`, which gets the password of this URL.",
    )

    def owner_url(self) -> str | None:
        """Return the URL with the owner's role, or else that of the services."""
        return _secret(self.migration_database_url) or _secret(self.database_url)

    def login_urls(self) -> tuple[URL, ...]:
        """Return the URLs of the login of the services and of the login for users, if they are set."""
        system = _secret(self.database_url)
        if system is None:
            return ()
        return database_url(system), user_database_url(system, _secret(self.user_database_url))


class AdminSettings(MigrationSettings):
    """Addresses that `ketav admin` uses.

    In the folder of a local system, the command takes those that are unset from `$KETAV_DATA_DIR/env`.
    """

    data_dir: Path = Field(Path(".ketav"), description="Folder of the local system.")
    blob_url: BlobUrl | None = Field(None, description="Object store, as in the registry.")
    redis_url: RedisUrl | None = Field(None, description="Broker, which `doctor` checks.")
    registry_address: GrpcAddress | None = Field(None, description="Address of the registry, for `doctor`.")
    recognizer_address: GrpcAddress | None = Field(
        None, description="Address of the recognizer, for `doctor`."
    )
    trainer_address: GrpcAddress | None = Field(None, description="Address of the trainer, for `doctor`.")


class RegistrySettings(StoreSettings, BoundSettings):
    """Settings of the registry's server."""

    lease_seconds: int = Field(
        30,
        ge=1,
        le=3600,
        description="Seconds after which the lease of a training run, or of a page of a job, expires unless "
        "renewed.",
    )
    quarantine_distance: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Share of letters that must differ from a reading of high confidence to quarantine a "
        "correction.",
    )
    quarantine_confidence: float = Field(
        0.8, ge=0, le=1, description="Mean confidence from which a reading counts as one of high confidence."
    )
    quarantine_letters_per_square: float = Field(
        12, gt=0, description="Letters that fit in a part of a line that is as wide as the line is high."
    )
    webhook_private: bool = Field(
        False, description="Allow webhooks to private addresses, and by http to this machine."
    )
    object_sweep_seconds: float = Field(
        15, gt=0, description="Seconds between two sweeps that remove the objects of deleted rows."
    )
    run_count_seconds: float = Field(
        10, gt=0, description="Seconds between two counts of the unfinished training runs, for the metrics."
    )

    def quarantine_limits(self) -> QuarantineLimits:
        """Return the limits beyond which a correction is quarantined."""
        return QuarantineLimits(
            max_distance=self.quarantine_distance,
            min_confidence=self.quarantine_confidence,
            letters_per_square=self.quarantine_letters_per_square,
        )
