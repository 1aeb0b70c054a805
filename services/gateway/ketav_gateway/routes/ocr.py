"""POST /ocr/ and reading a stored image again."""

from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from ketav.registry.v1 import pages_pb2
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_common.text import clean
from ketav_gateway import convert, schemas, uploads, usecases
from ketav_gateway.idempotency import RequestKey, fingerprint, request_key
from ketav_gateway.parts import Gateway, Parts
from ketav_gateway.problems import responses
from ketav_gateway.routes.common import ImageId, ProjectId, User, spend_reading

router = APIRouter(tags=["ocr"], dependencies=[Depends(spend_reading)])

_Model = Annotated[
    str | None,
    Query(
        description="Version to read it with, yours or a base; the one that serves when absent.",
        pattern=schemas.VERSION_PATTERN,
    ),
]
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "JPEG, PNG, TIFF or WebP; 25 MiB, 50 megapixels at most.",
                        },
                        **schemas.OcrForm.model_json_schema()["properties"],
                    },
                }
            }
        },
    }
}


def _form(upload: uploads.Upload) -> schemas.OcrForm:
    """Check the fields beside the file."""
    form = uploads.form(schemas.OcrForm, upload)
    if form.name is not None:
        form = form.model_copy(
            update={"name": clean(form.name, max_length=MAX_NAME_CODE_POINTS, what="name") or None}
        )
    return form


def _wants_async(request: Request) -> bool:
    """Say whether the client prefers not to wait (RFC 7240, section 4.1)."""
    preferences = ",".join(request.headers.getlist("prefer")).lower().split(",")
    return any(preference.partition(";")[0].strip() == "respond-async" for preference in preferences)


async def _store(
    request: Request, gateway: Parts, user_id: str, key: str, folder: Path
) -> tuple[pages_pb2.CreatePageResponse, Path]:
    """Receive, check and store an upload."""
    with gateway.uploads.taken(user_id):
        upload = await uploads.receive(
            request,
            folder / "upload",
            file_field="file",
            fields=frozenset(schemas.OcrForm.model_fields),
            max_file=gateway.settings.max_upload_bytes,
        )
        form = _form(upload)
        image = await gateway.images.normalise(upload.path, folder / "image")
        content = form.model_dump() | {"file": upload.sha256.hex()}
        created = await usecases.store_image(
            gateway.registry, image, form, key, fingerprint(request, content)
        )
    return created, image.path


@router.post(
    "/ocr/",
    status_code=201,
    response_model=schemas.OcrAnswer,
    responses=responses(
        404,
        409,
        413,
        415,
        422,
        more={202: {"model": schemas.StoredAnswer, "description": "Stored; being read."}},
    ),
    openapi_extra=_FORM,
)
async def run_ocr(
    request: Request,
    response: Response,
    gateway: Gateway,
    user_id: User,
    key: RequestKey,
    prefer: Annotated[str | None, Header(description="respond-async: answer before the reading.")] = None,
) -> schemas.OcrAnswer | schemas.StoredAnswer | Response:
    """Store an image and read it. With `Prefer: respond-async` the reading goes on after the answer."""
    waits = prefer is None or not _wants_async(request)
    if not waits:
        gateway.readings.check_room()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=gateway.settings.spool_dir)))
        created, path = await _store(request, gateway, user_id, key, folder)
        page = created.page
        location = f"/projects/{page.project_id}/images/{page.page_id}"
        response.headers["Location"] = location
        if page.HasField("transcription"):
            return convert.ocr(page, page.transcription)
        if waits:
            read = await usecases.read_page(gateway.registry, gateway.recognizer, page, created.model, path)
            return convert.ocr(page, read)
        gateway.readings.start(_read_later(gateway, created, path, stack.pop_all()))
    return Response(
        convert.stored(page).model_dump_json(),
        status_code=202,
        media_type="application/json",
        headers={"Location": location, "Preference-Applied": "respond-async"},
    )


async def _read_later(
    gateway: Parts, created: pages_pb2.CreatePageResponse, path: Path, files: AsyncExitStack
) -> None:
    """Read a stored page after its answer; the files are removed at the end."""
    async with files:
        await usecases.read_patiently(gateway.registry, gateway.recognizer, created.page, created.model, path)


@router.post(
    "/projects/{project_id}/images/{image_id}/ocr",
    status_code=201,
    responses=responses(404, 409, 422),
    dependencies=[Depends(request_key)],
)
async def read_again(
    gateway: Gateway, project_id: ProjectId, image_id: ImageId, model: _Model = None
) -> schemas.OcrAnswer:
    """Read a stored image again: after an outage, or with a newer or another model."""
    page = (project_id, image_id)
    with TemporaryDirectory(dir=gateway.settings.spool_dir) as folder:
        return await usecases.read_again(
            gateway.registry, gateway.recognizer, page, model or "", Path(folder)
        )
