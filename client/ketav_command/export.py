"""`ketav export`: write a project to a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from ketav_client.generated.models import ExportProjectFormat, Job
from ketav_command.choices import ProjectFormat, file_suffix
from ketav_command.connect import connected
from ketav_command.output import progress_bar, say


def export(
    project: Annotated[str, typer.Argument(help="Id of the project; `ketav projects` lists them.")],
    out: Annotated[Path, typer.Option(help="File, or a folder in which the id of the project is its name.")],
    format_: Annotated[
        ProjectFormat,
        typer.Option("--format", help="json, alto, page and hocr are a zip with a file for each page."),
    ] = ProjectFormat.TXT,
    images: Annotated[bool, typer.Option("--images", help="Add the images to a zip.")] = False,
) -> None:
    """Export all pages of a project; a corrected line has its corrected text.

    A job writes the export: it goes on while the command is interrupted, and the command continues it when it
    is repeated.
    """
    value: ExportProjectFormat = format_.value
    target = out / f"{project}{file_suffix(format_)}" if out.is_dir() else out
    target.parent.mkdir(parents=True, exist_ok=True)
    with connected() as client, progress_bar() as progress:
        task = progress.add_task("exporting", total=None)
        client.export_to(
            target, project, on_change=lambda job: _show(progress, task, job), format_=value, images=images
        )
    say(f"The project is exported to {target}.")


def _show(progress: Progress, task: TaskID, job: Job) -> None:
    """Show how many pages are written; then the file is downloaded."""
    is_written = job.state == "succeeded"
    progress.update(
        task,
        description="downloading" if is_written else "exporting",
        total=job.page_count or None,
        completed=job.pages_read,
    )
