"""`ketav correct`: send the texts of a folder that were edited."""

from pathlib import Path
from typing import Annotated

import typer

from ketav_client import Ketav
from ketav_client.generated.models import (
    LineCorrection,
    SubmitCorrectionsRequest,
    SubmitCorrectionsResponse,
)
from ketav_command.connect import connected
from ketav_command.output import ExitStatus, progress_bar, say
from ketav_command.upload_folder import UploadFolder, UploadFolderError, WrittenPage, sha256


def correct(
    folder: Annotated[Path, typer.Argument(help="Folder that `ketav ocr --out` has written.")],
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm texts that look wrong: they train, too.")
    ] = False,
) -> None:
    """Send the texts that you edited: one line of the page in each line of its file."""
    opened = UploadFolder.open(folder)
    if not opened.project_id:
        raise UploadFolderError(f"{folder} has no pages. Read them with `ketav ocr … --out {folder}`.")
    pages = opened.edited()
    incomplete = 0
    with connected() as client, progress_bar() as progress:
        for page in progress.track(pages, description="correcting"):
            text = (folder / page.name).read_bytes()
            response = _send(client, opened, page, text.decode("utf-8-sig"), confirm=confirm)
            incomplete += _report(page, response, confirm=confirm)
            if not _is_incomplete(response, confirm=confirm):
                page.sha256 = sha256(text)
                opened.save()
    say(f"{len(pages)} edited pages are sent, {incomplete} of them need another look.")
    raise typer.Exit(ExitStatus.REFUSED if incomplete else ExitStatus.DONE)


def _send(
    client: Ketav, folder: UploadFolder, page: WrittenPage, text: str, *, confirm: bool
) -> SubmitCorrectionsResponse:
    """Send the text of a page; with `confirm` send its quarantined lines again as confirmed."""
    project_id, image_id = folder.project_id, page.image_id
    body = SubmitCorrectionsRequest(project_id, image_id, corrected_text=text)
    response = client.save_feedback(body=body)
    if confirm and response.quarantined:
        listed = {line.line_id for line in response.quarantined}
        transcription = client.get_image(project_id, image_id).transcription
        lines = [
            LineCorrection(line.line_id, line.corrected_text, confirm=True)
            for line in (transcription.lines if transcription else [])
            if line.line_id in listed and isinstance(line.corrected_text, str)
        ]
        client.save_feedback(body=SubmitCorrectionsRequest(project_id, image_id, lines=lines))
    return response


def _is_incomplete(response: SubmitCorrectionsResponse, *, confirm: bool) -> bool:
    """Return whether a part of the text was not stored, or is stored and does not train."""
    return bool(response.unaligned or response.refused or (response.quarantined and not confirm))


def _report(page: WrittenPage, response: SubmitCorrectionsResponse, *, confirm: bool) -> bool:
    """Print why lines of a page do not train; return whether there are any."""
    for unaligned in response.unaligned:
        say(f"{page.name}: {unaligned.text or unaligned.line_id}: {unaligned.reason}")
    for refused in response.refused:
        say(f"{page.name}, line {refused.line}: {refused.detail}")
    for line in [] if confirm else response.quarantined:
        say(f"{page.name}, line {line.line_id}: {line.reason} Repeat with --confirm if it is right.")
    return _is_incomplete(response, confirm=confirm)
