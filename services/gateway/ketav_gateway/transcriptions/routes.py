"""POST /ocr/, and reading a stored image again."""

from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from ketav.registry.v1 import pages_pb2
from ketav_common.limits import MAX_NAME_CODE_POINTS
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
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint, idempotency_key
from ketav_gateway.http.problem_codes import FORM, HAND, IDEMPOTENT, IMAGE, READING, TEXT
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.http.validation import naming_field
from ketav_gateway.schemas import VERSION_PATTERN
from ketav_gateway.transcriptions import convert, schemas, usecases

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
_ACCEPTED: Responses = {
    202: {
        "model": schemas.OcrAcceptedResponse,
        "description": "With `Prefer: respond-async`: the image is stored and will be read.",
        "links": {"image": _IMAGE_LINK},
    }
}


@router.post(
    "/ocr/",
    status_code=201,
    response_model=schemas.OcrResponse,
    responses=responses(*FORM, *IMAGE, *TEXT, *READING, *IDEMPOTENT, *HAND, more=_OCR_LINKS | _ACCEPTED),
    openapi_extra=uploads.form_description(
        schemas.OcrForm, "page.jpg", "Image: JPEG, PNG, TIFF or WebP of at most 25 MiB and 50 megapixels."
    ),
    summary="Read a new image",
)
async def run_ocr(
    request: Request,
    response: Response,
    gateway: Gateway,
    user_id: UserId,
    key: IdempotencyKey,
    prefer: Annotated[
        str | None,
        Header(alias="Prefer", description="`respond-async`: respond with 202 before the page is read."),
    ] = None,
) -> schemas.OcrResponse | Response:
    """Store an image as a page of a project and read it.

    Without `project_id` a new project is created. If the recognition fails, the page is kept: the problem
    names it, and `POST /projects/{project_id}/images/{image_id}/ocr` reads it again.
    """
    in_background = prefer is not None and _prefers_async(request)
    if in_background:
        gateway.background.check_capacity()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=gateway.settings.spool_dir)))
        image = folder / "image"
        created = await _store(request, gateway, user_id, key, image)
        page = created.page
        location = f"/projects/{page.project_id}/images/{page.page_id}"
        response.headers["Location"] = location
        if page.HasField("transcription"):
            return convert.ocr_response(page, page.transcription)
        if not in_background:
            transcription = await usecases.read_page(gateway.services, page, created.model, image)
            return convert.ocr_response(page, transcription)
        gateway.background.start(_read_in_background(gateway, created, image, stack.pop_all()))
    return Response(
        convert.ocr_accepted_response(page).model_dump_json(),
        status_code=202,
        media_type="application/json",
        headers={"Location": location, "Preference-Applied": "respond-async"},
    )


def _prefers_async(request: Request) -> bool:
    """Return whether the client prefers not to wait (RFC 7240, section 4.1)."""
    preferences = ",".join(request.headers.getlist("prefer")).lower().split(",")
    return any(preference.partition(";")[0].strip() == "respond-async" for preference in preferences)


async def _store(
    request: Request, gateway: Components, user_id: str, key: str, image: Path
) -> pages_pb2.CreatePageResponse:
    """Receive, check, normalise and store an upload; `image` gets the normalised image."""
    with gateway.uploads.acquire(user_id):
        upload = await uploads.receive(
            request,
            image.with_name("upload"),
            form=schemas.OcrForm,
            max_file_bytes=gateway.settings.max_upload_bytes,
        )
        form = _form(upload)
        with uploads.naming_file():
            normalised = await gateway.images.normalise(upload.path, image)
        sha256 = fingerprint(request, form.model_dump() | {"file": upload.sha256.hex()})
        header = convert.create_page_header(form, normalised, key, sha256)
        return await usecases.create_page(gateway.services, header, normalised.path)


def _form(upload: uploads.Upload) -> schemas.OcrForm:
    """Return the validated fields, the names in stored form."""
    form = uploads.validated(schemas.OcrForm, upload)
    names = {field: value for field in ("name", "hand") if (value := getattr(form, field)) is not None}
    for field, value in names.items():
        with naming_field(field):
            names[field] = clean(value, max_length=MAX_NAME_CODE_POINTS, what="name") or None
    return form.model_copy(update=names)


async def _read_in_background(
    gateway: Components, created: pages_pb2.CreatePageResponse, image: Path, files: AsyncExitStack
) -> None:
    """Read a stored page after its response; removes the files at the end."""
    async with files:
        await usecases.read_in_background(gateway.services, created.page, created.model, image)


@router.post(
    "/projects/{project_id}/images/{image_id}/ocr",
    status_code=201,
    responses=responses(*READING, "invalid-input", "malformed-idempotency-key", more=_OCR_LINKS),
    dependencies=[Depends(idempotency_key)],
    summary="Read a stored image again",
)
async def read_again(
    gateway: Gateway,
    project_id: ProjectId,
    image_id: ImageId,
    model: Annotated[
        str | None,
        Query(
            description="Model version to read with, one of yours or a base model; without it your active "
            "model.",
            pattern=VERSION_PATTERN,
        ),
    ] = None,
) -> schemas.OcrResponse:
    """Read a stored image again: after a failure, or with a newer or another model."""
    with TemporaryDirectory(dir=gateway.settings.spool_dir) as folder:
        return await usecases.read_again(gateway.services, project_id, image_id, model or "", Path(folder))
