"""Models: list, import, activate."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ketav_registry.admin.session import Json, run, show
from ketav_registry.domain.models import ModelVersion, Script
from ketav_registry.model_conversion import convert_model
from ketav_registry.stores import Stores
from ketav_registry.usecases import accounts, models, models_bases, models_versions

app = typer.Typer(no_args_is_help=True, help="Manage base models and the models of users.")


@app.command("list")
def list_models(
    user: Annotated[
        str | None, typer.Option(help="Name or id of a user; without it, all versions of all users.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the base models and the versions of users; `active` serves."""

    async def work(stores: Stores) -> list[ModelVersion]:
        """Find the user and list the versions."""
        owner = None if user is None else await accounts.find_user(user, stores=stores)
        return await models_bases.list_all_models(owner.user_id if owner else None, stores=stores)

    rows = [
        {
            "version": version.model.version,
            "user_id": version.user_id,
            "script": version.script,
            "hand": version.hand_name,
            "base": version.base_version,
            "state": version.state,
            "cer_before": version.cer_before,
            "cer_after": version.cer_after,
            "lines": version.training_lines,
            "created": version.create_time,
        }
        for version in run(work)
    ]
    show(rows, as_json=as_json)


@app.command("activate")
def activate_model(
    version: str,
    user: Annotated[
        str | None, typer.Option(help="Name or id of the user whose pages the version reads.")
    ] = None,
    hand: Annotated[
        str | None, typer.Option(help="With --user: the hand that the version serves; by default its own.")
    ] = None,
) -> None:
    """Make a version serve: with --user the user's version or a base, without it a base for its script.

    A base that is activated for its script retires the newer bases of that script. Users with an active
    version of their own keep it.
    """

    async def work(stores: Stores) -> ModelVersion:
        """Activate the version for the user or for its script."""
        if user is None:
            return await models_bases.activate_base(version, stores=stores)
        owner = await accounts.find_user(user, stores=stores)
        return await models_versions.activate_model(owner.user_id, version, hand, stores=stores)

    activated = run(work)
    typer.echo(
        f"{activated.model.version} serves {user or 'as the base'} for {activated.script or 'all scripts'}."
    )


@app.command("import")
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
        version = run(lambda stores: _import(file, name, script, stores))
    else:
        version = run(lambda stores: _import_converted(file, name, script, stores))
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
