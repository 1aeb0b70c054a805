"""The two logins of the registry: one for the work of users, one for sweeps and for work without a user.

Row-level security restricts the login `ketav_user` to the rows of one user or of one shared project, whatever
its statements set. Only `ketav_service` has the switch with which a transaction sees all rows.
"""

import hashlib
import hmac
from dataclasses import dataclass

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from ketav_registry import metrics
from ketav_registry.database_problems import describe

SYSTEM_ROLE = "ketav_service"
USER_ROLE = "ketav_user"
_IS_RESTRICTED = sa.text("SELECT NOT pg_has_role(current_user, :system, 'MEMBER')")
_TOO_POWERFUL = (
    f"The role of KETAV_USER_DATABASE_URL may act as {SYSTEM_ROLE} or is a superuser, so it sees the rows of "
    f"all users. Use the role {USER_ROLE}."
)
_REJECTED = (
    f"PostgreSQL rejects the role {USER_ROLE} or its password. Run `ketav migrate`, which sets the password, "
    "or correct KETAV_USER_DATABASE_URL."
)


def database_url(url: str) -> URL:
    """Return a PostgreSQL URL in any spelling as a URL of the asyncpg driver."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def user_database_url(system_url: str, user_url: str | None) -> URL:
    """Return the URL of the login for users: `user_url`, or the one that follows from that of the services.

    Its password is then an HMAC of the services' password, which cannot be computed back. So an installation
    from before there were two logins needs no further secret.
    """
    if user_url:
        return database_url(user_url)
    url = database_url(system_url)
    if not url.password:
        return url.set(username=USER_ROLE)
    password = hmac.new(url.password.encode(), USER_ROLE.encode(), hashlib.sha256).hexdigest()
    return url.set(username=USER_ROLE, password=password)


@dataclass(frozen=True, slots=True)
class Logins:
    """The pools of the two logins."""

    user: AsyncEngine
    system: AsyncEngine

    def measure(self) -> None:
        """Export the connections of both pools as metrics."""
        pools = [engine.pool for engine in (self.user, self.system) if isinstance(engine.pool, QueuePool)]
        metrics.CONNECTIONS.labels("busy").set_function(lambda: sum(pool.checkedout() for pool in pools))
        metrics.CONNECTIONS.labels("idle").set_function(lambda: sum(pool.checkedin() for pool in pools))
        metrics.CONNECTIONS_LIMIT.set(sum(pool.size() for pool in pools))

    async def user_problem(self) -> str:
        """Return a sentence for the operator when the login for users cannot be used; empty when it can.

        Raises errors of the driver that are not about this login alone.
        """
        try:
            async with self.user.connect() as connection:
                restricted = await connection.scalar(_IS_RESTRICTED, {"system": SYSTEM_ROLE})
        except (DBAPIError, asyncpg.PostgresError) as error:
            return describe_user_login(error)
        return "" if restricted else _TOO_POWERFUL

    async def close(self) -> None:
        """Close every connection."""
        await self.user.dispose()
        await self.system.dispose()


def describe_user_login(error: BaseException) -> str:
    """Return a sentence about an error of the login for users."""
    driver = error.driver_exception if isinstance(error, DBAPIError) else error
    return (
        _REJECTED if isinstance(driver, asyncpg.InvalidAuthorizationSpecificationError) else describe(error)
    )
