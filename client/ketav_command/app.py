"""The commands of a client: ocr, correct, train, export, projects, login."""

from collections.abc import Sequence
from importlib.metadata import entry_points

import typer

from ketav_client import ConfigurationError, ConnectionFailedError, KetavError, ProblemError
from ketav_command import correct, export, login, ocr, projects, train
from ketav_command.output import ExitStatus, fail
from ketav_command.upload_folder import UploadFolderError

EPILOG = (
    "KETAV_URL and KETAV_API_KEY, or the file that `ketav login` writes, name the server and the key. "
    "Exit status: 0 done, 1 refused in whole or in part, 2 wrong use, 3 the server did not answer, "
    "130 interrupted."
)
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Read Hebrew handwriting on a Ketav server, correct it, and train on the corrections.",
    epilog=EPILOG,
)
for _command in (login.login, ocr.ocr, correct.correct, train.train, projects.projects, export.export):
    app.command()(_command)


@app.callback()
def options() -> None:
    """Read Hebrew handwriting on a Ketav server, correct it, and train on the corrections."""


if "admin" in entry_points(group="ketav.commands").names:

    @app.command(add_help_option=False)
    def admin() -> None:
        """Operate a server: users, keys, models, runs, backups. See `ketav admin --help`."""


def run(arguments: Sequence[str]) -> int:
    """Run a command; an error ends it with its sentences and an exit status."""
    try:
        app(list(arguments), prog_name="ketav", standalone_mode=True)
    except ProblemError as error:
        return fail(error, ExitStatus.UNAVAILABLE if error.status in {502, 503, 504} else ExitStatus.REFUSED)
    except ConnectionFailedError as error:
        return fail(error, ExitStatus.UNAVAILABLE)
    except (ConfigurationError, UploadFolderError) as error:
        return fail(error, ExitStatus.USAGE)
    except KetavError as error:
        return fail(error, ExitStatus.REFUSED)
    except OSError as error:
        return fail(f"{error}. Check the path and its permissions.", ExitStatus.REFUSED)
    return ExitStatus.DONE
