"""`ketav export`: write all pages of a project in a format."""

from pathlib import Path
from typing import Annotated

import typer

from ketav_command.choices import Format, suffix
from ketav_command.connect import connected
from ketav_command.output import progress_bar, say

DIGITS = 4


def export(
    project: Annotated[str, typer.Argument(help="Id of the project; `ketav projects` lists them.")],
    out: Annotated[Path, typer.Option(help="Folder for the pages.")],
    format_: Annotated[Format, typer.Option("--format", help="Format of a page.")] = Format.TXT,
) -> None:
    """Export every page that was read, in the order of upload; a corrected line has its corrected text."""
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    with connected() as client, progress_bar() as progress:
        images = [image for image in client.images(project) if image.state == "read"]
        for position, image in enumerate(progress.track(images, description="exporting"), start=1):
            exported = client.export(project, image.image_id, format_=format_.value)
            (out / f"{position:0{DIGITS}}{suffix(format_)}").write_bytes(exported)
            written += 1
    say(f"{written} pages are exported to {out}.")
