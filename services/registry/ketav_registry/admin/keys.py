"""API keys: list, add, rotate, revoke."""

from typing import Annotated

import typer

from ketav_registry.admin.session import Json, progress, run, show
from ketav_registry.admin.users import UserArgument
from ketav_registry.usecases import accounts

app = typer.Typer(no_args_is_help=True, help="Manage API keys.")
_CACHE_NOTE = "The gateway refuses revoked keys within 3 seconds."


@app.command("list")
def list_keys(
    user: Annotated[str | None, typer.Option(help="Name or id of a user; without it, all users.")] = None,
    as_json: Json = False,
) -> None:
    """List API keys by their prefix, the 8 characters after `ktv_`."""
    keys = run(lambda stores: accounts.list_keys(user, stores=stores))
    rows = [
        {
            "prefix": key.prefix,
            "user": key.user_name,
            "user_id": key.user_id,
            "created": key.create_time,
            "revoked": key.revoke_time,
        }
        for key in keys
    ]
    show(rows, as_json=as_json)


@app.command("add")
def add_key(user: UserArgument) -> None:
    """Make another API key for a user and print it once; the user's other keys stay valid."""
    typer.echo(run(lambda stores: accounts.add_key(user, stores=stores)))


@app.command("rotate")
def rotate_keys(user: UserArgument) -> None:
    """Revoke all API keys of a user, and make and print a new one."""
    key, revoked = run(lambda stores: accounts.rotate_keys(user, stores=stores))
    typer.echo(key)
    progress(f"{revoked} keys are revoked. {_CACHE_NOTE}")


@app.command("revoke")
def revoke_key(prefix: Annotated[str, typer.Argument(help="The 8 characters after `ktv_`.")]) -> None:
    """Revoke one API key."""
    run(lambda stores: accounts.revoke_key(prefix, stores=stores))
    progress(f"The key is revoked. {_CACHE_NOTE}")
