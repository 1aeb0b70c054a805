"""Projects from protobuf to JSON."""

from typing import cast

from ketav.registry.v1 import projects_pb2
from ketav_gateway.convert import script_name, script_to_proto, timestamp
from ketav_gateway.members.convert import role_name
from ketav_gateway.projects import schemas


def project(message: projects_pb2.Project) -> schemas.Project:
    """Return a project without its images."""
    return schemas.Project(
        project_id=message.project_id,
        name=message.name,
        script=script_name(message.script),
        hand=message.hand or None,
        created_at=timestamp(message.create_time),
        owner=message.owner,
        role=cast("schemas.Role", role_name(message.role)),
    )


def create_project_request(
    body: schemas.NewProject, key: str, sha256: bytes
) -> projects_pb2.CreateProjectRequest:
    """Return the request for a new project."""
    return projects_pb2.CreateProjectRequest(
        name=body.name,
        script=script_to_proto(body.script),
        hand=body.hand or "",
        request_id=key,
        request_sha256=sha256,
    )


def update_project_request(project_id: str, body: schemas.ProjectChange) -> projects_pb2.UpdateProjectRequest:
    """Return the request that changes a project; a field of null is absent."""
    return projects_pb2.UpdateProjectRequest(
        project_id=project_id,
        name=body.name,
        script=None if body.script is None else script_to_proto(body.script),
        hand=body.hand,
    )
