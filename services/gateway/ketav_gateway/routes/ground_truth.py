"""POST /projects/{project_id}/ground-truth."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from ketav_gateway import convert_import, imports, schemas_import, uploads
from ketav_gateway.archives import Bounds, opened
from ketav_gateway.idempotency import RequestKey, fingerprint
from ketav_gateway.pairing import Names
from ketav_gateway.parts import Gateway, Parts
from ketav_gateway.problems import problem, responses
from ketav_gateway.routes.common import ProjectId, User, spend_reading

router = APIRouter(prefix="/projects", tags=["feedback"], dependencies=[Depends(spend_reading)])


@router.post(
    "/{project_id}/ground-truth",
    status_code=201,
    response_model=schemas_import.ImportAnswer,
    responses=responses(404, 409, 413, 415, 422),
    openapi_extra=schemas_import.FORM,
)
async def import_ground_truth(
    request: Request, gateway: Gateway, user_id: User, key: RequestKey, project_id: ProjectId
) -> schemas_import.ImportAnswer | JSONResponse:
    """Import lines whose texts are known: they count as corrected and are trained on.

    Sent again, the same archive adds nothing. 422 `nothing-to-import` when no file could be used; its
    `files` say why.
    """
    await gateway.registry.require_project(project_id)
    with gateway.imports.taken(user_id), TemporaryDirectory(dir=gateway.settings.spool_dir) as folder:
        answer = await _import(request, gateway, key, project_id, Path(folder))
    if answer.imported_lines or answer.unchanged_lines:
        return answer
    files = [file.model_dump(include={"name", "code", "reason"}) for file in answer.files]
    return problem(422, "nothing-to-import", "No file of the archive could be imported.", {"files": files})


async def _import(
    request: Request, gateway: Parts, key: str, project_id: str, folder: Path
) -> schemas_import.ImportAnswer:
    """Receive an archive and import what is in it."""
    settings = gateway.settings
    upload = await uploads.receive(
        request,
        folder / "upload",
        file_field="file",
        fields=frozenset(schemas_import.ImportForm.model_fields),
        max_file=settings.max_import_bytes,
    )
    form = uploads.form(schemas_import.ImportForm, upload)
    content = form.model_dump() | {"file": upload.sha256.hex()}
    wanted = convert_import.Request(project_id, form.confirm == "true", key, fingerprint(request, content))
    bounds = Bounds(settings.max_import_entries, settings.max_import_inflated_bytes)
    deadline = time.monotonic() + settings.import_timeout_s
    with ExitStack() as stack:
        archive = await asyncio.to_thread(stack.enter_context, opened(upload.path, bounds))
        return await imports.Import(
            archive=archive,
            names=Names(archive.names),
            registry=gateway.registry,
            images=gateway.images,
            request=wanted,
            folder=folder,
            max_image_bytes=settings.max_upload_bytes,
            deadline=deadline,
        ).run()
