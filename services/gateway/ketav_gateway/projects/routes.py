"""The caller's projects: created, listed, shown with their images, changed and deleted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from ketav.registry.v1 import projects_pb2
from ketav_common.errors import Unavailable
from ketav_gateway.erasure.convert import erasure
from ketav_gateway.erasure.schemas import Erasure
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Cursor, Gateway, ListLimit, ProjectId, UserId
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.preferences import Preferences, prefers_async
from ketav_gateway.http.problem_codes import IDEMPOTENT, JSON_BODY, LIST, TEXT
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.jobs.convert import job as job_response
from ketav_gateway.jobs.routes import JOB_LINKS, accepted
from ketav_gateway.jobs.schemas import Job
from ketav_gateway.pages import documents, streams
from ketav_gateway.pages.convert import page
from ketav_gateway.pages.export_jobs import create_export
from ketav_gateway.pages.schemas import PAGE_EXAMPLE, Page
from ketav_gateway.projects import convert, schemas
from ketav_gateway.schemas import Id
from ketav_gateway.services import Services, call, stream

router = APIRouter(prefix="/projects", tags=["projects"])

_EXAMPLE = Page.model_validate(PAGE_EXAMPLE)
_EXPORT: Responses = {
    200: {
        "description": "The export.",
        "content": {streams.media_type(kind): {} for kind in ("pdf", "page")}
        | {streams.media_type("txt"): {"example": "שלום לכולם\n"}}
        | {media_type: {"example": text} for media_type, text in documents.example(_EXAMPLE).items()},
    },
    202: {
        "model": Job,
        "description": "With `Prefer: respond-async`: a job will write the export. `Location` and `Link` "
        "have its address; `Retry-After` has the seconds until it is worth asking.",
        "links": {**JOB_LINKS},
    },
}


@router.get("/", responses=responses(*LIST), summary="List your projects")
async def list_projects(gateway: Gateway, cursor: Cursor = "", limit: ListLimit = 20) -> schemas.ProjectList:
    """List the projects that you own or are a member of, newest first."""
    request = projects_pb2.ListProjectsRequest(cursor=cursor, limit=limit)
    response = await call(gateway.services.projects.ListProjects, request, gateway.services.deadlines.short_s)
    return schemas.ProjectList(
        projects=[convert.project(project) for project in response.projects],
        next_cursor=response.next_cursor or None,
    )


@router.post(
    "/",
    status_code=201,
    responses=responses(*JSON_BODY, *IDEMPOTENT, *TEXT, "name-taken", "hand-script"),
    openapi_extra=body_description(schemas.NewProject),
    summary="Create a project",
)
async def create_project(
    request: Request,
    response: Response,
    gateway: Gateway,
    key: IdempotencyKey,
    body: Annotated[schemas.NewProject, Depends(json_body(schemas.NewProject))],
) -> schemas.Project:
    """Create a project without images; `POST /ocr/` with its `project_id` adds some."""
    message = convert.create_project_request(body, key, fingerprint(request, body.model_dump()))
    created = await call(gateway.services.projects.CreateProject, message, gateway.services.deadlines.short_s)
    project = convert.project(created.project)
    response.headers["Location"] = f"/projects/{project.project_id}"
    return project


@router.get(
    "/{project_id}",
    response_model=schemas.ProjectWithImages,
    responses=responses(*LIST, "not-found"),
    summary="Show a project with its images",
)
async def get_project(
    gateway: Gateway,
    project_id: ProjectId,
    cursor: Cursor = "",
    limit: Annotated[int, Query(description="Maximum number of images in the response.", ge=1, le=500)] = 100,
    fields: Annotated[
        schemas.ProjectFields,
        Query(
            description="`all`: the whole images; `text`: lines without `baseline`, `boundary` and `words`; "
            "`images`: images without `transcription`."
        ),
    ] = "all",
) -> schemas.ProjectWithImages | Response:
    """Return a project with its images, their latest transcriptions and corrections."""
    request = projects_pb2.GetProjectRequest(
        project_id=project_id, cursor=cursor, limit=limit, without_transcriptions=fields == "images"
    )
    project = await _project_with_images(gateway.services, request)
    if fields == "all":
        return project
    return Response(project.model_dump_json(exclude=schemas.LEFT_OUT[fields]), media_type="application/json")


async def _project_with_images(
    services: Services, request: projects_pb2.GetProjectRequest
) -> schemas.ProjectWithImages:
    """Return a project from the registry's stream of parts."""
    project: schemas.Project | None = None
    images: list[Page] = []
    next_cursor: str | None = None
    async for message in stream(services.projects.GetProject, request, services.deadlines.store_s):
        match message.WhichOneof("part"):
            case "project":
                project = convert.project(message.project)
            case "page":
                images.append(page(message.page))
            case "next_cursor":
                next_cursor = message.next_cursor
            case None:
                pass
    if project is None:
        raise Unavailable("The registry sent a project without its record. Retry later.")
    return schemas.ProjectWithImages(**project.model_dump(), images=images, next_cursor=next_cursor)


@router.get(
    "/{project_id}/export",
    response_class=Response,
    responses=responses(
        "not-found", "invalid-input", "export-needs-job", "invalid-job", "too-many-exports", more=_EXPORT
    ),
    openapi_extra={CURL_ARGUMENTS: ["-o export"]},
    summary="Export a project",
)
async def export_project(
    request: Request,
    gateway: Gateway,
    user_id: UserId,
    project_id: ProjectId,
    export_format: Annotated[
        streams.Format,
        Query(
            alias="format",
            description="`txt`, `tei`, `pdf` (searchable), `docx`, `iiif` (a manifest): one document. "
            "`json`, `alto`, `page`, `hocr`: a zip with a file for each image. `pairs`: a zip with an image "
            "and a `.gt.txt` for each line whose text is verified.",
        ),
    ] = "txt",
    image_id: Annotated[
        list[Id], Query(description="Images to export, in this order; none: all.", max_length=100)
    ] = [],  # noqa: B006 - FastAPI copies it
    images: Annotated[bool, Query(description="Whether a zip contains the image files, too.")] = False,
    prefer: Preferences = None,
) -> Response:
    """Export a project, or some of its images, as a stream; lines are in logical order.

    A zip of ALTO or PAGE with images can be imported again. An export that fails midway ends without its
    last chunk. With `Prefer: respond-async` a job writes it, which a project of more than 300 images needs;
    `GET /jobs/{job_id}/export` has the file. An equal export that waits or is written is not made twice.
    """
    selection = streams.Selection(project_id, image_id, images)
    if prefer is not None and prefers_async(request):
        urls = streams.urls_of(request)
        job = job_response(await create_export(gateway.services, export_format, selection, urls))
        gateway.export_created.set()
        return accepted(job, f"/jobs/{job.job_id}", job.job_id)
    return await streams.response(export_format, selection, request, gateway, user_id)


@router.patch(
    "/{project_id}",
    responses=responses(*JSON_BODY, *TEXT, "not-found", "insufficient-role", "name-taken", "hand-script"),
    openapi_extra=body_description(schemas.ProjectChange),
    summary="Change a project",
)
async def update_project(
    gateway: Gateway,
    project_id: ProjectId,
    body: Annotated[schemas.ProjectChange, Depends(json_body(schemas.ProjectChange))],
) -> schemas.Project:
    """Change the name, the script or the hand of a project; its images are not read again."""
    message = convert.update_project_request(project_id, body)
    updated = await call(gateway.services.projects.UpdateProject, message, gateway.services.deadlines.short_s)
    return convert.project(updated.project)


@router.delete(
    "/{project_id}", responses=responses("not-found", "insufficient-role"), summary="Delete a project"
)
async def delete_project(gateway: Gateway, user_id: UserId, project_id: ProjectId) -> Erasure:
    """Delete a project with its images and corrections; model versions trained on them stop serving."""
    request = projects_pb2.DeleteProjectRequest(project_id=project_id)
    response = await call(
        gateway.services.projects.DeleteProject, request, gateway.services.deadlines.store_s
    )
    gateway.line_images.forget_project(user_id, project_id)
    return erasure(response.erasure)
