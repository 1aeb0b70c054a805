"""POST /ocr/, and reading a stored image again."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from ketav.registry.v1 import pages_pb2
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_DOCUMENT_PAGES, MAX_JOB_PAGES, MAX_NAME_CODE_POINTS
from ketav_common.text import clean
from ketav_gateway.http import uploads
from ketav_gateway.http.dependencies import (
    Components,
    Gateway,
    ImageId,
    ProjectId,
    UserId,
    count_compute_request,
)
from ketav_gateway.http.idempotency import IdempotencyKey, RequestKey, fingerprint
from ketav_gateway.http.preferences import Preferences, prefers_async
from ketav_gateway.http.problem_codes import DOCUMENT, FORM, HAND, IDEMPOTENT, IMAGE, READING, TEXT
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.http.spool import SpooledBytes
from ketav_gateway.http.validation import naming_field
from ketav_gateway.jobs import usecases as jobs
from ketav_gateway.jobs.convert import job as job_response
from ketav_gateway.jobs.routes import JOB_LINKS, accepted
from ketav_gateway.jobs.schemas import Job
from ketav_gateway.schemas import VERSION_PATTERN
from ketav_gateway.services import download_image
from ketav_gateway.transcriptions import convert, schemas, usecases
from ketav_gateway.transcriptions.documents import Document, DocumentRequest

router = APIRouter(tags=["transcriptions"], dependencies=[Depends(count_compute_request)])

_IDS = {"project_id": "$response.body#/project_id", "image_id": "$response.body#/image_id"}
_IMAGE_LINK = {"operationId": "get_image", "description": "The stored image.", "parameters": _IDS}
_OCR_LINKS: Responses = {
    201: {
        "links": {
            "feedback": {
                "operationId": "save_feedback",
                "description": "Corrections of the lines.",
                "requestBody": {**_IDS, "corrected_text": "$response.body#/text"},
            },
            "image": _IMAGE_LINK,
            "export": {
                "operationId": "export",
                "description": "The text in another format.",
                "parameters": _IDS,
            },
        }
    }
}
_REREAD_ACCEPTED: Responses = {
    202: {
        "model": Job,
        "description": "With `Prefer: respond-async`: a job will read the image. `Location` and `Link` with "
        'rel="status" have the address of the image; `Retry-After` has the seconds until it is worth asking.',
        "links": {**JOB_LINKS},
    }
}
_ACCEPTED: Responses = {
    202: {
        "model": schemas.OcrAcceptedResponse | Job,
        "description": "With `Prefer: respond-async`: the file is stored and a job will read it. `Location` "
        'and `Link` with rel="status" have the address of the page, for a document that of the job; '
        "`Retry-After` has the seconds until it is worth asking.",
        "links": {"image": _IMAGE_LINK, **JOB_LINKS},
    }
}


@router.post(
    "/ocr/",
    status_code=201,
    response_model=schemas.OcrResponse | schemas.OcrDocumentResponse,
    responses=responses(
        *FORM,
        *IMAGE,
        *DOCUMENT,
        *TEXT,
        *READING,
        *IDEMPOTENT,
        *HAND,
        "too-many-waiting-pages",
        more=_OCR_LINKS | _ACCEPTED,
    ),
    openapi_extra=uploads.form_description(
        schemas.OcrForm,
        "page.jpg",
        "JPEG, PNG, TIFF (also BigTIFF), WebP, HEIC or PDF of at most 25 MiB and 20 pages of at most 50 "
        "megapixels; with `Prefer: respond-async` of at most 300 pages.",
    ),
    summary="Read a new image",
)
async def run_ocr(
    request: Request,
    response: Response,
    gateway: Gateway,
    user_id: UserId,
    key: IdempotencyKey,
    prefer: Preferences = None,
) -> schemas.OcrResponse | schemas.OcrDocumentResponse | Response:
    """Store an image as a page of a project and read it; a PDF or TIFF of several pages as several.

    Without `project_id` a new project is created. If the recognition fails, the page is kept: the problem
    names it, and `POST /projects/{project_id}/images/{image_id}/ocr` reads it again. A document of up to 20
    pages is answered with the state of each page; the failure of a page is its own. With
    `Prefer: respond-async` a job reads the image, or the document of up to 300 pages.
    """
    in_background = prefer is not None and prefers_async(request)
    gateway.uploads.check(user_id)
    with (
        gateway.spool.counting(user_id) as spooled,
        TemporaryDirectory(dir=gateway.settings.spool_dir) as name,
    ):
        folder = Path(name)
        received = await _receive(request, gateway, key, folder, spooled)
        with gateway.uploads.acquire(user_id):
            count = await _count_pages(gateway, received.path, in_background=in_background)
            if count > 1 and in_background:
                return await _start_job(gateway, received, count)
            if count > 1:
                document = Document(received, gateway.services, gateway.images, folder)
                await gateway.rates.count_more("reading", user_id, count - 1)
                await document.store(count)
            else:
                created = await _store(gateway, received, folder / "image")
        if count > 1:
            await document.read()
            response.headers["Location"] = f"/projects/{document.project_id}"
            return document.response()
        page = created.page
        location = f"/projects/{page.project_id}/images/{page.page_id}"
        response.headers["Location"] = location
        if page.HasField("transcription"):
            return convert.ocr_response(page, page.transcription)
        if in_background:
            header = convert.page_job_header(received.form, page, key, received.sha256)
            with usecases.naming_stored_page(page):
                job = await jobs.create_job(gateway.services, header)
            return accepted(convert.ocr_accepted_response(page, job.job_id), location, job.job_id)
        images, once = received.turning(gateway.images), RequestKey(key, received.sha256)
        transcription = await usecases.read_page(
            gateway.services, page, created.model, folder / "image", images, once
        )
        return convert.ocr_response(page, transcription)


async def _start_job(gateway: Components, received: DocumentRequest, count: int) -> Response:
    """Start the job that stores and reads the pages of a document."""
    header = convert.document_job_header(
        received.form, count, received.size_bytes, received.key, received.sha256
    )
    job = job_response(await jobs.create_job(gateway.services, header, received.path))
    return accepted(job, f"/jobs/{job.job_id}", job.job_id)


async def _receive(
    request: Request, gateway: Components, key: str, folder: Path, spooled: SpooledBytes
) -> DocumentRequest:
    """Receive an upload with its form."""
    upload = await uploads.receive(
        request,
        folder / "upload",
        spooled,
        form=schemas.OcrForm,
        max_file_bytes=gateway.settings.max_upload_bytes,
    )
    form = _form(upload)
    # Keys that were sent before a field existed stay valid: its default is left out.
    later = {"rotate": "auto", "hand": None}
    content = form.model_dump(exclude={name for name in later if getattr(form, name) == later[name]})
    sha256 = fingerprint(request, content | {"file": upload.sha256.hex()})
    deadline_s = asyncio.get_running_loop().time() + gateway.settings.document_timeout_s
    return DocumentRequest(upload.path, upload.size_bytes, form, key, sha256, deadline_s)


async def _count_pages(gateway: Components, path: Path, *, in_background: bool) -> int:
    """Return the number of pages of an upload; raises InvalidInput for more than one request may read."""
    with uploads.naming_file():
        count = await gateway.images.count_pages(path)
        if count > MAX_JOB_PAGES:
            raise InvalidInput(
                f"The file has more than {MAX_JOB_PAGES} pages. Divide it into files of at most "
                f"{MAX_JOB_PAGES} pages.",
                code="too-many-pages",
            )
        if count > MAX_DOCUMENT_PAGES and not in_background:
            raise InvalidInput(
                f"The file has more than {MAX_DOCUMENT_PAGES} pages. Send it with the header Prefer: "
                f"respond-async, which reads up to {MAX_JOB_PAGES} pages in the background, or divide it.",
                code="too-many-pages",
            )
    return count


async def _store(gateway: Components, received: DocumentRequest, image: Path) -> pages_pb2.CreatePageResponse:
    """Check, normalise and store an upload of one page; `image` gets the normalised image."""
    form = received.form
    with uploads.naming_file():
        normalised = await gateway.images.normalise(received.path, image, turn=convert.turn(form))
    header = convert.create_page_header(form, normalised, received.key, received.sha256)
    created = await usecases.create_page(gateway.services, header, normalised.path)
    page = created.page
    if list(page.image.normalised) != list(normalised.normalised) and not page.HasField("transcription"):
        # An earlier request with this key has turned the stored image, and did not record its reading.
        await download_image(gateway.services, page.project_id, page.page_id, image)
    return created


def _form(upload: uploads.Upload) -> schemas.OcrForm:
    """Return the validated fields, the names in stored form."""
    form = uploads.validated(schemas.OcrForm, upload)
    names = {field: value for field in ("name", "hand") if (value := getattr(form, field)) is not None}
    for field, value in names.items():
        with naming_field(field):
            names[field] = clean(value, max_length=MAX_NAME_CODE_POINTS, what="name") or None
    return form.model_copy(update=names)


@router.post(
    "/projects/{project_id}/images/{image_id}/ocr",
    status_code=201,
    response_model=schemas.OcrResponse,
    responses=responses(
        *READING,
        "invalid-input",
        *IDEMPOTENT,
        "invalid-job",
        "too-many-waiting-pages",
        more=_OCR_LINKS | _REREAD_ACCEPTED,
    ),
    summary="Read a stored image again",
)
async def read_again(
    request: Request,
    gateway: Gateway,
    project_id: ProjectId,
    image_id: ImageId,
    key: IdempotencyKey,
    model: Annotated[
        str | None,
        Query(
            description="Model version to read with, one of yours or a base model; without it your active "
            "model.",
            pattern=VERSION_PATTERN,
        ),
    ] = None,
    prefer: Preferences = None,
) -> schemas.OcrResponse | Response:
    """Read a stored image again: after a failure, or with a newer or another model.

    With `Prefer: respond-async` a job reads it.
    """
    sha256 = fingerprint(request, {"model": model})
    if prefer is not None and prefers_async(request):
        header = convert.rereading_job_header(project_id, image_id, model or "", RequestKey(key, sha256))
        job = job_response(await jobs.create_job(gateway.services, header))
        return accepted(job, f"/projects/{project_id}/images/{image_id}", job.job_id)
    again = usecases.Rereading(project_id, image_id, model or "", RequestKey(key, sha256))
    with TemporaryDirectory(dir=gateway.settings.spool_dir) as folder:
        return await usecases.read_again(gateway.services, again, Path(folder), gateway.images)
