"""Settings that every service reads from its environment."""

from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ketav_common import faults
from ketav_common.errors import KetavError
from ketav_common.identity import Signer

_Settings = TypeVar("_Settings", bound=BaseSettings)


class ServiceSettings(BaseSettings):
    """Settings shared by the services; each is read from KETAV_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="KETAV_", frozen=True, extra="ignore")

    identity_secret: SecretStr = Field(
        min_length=32, description="Secret that signs identity tokens between the services; the same in all."
    )
    identity_lifetime: int = Field(60, ge=5, le=600, description="Seconds an identity token is valid.")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe event logged."
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of the Prometheus metrics; 0 serves none.")
    metrics_host: str = Field("127.0.0.1", description="Interface of the Prometheus metrics.")
    drain_seconds: float = Field(
        10, ge=0, le=600, description="Seconds that calls in flight may take when the service stops."
    )
    data_dir: Path = Field(Path(".ketav"), description="Directory of the process's files.")

    @model_validator(mode="after")
    def _check_fault_points(self) -> Self:
        """Refuse KETAV_FAULT_DIR where no fault points are installed."""
        faults.check_installed()
        return self

    def signer(self) -> Signer:
        """Return the signer of this service's identity tokens."""
        return Signer(self.identity_secret.get_secret_value(), self.identity_lifetime)


class BoundSettings(ServiceSettings):
    """Settings of a gRPC service."""

    bind: str = Field("127.0.0.1:0", description="Address the server listens on: host:port or unix:path.")


def load(kind: type[_Settings]) -> _Settings:
    """Return the settings of a process from its environment.

    A missing or wrong variable ends the process with a line for each that names it, never its value.
    """
    try:
        return kind()
    except KetavError as error:
        raise SystemExit(error.detail) from None
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        raise SystemExit("\n".join(_problem(prefix, dict(item)) for item in error.errors())) from None


def _problem(prefix: str, error: dict[str, Any]) -> str:
    """Return two sentences about one variable: what is wrong, and what to do."""
    variable = (prefix + "_".join(map(str, error["loc"]))).upper()
    if error["type"] == "missing":
        return f"{variable} is not set. Set it as docs/settings.md describes."
    return f"{variable} has a wrong value: {error['msg']}. Set it as docs/settings.md describes."
