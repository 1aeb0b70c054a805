"""Transactions in the name of a user, and the one place where trouble with PostgreSQL gets its name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ketav_common.errors import KetavError, NotFound, TimedOut, Unavailable
from ketav_registry.tables import REVISION

Transaction = AsyncConnection

_SCOPE = sa.text("SELECT set_config('app.user_id', :user_id, true), set_config('app.system', :system, true)")
# A deletion of a user's things waits for whatever is done in their name, and holds off what would begin.
_SHARED = sa.text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:user_id, 0))")
_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:user_id, 0))")
_RETRY_S = 2
_CONNECT_S = 5


def database_url(url: str) -> URL:
    """Read a PostgreSQL URL in any of its spellings as one for asyncpg."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def connect(url: str, *, pool_size: int, statement_timeout_s: float) -> AsyncEngine:
    """Build a bounded pool: waiting for a connection and for a statement's answer both have an end.

    The server ends a statement at its timeout; a server that is silent is given up a second later.
    """
    milliseconds = str(int(statement_timeout_s * 1000))
    return create_async_engine(
        database_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=min(_CONNECT_S, statement_timeout_s),
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "timeout": min(_CONNECT_S, statement_timeout_s),
            "command_timeout": statement_timeout_s + 1,
            "server_settings": {
                "application_name": "ketav-registry",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                "idle_in_transaction_session_timeout": "30000",
            },
        },
    )


def _named(error: Exception) -> KetavError | None:
    """Translate trouble of the connection into a domain error; None when it is not the connection's."""
    driver = error.driver_exception if isinstance(error, DBAPIError) else error
    if isinstance(driver, asyncpg.QueryCanceledError | asyncpg.LockNotAvailableError | TimeoutError):
        return TimedOut("the database did not answer in time")
    away = (
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.IdleInTransactionSessionTimeoutError,
        asyncpg.SerializationError,
        asyncpg.DeadlockDetectedError,
        asyncpg.InterfaceError,
        OSError,
    )
    if isinstance(driver, away) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Unavailable("the database is away", retry_after=_RETRY_S)
    if isinstance(error, sa.exc.TimeoutError):
        return Unavailable("every connection to the database is taken", retry_after=_RETRY_S)
    if isinstance(driver, asyncpg.ForeignKeyViolationError) and _without_account(driver):
        return NotFound("the account was deleted")
    return None


def _without_account(error: asyncpg.ForeignKeyViolationError) -> bool:
    """Say whether a row was refused because its user is gone: a key is believed for half a minute more."""
    return bool(error.constraint_name == f"fk_{error.table_name}_user_id")


class Raced(Exception):
    """Another call has won a race for a unique row; what this one wrote is rolled back."""


class Database:
    """Transactions on one pool. Each is committed when its block ends and rolled back when it raises."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take the pool; it is closed by `close`."""
        self._engine = engine

    @asynccontextmanager
    async def user(self, user_id: UUID, *, alone: bool = False) -> AsyncIterator[Transaction]:
        """Open a transaction that sees the rows of one user and the base models.

        While one is open that runs `alone`, no other of the same user is.
        """
        async with self._transaction(str(user_id), system=False) as transaction:
            await transaction.execute(_ALONE if alone else _SHARED, {"user_id": str(user_id)})
            yield transaction

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Transaction]:
        """Open a transaction that sees every row: for a role, not for a user."""
        async with self._transaction("", system=True) as transaction:
            yield transaction

    @asynccontextmanager
    async def _transaction(self, user_id: str, *, system: bool) -> AsyncIterator[Transaction]:
        """Open a transaction in a scope that ends with it; name the connection's errors."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(_SCOPE, {"user_id": user_id, "system": "on" if system else "off"})
                yield connection
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            named = _named(error)
            if named is None:
                raise
            raise named from error

    async def ready(self) -> bool:
        """Say whether the database answers and has at least the schema this code was written for."""
        try:
            async with self.system() as transaction:
                found = await transaction.scalar(sa.text("SELECT max(version_num) FROM alembic_version"))
        except (KetavError, SQLAlchemyError):
            return False
        return found is not None and found >= REVISION

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


async def narrow(transaction: Transaction, user_id: UUID) -> None:
    """Go on in a system transaction as one user: what follows sees that user's rows only."""
    await transaction.execute(_SCOPE, {"user_id": str(user_id), "system": "off"})


async def hold(transaction: Transaction, user_id: UUID) -> None:
    """Hold off deletions of a user's things in a system transaction, before it writes any row of theirs."""
    await transaction.execute(_SHARED, {"user_id": str(user_id)})
