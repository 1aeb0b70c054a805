"""Address of the server and API key: from arguments, then the environment, then a file."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from platformdirs import user_config_path

from ketav_client.errors import ConfigurationError

DEFAULT_URL = "http://127.0.0.1:8000"
"""Address of `make run`."""


@dataclass(frozen=True)
class ClientSettings:
    """The address of the server and the API key."""

    url: str
    api_key: str

    @classmethod
    def load(cls, url: str | None = None, api_key: str | None = None) -> "ClientSettings":
        """Return the arguments, where they are missing KETAV_URL and KETAV_API_KEY, then those of the file.

        Raises ConfigurationError if there is no key or a value is not valid.
        """
        path = config_path()
        stored = read_config(path)
        settings = cls(
            _checked_url(url or os.environ.get("KETAV_URL") or stored.get("url") or DEFAULT_URL),
            (api_key or os.environ.get("KETAV_API_KEY") or stored.get("api_key") or "").strip(),
        )
        if not settings.api_key:
            raise ConfigurationError(
                f"There is no API key. Set KETAV_API_KEY, or store a key in {path} with `ketav login`."
            )
        if not (settings.api_key.isascii() and settings.api_key.isprintable()):
            raise ConfigurationError(
                "The API key has characters that no key has. Copy it again, without line breaks."
            )
        return settings


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the configuration file: KETAV_CONFIG, or `config.toml` in the user's folder for Ketav."""
    return Path(environ.get("KETAV_CONFIG") or user_config_path("ketav") / "config.toml").expanduser()


def read_config(path: Path) -> dict[str, Any]:
    """Return the settings of a file, none if it does not exist; raises ConfigurationError."""
    try:
        stored = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}. Repair the file or delete it.") from None
    for name, value in stored.items():
        if name not in {"url", "api_key"} or not isinstance(value, str):
            raise ConfigurationError(
                f"{path} has the setting {name}, which is not valid. It may have the texts url and api_key."
            )
    return stored


def _checked_url(url: str) -> str:
    """Return an address without its last slash; raises ConfigurationError unless it is one of HTTP."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigurationError(
            f"{url!r} is no address of a server. Set KETAV_URL to one like {DEFAULT_URL}."
        )
    return url.rstrip("/")
