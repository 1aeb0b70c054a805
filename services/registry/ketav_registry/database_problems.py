"""Sentences for the operator about errors of PostgreSQL. They name no address, role or password."""

import socket

import asyncpg
from sqlalchemy.exc import ArgumentError, DBAPIError

MIGRATE = "Run `ketav migrate`."

_SENTENCES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (asyncpg.InvalidAuthorizationSpecificationError,),  # a wrong password is one of these
        "PostgreSQL rejects the role or the password of KETAV_DATABASE_URL. Correct the variable.",
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        "The database of KETAV_DATABASE_URL does not exist. Create it, or correct the variable.",
    ),
    (
        (ArgumentError,),
        "KETAV_DATABASE_URL is no URL of PostgreSQL. Write postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE.",
    ),
    ((asyncpg.DiskFullError,), "The disk of PostgreSQL is full. Free space on it."),
    (
        (asyncpg.TooManyConnectionsError,),
        "PostgreSQL has no free connection. Raise its max_connections, or lower KETAV_DATABASE_POOL_SIZE.",
    ),
    (
        (asyncpg.CannotConnectNowError,),
        "PostgreSQL is starting or stopping. Wait, or read its log.",
    ),
    ((asyncpg.UndefinedTableError,), f"The database has no schema. {MIGRATE}"),
    (
        (asyncpg.InsufficientPrivilegeError,),
        f"The role of KETAV_DATABASE_URL may not read the tables. {MIGRATE}",
    ),
    (
        (socket.gaierror,),
        "The host of KETAV_DATABASE_URL has no address. Correct the variable.",
    ),
    (
        (TimeoutError,),
        "PostgreSQL does not answer in time. Check its load, or the host of KETAV_DATABASE_URL.",
    ),
    (
        (OSError,),
        "PostgreSQL accepts no connection at the host of KETAV_DATABASE_URL. Start it, or correct the URL.",
    ),
)
"""The first row whose classes match an error has its sentence."""


def describe(error: BaseException) -> str:
    """Return a sentence about an error of the driver, and what to do about it."""
    driver = error.driver_exception if isinstance(error, DBAPIError) else error
    for kinds, sentence in _SENTENCES:
        if isinstance(driver, kinds):
            return sentence
    return f"PostgreSQL failed with {type(driver).__name__}. Read the log of PostgreSQL."


def describe_revision(current: str | None, required: str) -> str:
    """Describe a schema that is older than required; empty when it is not."""
    if current is not None and current >= required:
        return ""
    return (
        f"The database has schema revision {current or 'none'}, and this version needs {required}. {MIGRATE}"
    )
