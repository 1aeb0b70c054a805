"""POST /projects/{project_id}/ground-truth."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from ketav.registry.v1 import projects_pb2
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_common.text import clean
from ketav_gateway.ground_truth import schemas
from ketav_gateway.ground_truth.archives import ArchiveLimits, open_archive
from ketav_gateway.ground_truth.convert import ImportRequest
from ketav_gateway.ground_truth.importing import Import
from ketav_gateway.ground_truth.pairing import Names
from ketav_gateway.http import uploads
from ketav_gateway.http.dependencies import Components, Gateway, ProjectId, UserId, count_compute_request
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.problem_codes import FORM, IDEMPOTENT, TEXT
from ketav_gateway.http.problems import problem, responses
from ketav_gateway.http.validation import naming_field
from ketav_gateway.services import Services, stream

router = APIRouter(prefix="/projects", tags=["ground_truth"], dependencies=[Depends(count_compute_request)])

_ARCHIVE = (
    "A zip of line images with a .gt.txt file of the same name each, or of page images with their ALTO 4 or "
    "PAGE XML; at most 256 MiB."
)

_NO_USABLE_FILE = (
    "The archive has no file that can be imported. Correct the files as their reasons in `files` say."
)
_NO_FILE = "The archive has no file. Add images with their texts."


@router.post(
    "/{project_id}/ground-truth",
    status_code=201,
    response_model=schemas.ImportGroundTruthResponse,
    responses=responses(
        *FORM,
        *IDEMPOTENT,
        *TEXT,
        "not-found",
        "insufficient-role",
        "hand-mismatch",
        "damaged-archive",
        "unsupported-archive",
        "archive-too-large",
        "too-many-entries",
        "nothing-to-import",
    ),
    openapi_extra=uploads.form_description(schemas.ImportForm, "ground-truth.zip", _ARCHIVE),
    summary="Import an archive of images with known texts",
)
async def import_ground_truth(
    request: Request, gateway: Gateway, user_id: UserId, key: IdempotencyKey, project_id: ProjectId
) -> schemas.ImportGroundTruthResponse | JSONResponse:
    """Import lines with known texts: they count as corrected and train.

    The same archive sent again adds nothing. 422 `nothing-to-import` when no file could be imported; its
    `files` have the reasons.
    """
    project = await _require_project(gateway.services, project_id)
    gateway.imports.check(user_id)
    with (
        gateway.spool.counting(user_id) as spooled,
        TemporaryDirectory(dir=gateway.settings.spool_dir) as folder,
    ):
        upload = await uploads.receive(
            request,
            Path(folder) / "upload",
            spooled,
            form=schemas.ImportForm,
            max_file_bytes=gateway.settings.max_import_bytes,
        )
        with gateway.imports.acquire(user_id):
            response = await _import(request, gateway, key, project, upload)
    if response.imported_lines or response.unchanged_lines:
        return response
    files = [file.model_dump(include={"name", "code", "reason"}) for file in response.files]
    return problem(422, "nothing-to-import", _NO_USABLE_FILE if files else _NO_FILE, {"files": files})


async def _require_project(services: Services, project_id: str) -> projects_pb2.Project:
    """Return a project of the caller, before the archive is received; raises NotFound."""
    request = projects_pb2.GetProjectRequest(project_id=project_id, limit=1, without_transcriptions=True)
    project = projects_pb2.Project()
    async for part in stream(services.projects.GetProject, request, services.deadlines.store_s):
        if part.HasField("project"):
            project = part.project
    return project


def _checked_hand(project: projects_pb2.Project, name: str | None) -> str:
    """Return the hand that a form names; raises InvalidInput hand-mismatch if the project has another."""
    with naming_field("hand"):
        hand = clean(name or "", max_length=MAX_NAME_CODE_POINTS, what="name of the hand")
        if hand and hand != project.hand:
            owner = f"the hand {project.hand!r}" if project.hand else "your own hand"
            raise InvalidInput(
                f"The project belongs to {owner}, not to {hand!r}. Send the pages to a project of that hand, "
                "or leave the field out.",
                code="hand-mismatch",
            )
    return hand


async def _import(
    request: Request, gateway: Components, key: str, project: projects_pb2.Project, upload: uploads.Upload
) -> schemas.ImportGroundTruthResponse:
    """Import the files of a received archive."""
    settings = gateway.settings
    form = uploads.validated(schemas.ImportForm, upload)
    hand = _checked_hand(project, form.hand)
    # Keys that were sent before the field existed stay valid: its default is left out.
    content = form.model_dump(exclude={"hand"} if form.hand is None else set())
    sha256 = fingerprint(request, content | {"file": upload.sha256.hex()})
    limits = ArchiveLimits(settings.max_import_entries, settings.max_import_inflated_bytes)
    deadline = time.monotonic() + settings.import_timeout_s
    with uploads.naming_file(), ExitStack() as stack:
        archive = await asyncio.to_thread(stack.enter_context, open_archive(upload.path, limits))
        return await Import(
            archive=archive,
            names=Names(archive.names),
            services=gateway.services,
            images=gateway.images,
            request=ImportRequest(project.project_id, form.confirm == "true", key, sha256, hand),
            folder=upload.path.parent,
            max_image_bytes=settings.max_upload_bytes,
            deadline=deadline,
        ).run()
