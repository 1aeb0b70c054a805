"""`ketav`: what an operator does with the registry's memory."""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ketav_common.errors import KetavError
from ketav_common.settings import load
from ketav_registry import migrate as migrations
from ketav_registry.domain.models import ModelVersion, Script
from ketav_registry.main import Stores, open_stores
from ketav_registry.model_conversion import convert_model
from ketav_registry.settings import StoreSettings
from ketav_registry.usecases import accounts, models

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate a Ketav registry.")
users_app = typer.Typer(no_args_is_help=True, help="Users and their API keys.")
models_app = typer.Typer(no_args_is_help=True, help="Base models.")
app.add_typer(users_app, name="users")
app.add_typer(models_app, name="models")

_Answer = TypeVar("_Answer")


def _run(work: Callable[[Stores], Awaitable[_Answer]]) -> _Answer:
    """Do something with the stores; an error ends the command with its sentence."""

    async def run() -> _Answer:
        """Open, work, close."""
        async with open_stores(load(StoreSettings)) as stores:
            await stores.blobs.check()
            return await work(stores)

    try:
        return asyncio.run(run())
    except KetavError as error:
        typer.echo(f"ketav: {error.detail} ({error.code})", err=True)
        raise typer.Exit(1) from error


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema, as its owner (KETAV_MIGRATION_DATABASE_URL)."""
    service = os.environ.get("KETAV_DATABASE_URL")
    owner = os.environ.get("KETAV_MIGRATION_DATABASE_URL") or service
    if not owner:
        raise typer.BadParameter("KETAV_MIGRATION_DATABASE_URL is not set")
    migrations.upgrade(owner, service)


@users_app.command("add")
def add_user(name: str) -> None:
    """Add a user and print their API key: this once, it is stored nowhere."""
    _, key = _run(lambda stores: accounts.add_user(name, database=stores.database))
    typer.echo(key)


@users_app.command("revoke")
def revoke_key(prefix: Annotated[str, typer.Argument(help="The 8 characters after `ktv_`.")]) -> None:
    """Revoke an API key."""
    _run(lambda stores: accounts.revoke_key(prefix, database=stores.database))


@models_app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    name: Annotated[str, typer.Option(help="Name of the base; versions of it are numbered.")],
    script: Annotated[Script | None, typer.Option(help="The hand it reads; every hand when absent.")] = None,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Store your own .safetensors unchecked: needs no engine.")
    ] = False,
) -> None:
    """Import a Kraken model (.safetensors or .mlmodel) as a base and print its version."""
    if trusted and file.suffix == ".safetensors":
        version = _run(lambda stores: _import(file, name, script, stores))
    else:
        version = _run(lambda stores: _import_converted(file, name, script, stores))
    typer.echo(version.model.version)


async def _import(file: Path, name: str, script: Script | None, stores: Stores) -> ModelVersion:
    """Import a safetensors file."""
    return await models.import_base(file, name, script, database=stores.database, blobs=stores.blobs)


async def _import_converted(file: Path, name: str, script: Script | None, stores: Stores) -> ModelVersion:
    """Convert and check a Kraken file, then import the result."""
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "model.safetensors"
        await convert_model(file, converted)
        return await _import(converted, name, script, stores)
