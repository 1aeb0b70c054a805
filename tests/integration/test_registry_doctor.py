"""`ketav admin doctor` and the readiness of the registry name in words what is wrong with a store."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from ketav_common.errors import Unavailable
from ketav_common.limits import MIB
from ketav_registry.main import open_stores
from ketav_registry.settings import StoreSettings
from tests.parts.identities import identity_keys
from tests.parts.ketav_command import ketav, ketav_json
from tests.parts.postgres import PostgresServer
from tests.parts.processes import free_port, running
from tests.parts.registry import registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture(autouse=True)
def environment(
    postgres: PostgresServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set the addresses of working stores."""
    (tmp_path / "blobs" / ".incoming").mkdir(parents=True)
    monkeypatch.setenv("KETAV_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KETAV_DATABASE_URL", postgres.url(database, "ketav_service"))
    monkeypatch.setenv("KETAV_BLOB_URL", f"file://{tmp_path}/blobs")


def findings(status: int = 0) -> dict[str, Any]:
    """Run the command and return its findings by check."""
    return {row["check"]: row for row in ketav_json("admin", "doctor", status=status)}


async def problems(**changes: Any) -> list[str]:
    """Return the problems of the stores of the environment, as the registry's readiness has them."""
    async with open_stores(StoreSettings(**changes)) as stores:
        return await stores.problems()


def test_a_working_system_has_no_wrong_finding() -> None:
    """Checks whose address is unset are not made."""
    checks = findings()
    assert checks["database"]["ok"] is True
    assert checks["objects"]["finding"] == "an object was written, read and removed"
    assert checks["trainer"]["ok"] is None
    assert "KETAV_TRAINER_ADDRESS is not set" in checks["trainer"]["finding"]
    assert "WRONG" not in ketav("admin", "doctor")


@pytest.mark.parametrize(
    ("total_mib", "free_mib", "ok"), [(512, 200, True), (512, 100, False), (99_000, 900, False)]
)
def test_a_disk_needs_a_gibibyte_free_or_a_quarter_of_itself(
    monkeypatch: pytest.MonkeyPatch, total_mib: int, free_mib: int, ok: bool
) -> None:
    """The containers' /tmp has 512 MiB in all."""
    usage = SimpleNamespace(total=total_mib * MIB, free=free_mib * MIB)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert findings(status=0 if ok else 1)["temporary disk"]["ok"] is ok


def wrong_password(postgres: PostgresServer, _folder: Path) -> tuple[str, str]:
    """Return the address with a role that does not exist; the server of the tests checks no passwords."""
    return "KETAV_DATABASE_URL", postgres.url("postgres", "stranger")


def no_database(postgres: PostgresServer, _folder: Path) -> tuple[str, str]:
    """Return the address of a database that does not exist."""
    return "KETAV_DATABASE_URL", postgres.url("absent", "ketav_service")


def no_server(_postgres: PostgresServer, _folder: Path) -> tuple[str, str]:
    """Return an address at which no server listens."""
    return "KETAV_DATABASE_URL", f"postgresql://ketav_service@127.0.0.1:{free_port()}/ketav"


def no_url(_postgres: PostgresServer, _folder: Path) -> tuple[str, str]:
    """Return a text that is no URL."""
    return "KETAV_DATABASE_URL", "127.0.0.1"


def no_schema(postgres: PostgresServer, _folder: Path) -> tuple[str, str]:
    """Return the address of an empty database."""
    return "KETAV_DATABASE_URL", postgres.url(postgres.create_database(), "ketav_service")


def no_folder(_postgres: PostgresServer, folder: Path) -> tuple[str, str]:
    """Return the address of a folder that does not exist."""
    return "KETAV_BLOB_URL", f"file://{folder}/absent"


def no_s3(_postgres: PostgresServer, _folder: Path) -> tuple[str, str]:
    """Return the address of an S3 server that does not run."""
    return "KETAV_BLOB_URL", f"s3://key:canary-secret@127.0.0.1:{free_port()}/bucket?secure=0"


WRONG = [
    (wrong_password, "rejects the role or the password of KETAV_DATABASE_URL"),
    (no_database, "The database of KETAV_DATABASE_URL does not exist"),
    (no_server, "PostgreSQL accepts no connection at the host of KETAV_DATABASE_URL"),
    (no_url, "KETAV_DATABASE_URL must be a URL such as"),
    (no_schema, "Run `ketav migrate`"),
    (no_folder, "The bucket or folder of KETAV_BLOB_URL does not exist"),
    (no_s3, "The object store does not answer at the host of KETAV_BLOB_URL"),
]


@pytest.mark.parametrize(("cause", "sentence"), WRONG, ids=[cause.__name__ for cause, _ in WRONG])
def test_doctor_and_every_other_command_name_what_is_wrong_with_a_store(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: Any, sentence: str
) -> None:
    """Exit status 1, without the address, the role or a secret."""
    variable, url = cause(postgres, tmp_path)
    monkeypatch.setenv(variable, url)
    printed = ketav("admin", "doctor", status=1)
    assert sentence in printed
    if cause is not no_folder:  # an empty system creates its folder
        assert sentence in ketav("admin", "users", "list", status=1)
    assert "canary-secret" not in printed
    assert "127.0.0.1" not in printed


@pytest.fixture
def small_disk(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return the name of a migrated database on a disk of its own of 32 MiB, and the disk's folder."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m,mode=1777", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("A disk of 32 MiB needs the right to mount one.")
    try:
        (disk / "tables").mkdir()
        name = f"disk_{uuid4().hex}"
        postgres.migrated_database()  # which makes the template
        postgres.execute(f"CREATE TABLESPACE {name} LOCATION '{disk / 'tables'}'")
        postgres.execute(
            f"CREATE DATABASE {name} TEMPLATE ketav_template STRATEGY file_copy TABLESPACE {name}"
        )
        yield name, disk
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
        postgres.execute(f"DROP TABLESPACE {name}")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


async def test_a_full_disk_of_postgresql_is_named_until_it_has_room(
    postgres: PostgresServer, small_disk: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL still answers queries: readiness learns it from the first transaction that cannot write."""
    name, disk = small_disk
    monkeypatch.setenv("KETAV_DATABASE_URL", postgres.url(name, "ketav_service"))
    full = "The disk of PostgreSQL is full. Free space on it."
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free))
    assert full in await asyncio.to_thread(ketav, "admin", "doctor", status=1)
    async with open_stores(StoreSettings()) as stores:
        with pytest.raises(Unavailable):
            async with stores.database.system() as transaction:
                await transaction.execute(
                    sa.text("CREATE TEMPORARY TABLE rows AS SELECT generate_series(1, 99999)")
                )
        assert await stores.problems() == [full]
        filler.unlink()
        assert await stores.problems() == []
    assert "WRONG" not in await asyncio.to_thread(ketav, "admin", "doctor")


def test_the_log_of_the_registry_names_what_is_wrong(postgres: PostgresServer, tmp_path: Path) -> None:
    """Once, as the event `readiness_changed`; the process runs on, for the store may come back."""
    log = tmp_path / "registry.log"
    environment = os.environ | {
        "KETAV_DATABASE_URL": no_database(postgres, tmp_path)[1],
        **identity_keys("registry"),
    }

    def named() -> None:
        """Check that the log has the sentence."""
        assert "The database of KETAV_DATABASE_URL does not exist" in log.read_text()

    with running([sys.executable, "-m", "ketav_registry.main"], log, named, env=environment) as process:
        time.sleep(2)
        assert process.poll() is None
    assert log.read_text().count('"readiness_changed"') == 1


async def test_a_missing_bucket_is_created_for_an_empty_database_only(
    postgres: PostgresServer, s3: Any, tmp_path: Path
) -> None:
    """With images or models it must be restored: an empty one would hide that they are lost."""
    name = postgres.migrated_database()
    url, bucket = postgres.url(name, "ketav_service"), f"test-{uuid4().hex}"
    assert await problems(database_url=url, blob_url=s3.url(bucket)) == []
    assert s3.client.bucket_exists(bucket_name=bucket)
    async with registry_server(postgres, tmp_path, name, blob_url=s3.url(bucket)):
        pass
    [problem] = await problems(database_url=url, blob_url=s3.url(f"other-{uuid4().hex}"))
    assert "does not exist" in problem


async def test_a_wrong_key_of_the_object_store_is_named(postgres: PostgresServer, s3: Any) -> None:
    """By the variable, without the key."""
    wrong = s3.url("bucket").replace("ketav-test-secret", "canary-secret")
    [problem] = await problems(blob_url=wrong)
    assert problem == "The object store rejects the keys of KETAV_BLOB_URL. Correct the variable."


def test_an_unreachable_service_and_broker_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    monkeypatch.setenv("KETAV_REGISTRY_ADDRESS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("KETAV_REDIS_URL", f"redis://:canary@127.0.0.1:{free_port()}/0")
    checks = findings(status=1)
    assert checks["registry"]["finding"].startswith("The registry does not answer (UNAVAILABLE).")
    assert "Redis accepts no connection" in checks["broker"]["finding"]
    assert "canary" not in str(checks)


def test_a_role_that_bypasses_row_level_security_is_wrong(
    postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner of the test server is a superuser."""
    monkeypatch.setenv("KETAV_DATABASE_URL", postgres.url(database))
    assert "bypasses row-level security" in findings(status=1)["database"]["finding"]
