"""`ketav`: the command for operators of a registry."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ketav_common.errors import KetavError
from ketav_common.settings import load
from ketav_registry import migrate as migrations
from ketav_registry.domain.models import ModelVersion, Script
from ketav_registry.main import open_stores
from ketav_registry.model_conversion import convert_model
from ketav_registry.settings import MigrationSettings, StoreSettings
from ketav_registry.stores import Stores
from ketav_registry.usecases import accounts, models

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate a Ketav registry.")
users_app = typer.Typer(no_args_is_help=True, help="Manage users and their API keys.")
models_app = typer.Typer(no_args_is_help=True, help="Manage base models.")
app.add_typer(users_app, name="users")
app.add_typer(models_app, name="models")

_Result = TypeVar("_Result")


def _run(work: Callable[[Stores], Awaitable[_Result]]) -> _Result:
    """Run an operation on the stores; an error is printed and ends the command with status 1."""

    async def run() -> _Result:
        """Open the stores, run the operation, close the stores."""
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
    """Migrate the database to the newest schema, as its owner (KETAV_MIGRATION_DATABASE_URL)."""
    owner, service = load(MigrationSettings).owner_and_service_urls()
    if not owner:
        raise typer.BadParameter(
            "KETAV_MIGRATION_DATABASE_URL is not set. Set it to the database's URL, with its owner's role."
        )
    migrations.upgrade(owner, service)


@users_app.command("add")
def add_user(name: str) -> None:
    """Add a user and print their API key. The key is not stored, so it cannot be printed again."""
    _, key = _run(lambda stores: accounts.add_user(name, stores=stores))
    typer.echo(key)


@users_app.command("revoke")
def revoke_key(prefix: Annotated[str, typer.Argument(help="The 8 characters after `ktv_`.")]) -> None:
    """Revoke an API key."""
    _run(lambda stores: accounts.revoke_key(prefix, stores=stores))


@models_app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    name: Annotated[str, typer.Option(help="Name of the base model; its versions are numbered.")],
    script: Annotated[
        Script | None, typer.Option(help="The script that it reads; without it, every script.")
    ] = None,
    trusted: Annotated[
        bool,
        typer.Option("--trusted", help="Store a .safetensors file of your own without checking it."),
    ] = False,
) -> None:
    """Import a Kraken model (.safetensors or .mlmodel) as a base model and print its version."""
    if trusted and file.suffix == ".safetensors":
        version = _run(lambda stores: _import(file, name, script, stores))
    else:
        version = _run(lambda stores: _import_converted(file, name, script, stores))
    typer.echo(version.model.version)


async def _import(file: Path, name: str, script: Script | None, stores: Stores) -> ModelVersion:
    """Import a safetensors file."""
    return await models.import_base(file, name, script, stores=stores)


async def _import_converted(file: Path, name: str, script: Script | None, stores: Stores) -> ModelVersion:
    """Convert and check a Kraken file, then import the result."""
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "model.safetensors"
        await convert_model(file, converted)
        return await _import(converted, name, script, stores)
