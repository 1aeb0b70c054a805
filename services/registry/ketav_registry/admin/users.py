"""Users: list, add, disable, enable, delete."""

from typing import Annotated

import typer

from ketav_registry.admin.session import Json, progress, run, show
from ketav_registry.domain.accounts import User
from ketav_registry.usecases import accounts, accounts_audit, erasure

app = typer.Typer(no_args_is_help=True, help="Manage users.")
UserArgument = Annotated[str, typer.Argument(metavar="USER", help="Name or id of the user.")]
_CACHE_NOTE = "The gateway notices it within 3 seconds."


@app.command("list")
def list_users(as_json: Json = False) -> None:
    """List all users with the number of their valid API keys."""
    show([_row(user) for user in run(lambda stores: accounts.list_users(stores=stores))], as_json=as_json)


def _row(user: User) -> dict[str, object]:
    """Return a user as a row of the table."""
    return {
        "id": user.user_id,
        "name": user.name,
        "keys": user.valid_keys,
        "created": user.create_time,
        "disabled": user.disable_time,
    }


@app.command("add")
def add_user(name: str) -> None:
    """Add a user and print their API key. The key is not stored, so it cannot be printed again."""
    _, key = run(lambda stores: accounts.add_user(name, stores=stores))
    typer.echo(key)


@app.command("disable")
def disable_user(name: UserArgument) -> None:
    """Refuse all API keys of a user until the user is enabled; their data stays, automatic training stops."""
    user = run(lambda stores: accounts.set_disabled(name, disabled=True, stores=stores))
    typer.echo(f"{user.name} is disabled. {_CACHE_NOTE}")


@app.command("enable")
def enable_user(name: UserArgument) -> None:
    """Accept the API keys of a disabled user again."""
    user = run(lambda stores: accounts.set_disabled(name, disabled=False, stores=stores))
    typer.echo(f"{user.name} is enabled.")


@app.command("audit")
def list_audit(
    name: UserArgument,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries to show.")] = 50,
    as_json: Json = False,
) -> None:
    """List the actions on a user's account, newest first: keys, deletions, exports, models, webhooks."""
    entries = run(lambda stores: accounts_audit.list_entries_of(name, limit, stores=stores))
    rows = [
        {
            "time": entry.create_time,
            "actor": entry.actor,
            "member": entry.member,
            "action": entry.action,
            "subject": entry.subject,
        }
        for entry in entries
    ]
    show(rows, as_json=as_json)


@app.command("delete")
def delete_user(
    name: UserArgument, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Delete a user with all pages, corrections and models. This cannot be undone."""
    user = run(lambda stores: accounts.find_user(name, stores=stores))
    if not yes:
        typer.confirm(f"Delete {user.name} ({user.user_id}) with all their data?", abort=True)
    done = run(lambda stores: erasure.delete_account(user.user_id, stores=stores))
    typer.echo(
        f"Deleted {user.name}: {done.pages} pages, {done.lines} lines, {done.corrections} corrections."
    )
    progress(f"A running registry removes the files within a minute. {_CACHE_NOTE}")
