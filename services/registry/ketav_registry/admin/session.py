"""Runs the operation of a command on the stores, and prints its result or a sentence about its error."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from ketav_common.errors import KetavError, Precondition
from ketav_common.settings import load
from ketav_registry.main import open_stores
from ketav_registry.migrate import DATABASE_ERRORS, explain
from ketav_registry.settings import AdminSettings, StoreSettings
from ketav_registry.stores import Stores

_Result = TypeVar("_Result")
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Row = Mapping[str, Any]
_CHECK_TIMEOUT_S = 10.0
"""Seconds for the first answer of each store: a command can wait longer than a readiness check."""


def fail(sentence: str) -> NoReturn:
    """Print a sentence on stderr and end the command with status 1."""
    typer.echo(f"ketav: {sentence}", err=True)
    raise typer.Exit(1)


def settings() -> AdminSettings:
    """Return the addresses that the environment has; a wrong value ends the command with a sentence."""
    return load(AdminSettings)


def require_system(admin: AdminSettings) -> None:
    """End the command with one sentence when the environment names no system."""
    if admin.database_url is None:
        fail(
            f"No Ketav system is configured: {admin.data_dir / 'env'} does not exist and "
            "KETAV_DATABASE_URL is not set. Start a system with `make run`, set KETAV_DATA_DIR to its "
            "folder, or set KETAV_DATABASE_URL and KETAV_BLOB_URL."
        )


def run(work: Callable[[Stores], Awaitable[_Result]], *, timeout_s: float | None = None) -> _Result:
    """Run an operation on the stores; an error is printed and ends the command with status 1.

    `timeout_s` limits each statement instead of KETAV_DATABASE_TIMEOUT.
    """
    require_system(settings())
    store_settings = load(StoreSettings)
    if timeout_s is not None:
        store_settings = store_settings.model_copy(update={"database_timeout": timeout_s})

    async def execute() -> _Result:
        """Open the stores, run the operation, close the stores."""
        async with open_stores(store_settings) as stores:
            problems = await stores.problems(_CHECK_TIMEOUT_S)
            if problems:
                raise Precondition(" ".join(problems), code="not-ready")
            return await work(stores)

    return finish(execute)


def finish(work: Callable[[], Awaitable[_Result]], hint: str = "") -> _Result:
    """Run an operation to its end; an error is printed as a sentence and ends the command with status 1.

    `hint` is added to errors of the database, of files and of time.
    """

    async def execute() -> _Result:
        """Await the operation in the event loop."""
        return await work()

    try:
        return asyncio.run(execute())
    except KetavError as error:
        fail(f"{error.detail} ({error.code})")
    except ValidationError as error:
        fail(str(error.errors()[0]["msg"]))
    except TimeoutError:
        fail(f"The command did not end in time. Run it again. {hint}".rstrip())
    except OSError as error:
        name = error.filename or "A file or connection"
        fail(
            f"{name} cannot be used: {error.strerror or error}. Check the path and its disk. {hint}".rstrip()
        )
    except DATABASE_ERRORS as error:
        fail(f"{explain(error)} {hint}".rstrip())
    except KeyboardInterrupt:
        fail("Interrupted. Nothing more was changed.")


def show(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows with the same keys as a table, or as a JSON array; times in UTC to the second."""
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False, indent=2, default=_text))
        return
    if not rows:
        typer.echo("none")
        return
    cells = [[name.upper().replace("_", " ") for name in rows[0]]]
    cells += [[_text(value) for value in row.values()] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def _text(value: object) -> str:
    """Return a value as a cell of a table; empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return " ".join(str(value).split())


def progress(text: str) -> None:
    """Print the progress of a long command on stderr."""
    sys.stderr.write(f"ketav: {text}\n")
    sys.stderr.flush()
