"""`ketav`: the command of operators. The commands of the first version work without `admin`, too."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from ketav_common import logging
from ketav_registry import migrate as migrations
from ketav_registry.admin import backup, doctor, fsck, keys, models, runs, users
from ketav_registry.admin.session import fail, settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate Ketav.")
admin_app = typer.Typer(
    no_args_is_help=True, help="Operate a Ketav system: users, keys, models, runs, stores."
)
app.add_typer(admin_app, name="admin")
for group in (users, keys, models, runs):
    admin_app.add_typer(group.app, name=group.__name__.rpartition(".")[2])
# Names of the first version, kept for scripts.
app.add_typer(users.app, name="users", hidden=True)
app.add_typer(models.app, name="models", hidden=True)
users.app.command("revoke", hidden=True)(keys.revoke_key)
for command in (doctor.doctor, backup.backup, backup.restore, fsck.fsck):
    admin_app.command(command.__name__)(command)


def _print_version(requested: bool) -> None:
    """Print the version and end the command."""
    if requested:
        typer.echo(f"ketav {version('ketav')}")
        raise typer.Exit


def run_command(arguments: Sequence[str]) -> None:
    """Run a command in a process of its own, with log events on stderr, and end the process."""
    logging.configure("admin", "WARNING")
    app(arguments)


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Operate Ketav."""


@app.command(hidden=True)
@admin_app.command()
def migrate() -> None:
    """Migrate the database to the newest schema, as its owner (KETAV_MIGRATION_DATABASE_URL)."""
    owner, logins = settings().owner_url(), settings().login_urls()
    if owner is None:
        fail("KETAV_MIGRATION_DATABASE_URL is not set. Set it to the database's URL with its owner's role.")
    try:
        migrations.upgrade(owner, *logins)
    except migrations.DATABASE_ERRORS as error:
        fail(f"The migration failed, and the schema is as before. {migrations.explain(error)}")
