"""`ketav ocr`: read images into a folder of texts, resumable."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from ketav_client import AsyncKetav, KetavError, ProblemError, Reading
from ketav_client.client import ACTIVE_JOB_STATES
from ketav_client.generated.models import ExportFormat, Job, NewProject
from ketav_client.generated.types import UNSET
from ketav_client.readings import ReadingOptions
from ketav_command.choices import Format, Layout, Script, suffix
from ketav_command.connect import connected_async
from ketav_command.output import ExitStatus, progress_bar, say
from ketav_command.read_again import read_failed_pages
from ketav_command.upload_folder import ReadFile, UploadFolder, UploadFolderError, WrittenPage, sha256

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".pdf"})
KEY_CHARACTERS = 48
READING = "reading"


@dataclass
class Batch:
    """Files to read into a folder with the same options."""

    client: AsyncKetav
    folder: UploadFolder
    options: ReadingOptions
    formats: list[Format]
    progress: Progress
    task: TaskID
    failed: int = 0
    error: KetavError | None = None
    """Why no further file is read."""


def ocr(
    paths: Annotated[list[Path], typer.Argument(help="Images, PDFs, or folders with them.")],
    out: Annotated[Path, typer.Option(help="Folder for the texts and the state of the upload.")],
    project: Annotated[str | None, typer.Option(help="Id of the project that gets the pages.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of a new project; without it that of --out.")] = None,
    script: Annotated[Script | None, typer.Option(help="Script of a new project.")] = None,
    hand: Annotated[str | None, typer.Option(help="Whose handwriting the new project is.")] = None,
    layout: Annotated[Layout, typer.Option(help="Whether an image shows a page or a line.")] = Layout.PAGE,
    formats: Annotated[list[Format] | None, typer.Option("--format", help="Also write this format.")] = None,
    parallel: Annotated[int, typer.Option(min=1, max=16, help="Images that are read at a time.")] = 2,
) -> None:
    """Read images; run the command again to continue after an interruption."""
    files = image_files(paths)
    folder = UploadFolder.open(out)
    if project and folder.project_id and project != folder.project_id:
        raise UploadFolderError(
            f"{out} has pages of the project {folder.project_id}. Choose another folder for {project}."
        )
    folder.project_id = folder.project_id or project or ""
    options = ReadingOptions(layout=layout.value)
    written = [Format.TXT, *(format_ for format_ in formats or [] if format_ is not Format.TXT)]
    new = NewProject(name or out.resolve().name, script.value if script else UNSET, hand or UNSET)
    status = asyncio.run(_read(files, folder, new, options, written, parallel))
    raise typer.Exit(status)


def image_files(paths: list[Path]) -> dict[str, Path]:
    """Return the files by the name of their text; a folder has those with the suffix of an image.

    Raises UploadFolderError for a missing path, an empty folder and two files with one name.
    """
    files: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise UploadFolderError(f"{path} does not exist. Check the path.")
        listed = (
            sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
            if path.is_dir()
            else [path]
        )
        if not listed:
            raise UploadFolderError(
                f"{path} has no images. Name a folder with JPEG, PNG, TIFF, WebP, HEIC or PDF."
            )
        for file in listed:
            if file.stem in files and files[file.stem] != file:
                raise UploadFolderError(
                    f"{files[file.stem]} and {file} would both write {file.stem}.txt. Rename one of them, or "
                    "read them into two folders."
                )
            files[file.stem] = file
    return files


async def _read(
    files: dict[str, Path],
    folder: UploadFolder,
    new: NewProject,
    options: ReadingOptions,
    formats: list[Format],
    parallel: int,
) -> ExitStatus:
    """Read the files that were not read yet; return the exit status."""
    async with connected_async() as client:
        if not folder.project_id:
            folder.project_id = await _create_project(client, new)
            folder.save()
        options["project_id"] = folder.project_id
        with progress_bar() as progress:
            task = progress.add_task(READING, total=len(files))
            batch = Batch(client, folder, options, formats, progress, task)
            queue = iter(list(files.items()))

            async def work() -> None:
                """Read one file after the other."""
                for name, path in queue:
                    if batch.error:
                        return
                    await _read_file(batch, name, path)
                    progress.advance(task)

            try:
                await asyncio.gather(*(work() for _ in range(parallel)))
            except asyncio.CancelledError:
                say(f"Interrupted. {len(folder.files)} files are read; run the command again to continue.")
                return ExitStatus.INTERRUPTED
    if batch.error:
        raise batch.error
    say(f"{len(folder.files)} files are read, {batch.failed} failed. Project {folder.project_id}.")
    return ExitStatus.REFUSED if batch.failed else ExitStatus.DONE


async def _create_project(client: AsyncKetav, new: NewProject) -> str:
    """Create a project and return its id; a name that another project has is refused with the options."""
    try:
        return (await client.create_project(body=new)).project_id
    except ProblemError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        raise UploadFolderError(f"{error} Name it with --project, or choose a name with --name.") from None


async def _read_file(batch: Batch, name: str, path: Path) -> None:
    """Read a file and write its texts; a refused file is reported, and the next one is read."""
    data = await asyncio.to_thread(path.read_bytes)
    digest = sha256(data)
    if batch.folder.has(name, digest):
        return
    key = sha256(f"{digest} {sorted(batch.options.items())}".encode())[:KEY_CHARACTERS]
    try:
        reading = await batch.client.read(
            path, idempotency_key=key, on_change=lambda job: _describe(batch, path, job), **batch.options
        )
        if name in batch.folder.files:  # an earlier command has read a part of this document
            reading = await read_failed_pages(batch.client, reading)
        pages = await _write(batch, name, reading)
    except ProblemError as error:
        batch.failed += 1
        say(f"{path}: {error}")
        if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            batch.error = error
        return
    except KetavError as error:
        batch.error = error
        return
    failures = [page for page in reading.pages if page.error]
    for page in failures:
        say(f"{path}: {page.error}")
    batch.failed += bool(failures)
    batch.folder.files[name] = ReadFile(digest if not failures else "", pages)
    batch.folder.save()


def _describe(batch: Batch, path: Path, job: Job) -> None:
    """Show how many pages of a document are read."""
    done = f"{path.name}: {job.pages_read} of {job.page_count} pages"
    batch.progress.update(batch.task, description=done if job.state in ACTIVE_JOB_STATES else READING)


async def _write(batch: Batch, name: str, reading: Reading) -> list[WrittenPage]:
    """Write the text of each page that was read, in all formats; a text that the user has edited stays."""
    written = []
    edited = {page.name for page in batch.folder.edited()}
    for position, page in enumerate(reading.pages, start=1):
        if page.image_id is None or page.text is None:
            continue
        stem = name if len(reading.pages) == 1 else f"{name}-{position:03}"
        for format_ in batch.formats:
            exported = page.text.encode()
            value: ExportFormat = format_.value
            if format_ is not Format.TXT:
                exported = await batch.client.export(reading.project_id, page.image_id, format_=value)
            path = batch.folder.path / f"{stem}{suffix(format_)}"
            if format_ is Format.TXT:
                written.append(WrittenPage(page.image_id, path.name, sha256(exported)))
                if path.name in edited:
                    say(f"{path}: not written again, because you have edited it. Send it with ketav correct.")
                    continue
            path.write_bytes(exported)
    return written
