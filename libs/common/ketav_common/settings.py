"""Settings that every service reads from its environment."""

import os
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from ketav_common import faults
from ketav_common.errors import InvalidInput, KetavError
from ketav_common.identity import MAX_LIFETIME_S, Signer
from ketav_common.setting_types import GrpcAddress, HttpAddress, IdentityKey, PublicKeys

SECRETS_DIR = "KETAV_SECRETS_DIR"
"""Variable with a directory of files: each is named like a variable and has its value."""
_Settings = TypeVar("_Settings", bound=BaseSettings)
LOG_LEVELS: Final = "^(DEBUG|INFO|WARNING|ERROR)$"
"""Pattern of KETAV_LOG_LEVEL."""
_REQUIREMENTS: Final = {
    "missing": "is not set",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be greater than {gt:,}",
    "greater_than_equal": "must be at least {ge:,}",
    "less_than_equal": "must be at most {le:,}",
    "string_pattern_mismatch": "must be one of {values}",
    "value_error": "{error}",
}
"""What a variable must be, by pydantic's error type; the fields are those of pydantic's error context."""


class EnvironmentSettings(BaseSettings):
    """Settings of a process; each field is read from the environment variable KETAV_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix="KETAV_", frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True
    )


class ServiceSettings(EnvironmentSettings):
    """Settings shared by the services."""

    identity_key: IdentityKey = Field(
        description="Private key that signs the identity tokens of this service's calls: 32 bytes in "
        "base64url."
    )
    identity_public_keys: PublicKeys = Field(
        description="Public keys of all services, `gateway:KEY,registry:KEY,recognizer:KEY,trainer:KEY`; a "
        "service whose key changes has two."
    )
    identity_lifetime: int = Field(
        MAX_LIFETIME_S, ge=5, le=MAX_LIFETIME_S, description="Seconds an identity token is valid."
    )
    log_level: str = Field("INFO", pattern=LOG_LEVELS, description="Least severe event logged.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of the Prometheus metrics; 0 serves none.")
    metrics_host: str = Field("127.0.0.1", description="Interface of the Prometheus metrics.")
    otlp_endpoint: HttpAddress = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Address of an OpenTelemetry collector, OTLP over HTTP; unset: no spans are exported.",
    )
    beat_file: Path | None = Field(
        None,
        description="File that a worker touches every two seconds, so that the supervisor or Kubernetes "
        "restarts one that hangs; unset: none.",
    )
    drain_seconds: float = Field(
        10, ge=0, le=600, description="Seconds that calls in flight may take when the service stops."
    )

    @model_validator(mode="after")
    def _check_fault_points(self) -> Self:
        """Refuse KETAV_FAULT_DIR where no fault points are installed."""
        faults.check_installed()
        return self

    @model_validator(mode="after")
    def _check_own_key(self) -> Self:
        """Refuse a private key whose public key no other service would have."""
        if not self.signer().is_trusted:
            raise InvalidInput(
                "KETAV_IDENTITY_PUBLIC_KEYS lacks the public key of KETAV_IDENTITY_KEY. Add it in all "
                "services."
            )
        return self

    def signer(self) -> Signer:
        """Return the signer of this service's identity tokens."""
        return Signer(self.identity_key.get_secret_value(), self.identity_public_keys, self.identity_lifetime)


class BoundSettings(ServiceSettings):
    """Settings of a gRPC service."""

    bind: GrpcAddress = Field(
        "127.0.0.1:0", description="Address the server listens on: host:port or unix:path."
    )


def load(kind: type[_Settings]) -> _Settings:
    """Return the settings of a process from its environment and the files in KETAV_SECRETS_DIR.

    A variable has precedence over a file. A missing or wrong one ends the process with a line for each that
    names it, never its value.
    """
    _require_utf_8()
    try:
        return kind(_secrets_dir=_secrets_dir())
    except KetavError as error:
        raise SystemExit(error.detail) from None
    except (OSError, SettingsError):
        raise SystemExit(
            f"A file in {SECRETS_DIR} is not readable UTF-8. Check its content and its permissions."
        ) from None
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        raise SystemExit("\n".join(_problem(prefix, dict(item)) for item in error.errors())) from None


def _require_utf_8() -> None:
    """Check that the values of variables are UTF-8; exit with a line for each that is not."""
    wrong = [
        name
        for name, value in sorted(os.environ.items())
        if name.startswith(("KETAV_", "OTEL_")) and not value.isascii() and _has_surrogates(value)
    ]
    if wrong:
        raise SystemExit(
            "\n".join(f"{name} must be UTF-8. Set it as docs/settings.md describes." for name in wrong)
        )


def _has_surrogates(value: str) -> bool:
    """Return whether a value has bytes that are not UTF-8: Python makes them surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in value)


def _secrets_dir() -> Path | None:
    """Return the directory that KETAV_SECRETS_DIR names, None when it is unset; exit when there is none."""
    name = os.environ.get(SECRETS_DIR)
    if name and not Path(name).is_dir():
        raise SystemExit(f"{SECRETS_DIR} is not a directory. Set it to one with a file for each secret.")
    return Path(name) if name else None


def _problem(prefix: str, error: dict[str, Any]) -> str:
    """Return two sentences about one variable: what it must be, and what to do."""
    name = "_".join(map(str, error["loc"]))
    # An alias is a whole variable in capitals, such as OTEL_EXPORTER_OTLP_ENDPOINT.
    variable = name if name.isupper() else (prefix + name).upper()
    context = error.get("ctx", {})
    values = str(context.get("pattern", "")).strip("^$()").replace("|", ", ")
    requirement = _REQUIREMENTS[error["type"]].format(values=values, **context)
    return f"{variable} {requirement}. Set it as docs/settings.md describes."
