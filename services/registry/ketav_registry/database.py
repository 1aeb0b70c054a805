"""Transactions with the rights of one user or of the service. Maps driver errors to domain errors."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ketav_common import tracing
from ketav_common.context import identity_or_none
from ketav_common.errors import KetavError, NotFound, TimedOut, Unavailable
from ketav_common.tracing import SpanKind
from ketav_registry import metrics
from ketav_registry.database_disk import check_room
from ketav_registry.database_logins import Logins, database_url
from ketav_registry.database_problems import describe, describe_revision
from ketav_registry.database_projects import ProjectScope, enter_project
from ketav_registry.domain.members import Role

Transaction = AsyncConnection

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"
_SET_SCOPE = sa.text(
    "SELECT set_config('app.user_id', :user_id, true), set_config('app.system', :system, true)"
)
"""Sets for this transaction what the row-level security policies compare rows with."""
_SET_SCOPE_AND_ACTOR = sa.text(f"{_SET_SCOPE.text}, set_config('app.actor', :actor, true)")
"""The same, and who acts in it, which the triggers of the audit log write."""
_LOCK_SHARED = sa.text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:user_id, 0))")
_TRY_LOCK_SHARED = sa.text("SELECT pg_try_advisory_xact_lock_shared(hashtextextended(:user_id, 0))")
_LOCK_EXCLUSIVE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:user_id, 0))")
"""A deletion takes the user's lock exclusively, every other transaction of the user takes it shared."""
_SPAN_ATTRIBUTES = {"db.system.name": "postgresql"}
_RETRY_AFTER_S = 2
"""Seconds after which a caller retries: PostgreSQL restarts in about as long."""
_CONNECT_TIMEOUT_S = 5
"""Seconds for a new connection, and for a free one of the pool."""
_IDLE_TIMEOUT_MS = "30000"
"""Time after which PostgreSQL ends an idle transaction: longer than any pause between two statements."""
_UNAVAILABLE_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    OSError,
)
"""Errors of a connection or of concurrency: the same call can succeed later."""
_NOT_MIGRATED = (
    "The database does not have the schema of this version. The operator must run `ketav migrate`."
)


class UniqueConflictError(Exception):
    """Another transaction has inserted the unique row first; this one is rolled back and can be repeated."""


def newest_revision() -> str:
    """Return the number of the newest migration. Numbers have equal length, so newer ones compare greater.

    Raises ValueError if the folder of the migrations is not next to this package.
    """
    return max(path.name.partition("_")[0] for path in _MIGRATIONS.glob("[0-9]*.py"))


def connect(url: str | URL, *, pool_size: int, statement_timeout_s: float) -> AsyncEngine:
    """Create a bounded pool, with timeouts for taking a connection and for each statement.

    PostgreSQL cancels a statement at its timeout; the driver gives up a second later if the server is silent.
    """
    milliseconds = str(int(statement_timeout_s * 1000))
    timeout_s = min(_CONNECT_TIMEOUT_S, statement_timeout_s)
    return create_async_engine(
        database_url(url) if isinstance(url, str) else url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # errors go to the log, and parameters are texts of users
        connect_args={
            "timeout": timeout_s,
            "command_timeout": statement_timeout_s + 1,
            "server_settings": {
                "application_name": "ketav-registry",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                "idle_in_transaction_session_timeout": _IDLE_TIMEOUT_MS,
            },
        },
    )


class Database:
    """Opens transactions with the rights of one user or of the service."""

    def __init__(self, logins: Logins, actor: str = "operator") -> None:
        """Use the connections of these logins and require the schema of the newest migration.

        `actor` is who acts outside a call, for the audit log: `operator`, or `registry` for its sweeps.
        """
        self._logins = logins
        self._actor = actor
        logins.measure()
        self._revision = newest_revision()
        self._disk_was_full = False

    @asynccontextmanager
    async def user(self, user_id: UUID, *, exclusive: bool = False) -> AsyncIterator[Transaction]:
        """Open a transaction that sees the rows of one user and the base models.

        While an exclusive transaction is open, no other transaction of the same user is.
        """
        async with self._transaction(str(user_id), system=False) as transaction:
            lock = _LOCK_EXCLUSIVE if exclusive else _LOCK_SHARED
            await transaction.execute(lock, {"user_id": str(user_id)})
            yield transaction

    @asynccontextmanager
    async def project(
        self, caller_id: UUID, project_id: UUID | None, needed: Role = Role.VIEWER, *, exclusive: bool = False
    ) -> AsyncIterator[ProjectScope]:
        """Open a transaction for a project of the caller, or one that its owner shares with them.

        None: for a project that the caller creates. While an exclusive transaction is open, no other one for
        the owner is. Forbidden insufficient-role: the caller is a member whose role permits less than the
        needed one. A caller without a role sees their own rows, which are not of this project.
        """
        async with self._transaction(str(caller_id), system=False) as transaction:
            scope = await enter_project(transaction, caller_id, project_id, exclusive=exclusive)
            scope.require(needed)
            yield scope

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Transaction]:
        """Open a transaction that sees all rows, for calls that are not made for one user."""
        async with self._transaction("", system=True) as transaction:
            yield transaction

    @asynccontextmanager
    async def _transaction(self, user_id: str, *, system: bool) -> AsyncIterator[Transaction]:
        """Open a transaction with a scope that ends with it; maps the driver's errors.

        It is one span: a span for each statement would be most spans of a request.
        """
        began = time.monotonic()
        connected = False
        try:
            with tracing.span("transaction", SpanKind.CLIENT, attributes=_SPAN_ATTRIBUTES):
                async with (self._logins.system if system else self._logins.user).begin() as connection:
                    connected = True
                    metrics.CONNECTION_DELAY.observe(time.monotonic() - began)
                    identity = identity_or_none()
                    scope = {
                        "user_id": user_id,
                        "system": "on" if system else "off",
                        "actor": self._actor if identity is None else identity.role,
                    }
                    await connection.execute(_SET_SCOPE_AND_ACTOR, scope)
                    yield connection
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            self._disk_was_full |= _is_disk_full(error)
            mapped = _map_error(error) if connected else _connection_error(error)
            if mapped is None and await self.problem():
                mapped = Unavailable(_NOT_MIGRATED, retry_after=_RETRY_AFTER_S)
            if mapped is None:
                raise
            raise mapped from error

    async def problem(self) -> str:
        """Return a sentence for the operator when PostgreSQL cannot be used; empty when it can.

        It must answer and have at least the schema of the newest migration, and the login for users must be
        restricted to their rows. After a transaction has found the disk full, it must also write a mebibyte.
        """
        try:
            async with self._logins.system.connect() as connection:
                revision = await connection.scalar(sa.text("SELECT max(version_num) FROM alembic_version"))
                if self._disk_was_full:
                    await connection.rollback()
                    await check_room(connection)
                    self._disk_was_full = False
            if problem := describe_revision(revision, self._revision):
                return problem
            return await self._logins.user_problem()
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            return describe(error)

    async def close(self) -> None:
        """Close every connection."""
        await self._logins.close()


async def restrict_to_user(transaction: Transaction, user_id: UUID) -> None:
    """Restrict a system transaction to the rows of one user and the base models, until it ends."""
    await transaction.execute(_SET_SCOPE, {"user_id": str(user_id), "system": "off"})


async def block_deletion(transaction: Transaction, user_id: UUID) -> None:
    """Block deletions of the user's data until a system transaction ends; call it before writing rows."""
    await transaction.execute(_LOCK_SHARED, {"user_id": str(user_id)})


async def try_block_deletion(transaction: Transaction, user_id: UUID) -> bool:
    """Block deletions as `block_deletion` does, without waiting; False while one is in progress."""
    return bool(await transaction.scalar(_TRY_LOCK_SHARED, {"user_id": str(user_id)}))


def _connection_error(error: Exception) -> KetavError | None:
    """Return the domain error where no connection was made: nothing was executed, so it is not TimedOut."""
    mapped = _map_error(error)
    if isinstance(mapped, TimedOut):
        return Unavailable(
            "PostgreSQL accepted no connection in time. Try again later.", retry_after=_RETRY_AFTER_S
        )
    return mapped


def _is_disk_full(error: Exception) -> bool:
    """Return whether PostgreSQL found no room for a row."""
    return isinstance(error, DBAPIError) and isinstance(error.driver_exception, asyncpg.DiskFullError)


def _map_error(error: Exception) -> KetavError | None:
    """Return the domain error for an error of the driver; None for a mistake in a query."""
    driver = error.driver_exception if isinstance(error, DBAPIError) else error
    if isinstance(driver, asyncpg.QueryCanceledError | asyncpg.LockNotAvailableError | TimeoutError):
        return TimedOut("PostgreSQL did not answer in time. Try again later.")
    if isinstance(driver, _UNAVAILABLE_ERRORS) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return Unavailable("PostgreSQL is unavailable. Try again later.", retry_after=_RETRY_AFTER_S)
    if isinstance(error, sa.exc.TimeoutError):
        return Unavailable(
            "All connections to PostgreSQL are in use. Try again later.", retry_after=_RETRY_AFTER_S
        )
    if isinstance(driver, asyncpg.ForeignKeyViolationError) and _is_account_missing(driver):
        return NotFound("This account was deleted. Ask the operator for a new API key.")
    return None


def _is_account_missing(error: asyncpg.ForeignKeyViolationError) -> bool:
    """Return whether a row was refused because its user is deleted: the gateway caches API keys for 3 s."""
    return bool(error.constraint_name == f"fk_{error.table_name}_user_id")
