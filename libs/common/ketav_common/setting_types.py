"""Types of settings that are checked when a process starts: addresses, URLs, files and directories.

A validator raises ValueError with a text that follows the variable's name: "must be …". The text never
has the value, because a URL has a password.
"""

import ctypes
import os
import re
import zipfile
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from ketav_common import identity_keys

_ADDRESS: Final = re.compile(r"unix:.+|(?:dns:///)?(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):(?P<port>\d{1,5})")
_MAX_PORT: Final = 65535
MIN_SECRET_CHARACTERS: Final = 32
"""Characters of a generated secret of 192 bits in base64."""
_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_REDIS: Final = frozenset({"redis", "rediss"})


def check_address(address: str) -> str:
    """Return a gRPC address; raises ValueError unless it is host:port, dns:///host:port or unix:path."""
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"] or 0) > _MAX_PORT:
        raise ValueError("must be an address such as 127.0.0.1:50051, dns:///registry:50051 or unix:/path")
    return address


def _split(url: str, requirement: str) -> SplitResult:
    """Split a URL; raises ValueError with the requirement when its port or its brackets are malformed."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(requirement) from None
    return parts


def check_secret(secret: SecretStr) -> SecretStr:
    """Return a secret; raises ValueError when it has fewer than 32 characters besides spaces at its ends."""
    if len(secret.get_secret_value().strip()) < MIN_SECRET_CHARACTERS:
        raise ValueError(f"must have at least {MIN_SECRET_CHARACTERS} characters")
    return secret


def check_identity_key(key: SecretStr) -> SecretStr:
    """Return a private key; raises ValueError unless it has 32 bytes in base64url."""
    identity_keys.private_key(key.get_secret_value())
    return key


def check_public_keys(keys: str) -> str:
    """Return a list of public keys; raises ValueError for a malformed one."""
    if not identity_keys.trusted_keys(keys):
        raise ValueError("must be a list such as gateway:KEY,registry:KEY,recognizer:KEY,trainer:KEY")
    return keys


def check_database_url(url: SecretStr) -> SecretStr:
    """Return the URL of a PostgreSQL database; raises ValueError for any other URL."""
    requirement = "must be a URL such as postgresql://role:password@host:5432/database"
    parts = _split(url.get_secret_value(), requirement)
    if parts.scheme not in _POSTGRESQL or not (parts.hostname or "host=" in parts.query):
        raise ValueError(requirement)
    if not parts.path.strip("/"):
        raise ValueError("names no database; it " + requirement)
    return url


def check_http_address(address: str) -> str:
    """Return an HTTP address or an empty text; raises ValueError for anything else."""
    requirement = "must be an address such as http://collector:4318"
    parts = _split(address, requirement)
    if address and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError(requirement)
    return address


def check_redis_url(url: SecretStr) -> SecretStr:
    """Return the URL of Redis or Valkey; raises ValueError for any other URL."""
    requirement = "must be a URL such as redis://:password@host:6379/0, or rediss:// for TLS"
    parts = _split(url.get_secret_value(), requirement)
    if parts.scheme not in _REDIS or not parts.hostname or not re.fullmatch(r"/?|/\d+", parts.path):
        raise ValueError(requirement)
    return url


def check_blob_url(url: SecretStr) -> SecretStr:
    """Return the URL of the object store; raises ValueError unless it is a folder's or an S3 bucket's."""
    requirement = "must be file:///folder or s3://key:secret@host:port/bucket"
    parts = _split(url.get_secret_value(), requirement)
    if parts.scheme == "file" and not parts.netloc and Path(unquote(parts.path)).is_absolute():
        return url
    if parts.scheme != "s3" or not parts.hostname:
        raise ValueError(requirement)
    if not (parts.username and parts.password):
        raise ValueError("has no key and secret; it " + requirement)
    if not parts.path.strip("/") or "/" in parts.path.strip("/"):
        raise ValueError("names no bucket; it " + requirement)
    return url


def check_file(path: Path) -> Path:
    """Return the path of a file that this process can read; raises ValueError otherwise."""
    if not path.is_file():
        raise ValueError("must be the path of a file, and there is no file at this path")
    if not os.access(path, os.R_OK):
        raise ValueError("names a file that this process may not read")
    return path


def check_npz(path: Path) -> Path:
    """Return the path of a file of NumPy arrays; raises ValueError for another file."""
    if not zipfile.is_zipfile(check_file(path)):
        raise ValueError(
            "must be the path of an .npz file such as those in models/, and the file is another one"
        )
    return path


def check_directory(path: Path) -> Path:
    """Return the path of an existing directory; raises ValueError otherwise."""
    if not path.is_dir():
        raise ValueError("must be the path of a directory, and there is no directory at this path")
    return path


def create_directory(path: Path) -> Path:
    """Create a directory of mode 0700 unless it exists; raises ValueError when it is not writable."""
    path = path.expanduser()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(f"names a directory that cannot be created ({reason})") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError("names a directory that this process may not write")
    return path


def check_device(name: str) -> str:
    """Return the name of a device, cpu or cuda; raises ValueError unless this process has it."""
    if name not in {"cpu", "cuda"}:
        raise ValueError("must be cpu or cuda")
    if name == "cuda" and not _count_gpus():
        raise ValueError("names the device cuda, and this process finds no NVIDIA GPU")
    return name


def _count_gpus() -> int:
    """Ask the NVIDIA driver for the number of GPUs that this process may use; 0 without a driver."""
    count = ctypes.c_int()
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    is_found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if is_found else 0


Device = Annotated[str, AfterValidator(check_device)]
"""Device that networks run on: `cpu`, or `cuda` for an NVIDIA GPU."""
HttpAddress = Annotated[str, AfterValidator(check_http_address)]
"""Address of an HTTP server, or an empty text."""
Secret = Annotated[SecretStr, AfterValidator(check_secret)]
"""A generated secret."""
IdentityKey = Annotated[SecretStr, AfterValidator(check_identity_key)]
"""The private key of a service."""
PublicKeys = Annotated[str, AfterValidator(check_public_keys)]
"""The public keys of all services."""
GrpcAddress = Annotated[str, AfterValidator(check_address)]
"""Address of a gRPC server: host:port, dns:///host:port or unix:path."""
DatabaseUrl = Annotated[SecretStr, AfterValidator(check_database_url)]
"""URL of a PostgreSQL database, with the role's password."""
RedisUrl = Annotated[SecretStr, AfterValidator(check_redis_url)]
"""URL of a database of Redis or Valkey, with its password."""
BlobUrl = Annotated[SecretStr, AfterValidator(check_blob_url)]
"""URL of the object store, with the secret of its key."""
NpzFile = Annotated[Path, AfterValidator(check_npz)]
"""Path of a file of NumPy arrays."""
ExistingDirectory = Annotated[Path, AfterValidator(check_directory)]
"""Path of an existing directory."""
WritableDirectory = Annotated[Path, AfterValidator(create_directory)]
"""Path of a directory, created with its parents when it is missing."""
