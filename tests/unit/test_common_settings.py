"""A process with a missing or wrong setting ends with sentences that name the variable, never its value."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from ketav_common import setting_types
from ketav_common.identity_keys import private_text, public_text
from ketav_common.settings import EnvironmentSettings, ServiceSettings, load
from ketav_gateway.settings import GatewaySettings
from ketav_local.settings import LocalSettings
from ketav_recognizer.settings import RecognizerSettings
from ketav_registry.settings import MigrationSettings, RegistrySettings
from ketav_trainer.settings import TrainerSettings, WorkerSettings
from tests.parts.identities import KEYS, identity_keys
from tools.settings_doc import variable_of

REQUIRED = {
    **identity_keys("gateway"),
    "KETAV_REGISTRY_ADDRESS": "127.0.0.1:1",
    "KETAV_DATABASE_URL": "postgresql://role:password@127.0.0.1:1/ketav",
    "KETAV_BLOB_URL": "s3://key:secret@127.0.0.1:1/bucket?secure=0",
    "KETAV_REDIS_URL": "redis://:password@127.0.0.1:1/0",
}
THREE_KEYS = ",".join(f"trainer:{public_text(Ed25519PrivateKey.generate())}" for _ in range(3))
CLASSES = (
    GatewaySettings,
    RegistrySettings,
    MigrationSettings,
    RecognizerSettings,
    TrainerSettings,
    WorkerSettings,
    LocalSettings,
)
FIELDS = [(kind, name) for kind in CLASSES for name in kind.model_fields]
WRONG = (
    "",
    " ",
    "canary",
    "-1",
    "nan",
    "inf",
    "9" * 30,
    "1.5",
    "/proc/canary",
    "http://canary:canary@[",
    "א",
)


@pytest.fixture(autouse=True)
def _only_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the services require and nothing else."""
    for name in [name for name in os.environ if name.startswith(("KETAV_", "OTEL_"))]:
        monkeypatch.delenv(name)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def sentences(kind: type[EnvironmentSettings]) -> list[str]:
    """Return the sentences with which loading the settings ends; none when it succeeds."""
    try:
        load(kind)
    except SystemExit as stop:
        return str(stop.code).splitlines()
    return []


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator reads which one, and where it is described."""
    monkeypatch.delenv("KETAV_IDENTITY_KEY")
    assert sentences(ServiceSettings) == [
        "KETAV_IDENTITY_KEY is not set. Set it as docs/settings.md describes."
    ]


def test_a_key_that_no_service_would_trust_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its public key is not in the list."""
    monkeypatch.setenv("KETAV_IDENTITY_KEY", private_text(Ed25519PrivateKey.generate()))
    assert sentences(ServiceSettings) == [
        "KETAV_IDENTITY_PUBLIC_KEYS lacks the public key of KETAV_IDENTITY_KEY. Add it in all services."
    ]


def test_every_wrong_variable_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is too short is not printed."""
    monkeypatch.setenv("KETAV_IDENTITY_KEY", "canary")
    monkeypatch.setenv("KETAV_METRICS_PORT", "many")
    monkeypatch.setenv("KETAV_LOG_LEVEL", "LOUD")
    assert sentences(ServiceSettings) == [
        (
            "KETAV_IDENTITY_KEY must be a key of 43 characters of base64url. "
            "Set it as docs/settings.md describes."
        ),
        "KETAV_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR. Set it as docs/settings.md describes.",
        "KETAV_METRICS_PORT must be a whole number. Set it as docs/settings.md describes.",
    ]


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{kind.__name__}.{name}" for kind, name in FIELDS])
def test_any_value_of_any_variable_is_accepted_or_answered_with_a_sentence(
    kind: type[EnvironmentSettings], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No value ends in a traceback; the sentence names this variable alone and never repeats the value."""
    monkeypatch.chdir(tmp_path)
    if kind is LocalSettings:
        (tmp_path / "models").mkdir()
    variable = variable_of(name, kind.model_fields[name])
    for value in WRONG:
        monkeypatch.setenv(variable, value)
        for sentence in sentences(kind):
            assert sentence.startswith((f"{variable} must", f"{variable} names", f"{variable} has")), sentence
            assert sentence.endswith((". Set it as docs/settings.md describes.", "engine 'kraken'.")), (
                sentence
            )
            assert "canary" not in sentence or name == "engine", sentence


@pytest.mark.parametrize(
    ("variable", "value", "requirement"),
    [
        ("KETAV_RATE_LIMIT", "often", "must be a number of requests and a window"),
        ("KETAV_RATE_LIMIT", "0/minute", "must be a number of requests and a window"),
        ("KETAV_OCR_RATE_LIMIT", "10/fortnight", "must be a number of requests and a window"),
        ("KETAV_REGISTRY_ADDRESS", "registry", "must be an address"),
        ("KETAV_REGISTRY_ADDRESS", "registry:70000", "must be an address"),
        ("KETAV_BIND", "50051", "must be an address"),
        ("KETAV_DATABASE_URL", "mysql://role@host/ketav", "must be a URL such as postgresql://"),
        ("KETAV_DATABASE_URL", "postgresql://role@host", "names no database"),
        ("KETAV_DATABASE_URL", "postgresql://role@host:many/ketav", "must be a URL such as postgresql://"),
        ("KETAV_BLOB_URL", "file://relative/folder", "must be file:///folder or s3://"),
        ("KETAV_BLOB_URL", "s3://host/bucket", "has no key and secret"),
        ("KETAV_BLOB_URL", "s3://key:secret@host", "names no bucket"),
        ("KETAV_REDIS_URL", "http://host", "must be a URL such as redis://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "must be an address such as http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:many", "must be an address such as http://"),
        ("KETAV_REDIS_URL", "redis://host/first", "must be a URL such as redis://"),
        ("KETAV_LANGUAGE_MODEL", "missing.npz", "there is no file at this path"),
        ("KETAV_REPLAY_LINES", "missing.npz", "there is no file at this path"),
        ("KETAV_GENERAL_LINES", __file__, "must be the path of an .npz file"),
        ("KETAV_DATA_DIR", "/proc/ketav", "names a directory that cannot be created (No such file"),
        ("KETAV_MODELS_DIR", "missing", "there is no directory at this path"),
        ("KETAV_SESSION_SECRET", " " * 40, "must have at least 32 characters"),
        ("KETAV_IDENTITY_KEY", "A" * 42, "must be a key of 43 characters of base64url"),
        ("KETAV_IDENTITY_PUBLIC_KEYS", "worker:x", "names a service that is none of gateway, registry"),
        ("KETAV_IDENTITY_PUBLIC_KEYS", "trainer:x", "has a malformed key of trainer"),
        ("KETAV_IDENTITY_PUBLIC_KEYS", THREE_KEYS, "has more than 2 keys of one service"),
        ("KETAV_CALL_TIMEOUT_S", "inf", "must be a finite number"),
        ("KETAV_PORT", "70000", "must be at most 65,535"),
        ("KETAV_MAX_UPLOADS", "0", "must be greater than 0"),
        ("KETAV_WEBHOOK_PRIVATE", "perhaps", "must be true or false"),
        ("KETAV_DEVICE", "gpu", "must be cpu or cuda"),
    ],
)
def test_a_wrong_value_is_answered_with_what_the_variable_must_be(
    variable: str, value: str, requirement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every class that has the variable refuses the value in the same words."""
    monkeypatch.setenv(variable, value)
    kinds = [kind for kind, name in FIELDS if variable_of(name, kind.model_fields[name]) == variable]
    assert kinds
    for kind in kinds:
        (sentence,) = sentences(kind)
        assert sentence.startswith(f"{variable} ")
        assert requirement in sentence


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (
            setting_types.check_database_url,
            [
                "postgresql+asyncpg://role:a%2Fb@[::1]:5432/ketav",
                "postgres://role@host/ketav",
                "postgresql:///ketav?host=/run/postgresql",
            ],
        ),
        (setting_types.check_redis_url, ["redis://host", "rediss://:password@host:6380/1", "redis://host/"]),
        (
            setting_types.check_blob_url,
            ["file:///folder%20name", "s3://key:s%2Fecret@host:9000/bucket?secure=0", "s3://k:s@host/bucket"],
        ),
    ],
)
def test_every_documented_form_of_a_url_is_accepted(check: object, values: list[str]) -> None:
    """With encoded passwords, IPv6 hosts, sockets and TLS."""
    assert callable(check)
    for value in values:
        assert check(SecretStr(value)).get_secret_value() == value


@pytest.mark.parametrize(
    "variable",
    ["KETAV_LOG_LEVEL", "KETAV_IDENTITY_KEY", "KETAV_METRICS_HOST", "OTEL_EXPORTER_OTLP_ENDPOINT"],
)
def test_a_value_that_is_no_utf_8_is_answered_with_a_sentence(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python passes such bytes on as surrogates, which fail later and elsewhere."""
    monkeypatch.setenv(variable, "\udcff" * 40)
    assert sentences(ServiceSettings) == [f"{variable} must be UTF-8. Set it as docs/settings.md describes."]


def test_a_directory_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    """It may hold what a user wrote."""
    created = setting_types.create_directory(tmp_path / "new" / "data")
    assert created.stat().st_mode & 0o777 == 0o700


def started(module: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a service with these variables until it ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KETAV_")}
    return subprocess.run(
        [sys.executable, "-m", module],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_secret_is_read_from_a_file_unless_its_variable_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file has the name of the variable; the newline at its end is not part of the value."""
    (tmp_path / "KETAV_IDENTITY_KEY").write_text(KEYS["gateway"] + "\n", encoding="utf-8")
    monkeypatch.delenv("KETAV_IDENTITY_KEY", raising=False)
    monkeypatch.setenv("KETAV_SECRETS_DIR", str(tmp_path))
    assert load(ServiceSettings).identity_key.get_secret_value() == KEYS["gateway"]
    monkeypatch.setenv("KETAV_IDENTITY_KEY", KEYS["trainer"])
    assert load(ServiceSettings).identity_key.get_secret_value() == KEYS["trainer"]


def test_a_missing_directory_and_an_unreadable_file_of_secrets_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the content of the file."""
    monkeypatch.delenv("KETAV_IDENTITY_KEY", raising=False)
    monkeypatch.setenv("KETAV_SECRETS_DIR", str(tmp_path / "missing"))
    assert sentences(ServiceSettings) == [
        "KETAV_SECRETS_DIR is not a directory. Set it to one with a file for each secret."
    ]
    (tmp_path / "KETAV_IDENTITY_KEY").write_bytes(b"\xff" * 32)
    monkeypatch.setenv("KETAV_SECRETS_DIR", str(tmp_path))
    assert sentences(ServiceSettings) == [
        "A file in KETAV_SECRETS_DIR is not readable UTF-8. Check its content and its permissions."
    ]


@pytest.mark.parametrize(
    "module", ["ketav_gateway.main", "ketav_registry.main", "ketav_recognizer.main", "ketav_trainer.main"]
)
def test_a_service_without_its_settings_ends_without_a_traceback(module: str) -> None:
    """Exit status 1 and a sentence on stderr."""
    ran = started(module, {})
    assert ran.returncode == 1
    assert "KETAV_IDENTITY_KEY is not set." in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("module", "variable"),
    [("ketav_gateway.main", "KETAV_PORT"), ("ketav_trainer.main", "KETAV_BIND")],
)
def test_a_service_whose_address_is_taken_names_the_variable(module: str, variable: str) -> None:
    """It ends with status 1 and a sentence, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        value = str(port) if variable == "KETAV_PORT" else f"127.0.0.1:{port}"
        ran = started(module, {**REQUIRED, variable: value})
    assert ran.returncode == 1
    assert f"{variable} name" in ran.stderr
    assert "cannot listen" in ran.stderr
    assert "Traceback" not in ran.stderr
