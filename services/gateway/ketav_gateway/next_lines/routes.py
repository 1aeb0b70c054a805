"""GET /projects/{project_id}/next-lines."""

from typing import Annotated

from fastapi import APIRouter, Query

from ketav.registry.v1 import next_lines_pb2
from ketav_gateway.http.dependencies import Gateway, ProjectId
from ketav_gateway.http.problems import responses
from ketav_gateway.next_lines import convert, schemas
from ketav_gateway.services import call

router = APIRouter(prefix="/projects", tags=["next_lines"])


@router.get(
    "/{project_id}/next-lines",
    responses=responses("not-found", "invalid-input"),
    summary="List the lines to correct next",
)
async def list_next_lines(
    gateway: Gateway,
    project_id: ProjectId,
    limit: Annotated[int, Query(description="Maximum number of lines in the response.", ge=1, le=100)] = 16,
) -> schemas.NextLineList:
    """List the uncorrected lines of a project whose correction improves your model most, best first."""
    request = next_lines_pb2.ListNextLinesRequest(project_id=project_id, limit=limit)
    response = await call(
        gateway.services.next_lines.ListNextLines, request, gateway.services.deadlines.short_s
    )
    return convert.next_line_list(response)
