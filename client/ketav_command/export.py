"""`ketav export`: write a project to a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import DownloadColumn, SpinnerColumn, TextColumn

from ketav_client.generated.api.projects.export_project import export_project
from ketav_client.generated.models import ExportProjectFormat
from ketav_command.choices import ProjectFormat, file_suffix
from ketav_command.connect import connected
from ketav_command.output import drawn, say


def export(
    project: Annotated[str, typer.Argument(help="Id of the project; `ketav projects` lists them.")],
    out: Annotated[Path, typer.Option(help="File, or a folder in which the id of the project is its name.")],
    format_: Annotated[
        ProjectFormat,
        typer.Option("--format", help="json, alto, page and hocr are a zip with a file for each page."),
    ] = ProjectFormat.TXT,
    images: Annotated[bool, typer.Option("--images", help="Add the images to a zip.")] = False,
) -> None:
    """Export all pages of a project; a corrected line has its corrected text."""
    value: ExportProjectFormat = format_.value
    target = out / f"{project}{file_suffix(format_)}" if out.is_dir() else out
    target.parent.mkdir(parents=True, exist_ok=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn())
    with connected() as client, drawn(*columns) as progress:
        task = progress.add_task("exporting", total=None)
        call = export_project(project, format_=value, images=images)
        client.download(call, target, lambda size: progress.advance(task, size))
    say(f"The project is exported to {target}.")
