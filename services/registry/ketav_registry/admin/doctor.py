"""`ketav admin doctor`: checks the stores, the services, the schema and the disks, and says what to do."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import grpc
import sqlalchemy as sa
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr
from sqlalchemy.engine import URL

from ketav_common.errors import KetavError
from ketav_common.limits import MIB
from ketav_common.readiness import PROBLEM_KEY
from ketav_registry import blobs as objects
from ketav_registry.admin.session import Json, finish, require_system, settings, show
from ketav_registry.database import connect, newest_revision
from ketav_registry.database_disk import check_room
from ketav_registry.database_logins import Logins
from ketav_registry.database_problems import describe, describe_revision
from ketav_registry.main import blob_store
from ketav_registry.migrate import DATABASE_ERRORS, explain
from ketav_registry.settings import AdminSettings

_TIMEOUT_S = 10.0
"""Seconds of each check."""
_PROBE_KEY = "doctor/probe"
_PROBE = b"written by ketav admin doctor"
_LOW_DISK_BYTES = 1024 * MIB
"""Free bytes below which a disk is reported: some hundred images and a training's checkpoints."""
_LOW_DISK_SHARE = 0.25
"""Free share below which a small disk is reported, such as the containers' /tmp of 512 MiB."""
_UNSET = "not checked: {} is not set"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `ok` is None for one that was not made."""

    check: str
    ok: bool | None
    finding: str


def doctor(as_json: Json = False) -> None:
    """Check stores, services, versions, migrations and disks; exit status 1 when something is wrong."""
    admin = settings()
    require_system(admin)

    async def check_all() -> list[Finding]:
        """Run all checks at the same time."""
        return list(await asyncio.gather(*(_bounded(name, check) for name, check in _checks(admin))))

    findings = finish(check_all)
    rows = [{**asdict(finding), "ok": _STATES[finding.ok]} for finding in findings]
    show([asdict(finding) for finding in findings] if as_json else rows, as_json=as_json)
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


_STATES = {True: "ok", False: "WRONG", None: "-"}


def _checks(admin: AdminSettings) -> Iterator[tuple[str, Callable[[], Awaitable[Finding]]]]:
    """Yield the name of each check and the check."""
    yield "version", _version
    yield "database", partial(_database, admin.database_url)
    yield "database users", partial(_user_login, admin.login_urls())
    yield "database owner", partial(_owner, admin.migration_database_url)
    yield "objects", partial(_objects, admin.blob_url)
    yield "broker", partial(_broker, admin.redis_url)
    for name in ("registry", "recognizer", "trainer"):
        address = getattr(admin, f"{name}_address")
        yield name, partial(_service, name, address)
    for name, folder in _folders(admin):
        yield name, partial(_disk, name, folder)


async def _bounded(name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    """Return the finding of a check; one that takes too long or fails is wrong."""
    try:
        return await asyncio.wait_for(check(), _TIMEOUT_S)
    except TimeoutError:
        return Finding(name, ok=False, finding=f"No answer within {_TIMEOUT_S:g} seconds. Check the address.")
    except (KetavError, ValueError) as error:
        return Finding(name, ok=False, finding=str(error))


async def _version() -> Finding:
    """Report the version of this command and the schema that it needs."""
    return Finding("version", ok=True, finding=f"ketav {version('ketav')}, schema {newest_revision()}")


async def _database(url: SecretStr | None) -> Finding:
    """Check that the role connects, writes, finds the schema and is subject to row-level security."""
    if url is None:
        return Finding("database", ok=None, finding=_UNSET.format("KETAV_DATABASE_URL"))
    query = (
        "SELECT (SELECT max(version_num) FROM alembic_version), current_setting('server_version'), "
        "rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    try:
        revision, server, unrestricted = await _first_row(url, query)
    except DATABASE_ERRORS as error:
        return Finding("database", ok=False, finding=describe(error))
    if problem := describe_revision(revision, newest_revision()):
        return Finding("database", ok=False, finding=problem)
    if unrestricted:
        return Finding(
            "database",
            ok=False,
            finding="The role of KETAV_DATABASE_URL bypasses row-level security. Use the role ketav_service.",
        )
    return Finding("database", ok=True, finding=f"PostgreSQL {server}, schema {revision}")


async def _user_login(urls: Sequence[URL]) -> Finding:
    """Check that the login for the work of users connects and is restricted to their rows."""
    name = "database users"
    if not urls:
        return Finding(name, ok=None, finding=_UNSET.format("KETAV_DATABASE_URL"))
    system, user = (connect(url, pool_size=1, statement_timeout_s=_TIMEOUT_S) for url in urls)
    logins = Logins(user, system)
    try:
        problem = await logins.user_problem()
    except DATABASE_ERRORS as error:
        problem = describe(error)
    finally:
        await logins.close()
    return Finding(name, ok=not problem, finding=problem or "sees the rows of one user at a time")


async def _owner(url: SecretStr | None) -> Finding:
    """Check that the owner of the schema can connect."""
    name = "database owner"
    if url is None:
        return Finding(name, ok=None, finding=_UNSET.format("KETAV_MIGRATION_DATABASE_URL"))
    query = "SELECT pg_database_size(current_database())"
    try:
        [size_bytes] = await _first_row(url, query)
    except DATABASE_ERRORS as error:
        return Finding(name, ok=False, finding=explain(error))
    return Finding(name, ok=True, finding=f"the database has {size_bytes // MIB:,} MiB")


async def _first_row(url: SecretStr, query: str) -> tuple[Any, ...]:
    """Return the first row of a query, from a database that has room for rows."""
    engine = connect(url.get_secret_value(), pool_size=1, statement_timeout_s=_TIMEOUT_S)
    try:
        async with engine.connect() as connection:
            row = tuple((await connection.execute(sa.text(query))).one())
            await connection.rollback()
            await check_room(connection)
            return row
    finally:
        await engine.dispose()


async def _objects(url: SecretStr | None) -> Finding:
    """Check that an object can be written, read and removed."""
    if url is None:
        return Finding("objects", ok=None, finding=_UNSET.format("KETAV_BLOB_URL"))
    with tempfile.TemporaryDirectory(prefix="ketav-doctor-") as folder:
        store = blob_store(url.get_secret_value(), Path(folder), timeout_s=_TIMEOUT_S / 3)
        if problem := await store.problem():
            return Finding("objects", ok=False, finding=problem)

        async def chunks() -> objects.Chunks:
            """Yield the probe."""
            yield _PROBE

        written = await objects.store(
            store, chunks(), lambda _: _PROBE_KEY, max_bytes=MIB, size_bytes=len(_PROBE)
        )
        async for _ in objects.read(store, written.key, sha256=written.sha256, size_bytes=len(_PROBE)):
            pass
        await store.remove(written.key)
    return Finding("objects", ok=True, finding="an object was written, read and removed")


async def _broker(url: SecretStr | None) -> Finding:
    """Check that the broker accepts connections; the trainer's check says whether it accepts the password."""
    if url is None:
        return Finding("broker", ok=None, finding=_UNSET.format("KETAV_REDIS_URL"))
    parts = urlsplit(url.get_secret_value())
    try:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or 6379)
    except OSError:
        return Finding(
            "broker",
            ok=False,
            finding="Redis accepts no connection at the host of KETAV_REDIS_URL. Start it, or correct the "
            "variable.",
        )
    writer.close()
    return Finding("broker", ok=True, finding="accepts connections")


async def _service(name: str, address: str | None) -> Finding:
    """Ask a service for its health; its problems come with the response."""
    if address is None:
        return Finding(name, ok=None, finding=_UNSET.format(f"KETAV_{name.upper()}_ADDRESS"))
    async with grpc.aio.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_S / 2
        )
        try:
            response = await check
        except grpc.aio.AioRpcError as error:
            status = error.code().name
            return Finding(
                name,
                ok=False,
                finding=f"The {name} does not answer ({status}). Start it, or read its log.",
            )
        problems = [str(value) for key, value in await check.trailing_metadata() if key == PROBLEM_KEY]
    if problems:
        return Finding(name, ok=False, finding=" ".join(problems))
    serves = response.status == health_pb2.HealthCheckResponse.SERVING
    return Finding(name, ok=serves, finding="serves" if serves else "does not serve. Read its log.")


def _folders(admin: AdminSettings) -> Iterator[tuple[str, Path]]:
    """Yield the folders whose disks are used on this machine."""
    if admin.blob_url is not None:
        parts = urlsplit(admin.blob_url.get_secret_value())
        if parts.scheme == "file":
            yield "disk of objects", Path(unquote(parts.path))
    if admin.data_dir.is_dir():
        yield "disk of data", admin.data_dir
    yield "temporary disk", Path(tempfile.gettempdir())


async def _disk(name: str, folder: Path) -> Finding:
    """Check that a disk has a gibibyte free, or a quarter of a disk that is smaller than four."""
    try:
        usage = await asyncio.to_thread(shutil.disk_usage, folder)
    except OSError as error:
        return Finding(name, ok=False, finding=f"{folder} cannot be read: {error.strerror}. Check the disk.")
    free = f"{usage.free // MIB:,} of {usage.total // MIB:,} MiB are free"
    if usage.free < min(_LOW_DISK_BYTES, usage.total * _LOW_DISK_SHARE):
        return Finding(
            name, ok=False, finding=f"The disk is almost full: {free} at {folder}. Free space on it."
        )
    return Finding(name, ok=True, finding=f"{free} at {folder}")
